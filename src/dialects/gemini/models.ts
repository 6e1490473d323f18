import type { Gateway } from '../../gateway.ts'
import { invalid } from '../../wire/body.ts'
import { unknownModel } from '../../wire/errors.ts'
import type { JsonObject } from '../../wire/json.ts'
import type { ListedModel } from '../../wire/listed-model.ts'
import type { LookUp } from '../dialect.ts'

/** https://ai.google.dev/api/models#method:-models.list; without a `pageSize`, all of them. */
export async function listModels(gateway: Gateway, { parameters }: LookUp): Promise<JsonObject> {
  const all = await gateway.models()
  const start = numberIn(parameters, 'pageToken') ?? 0
  const size = numberIn(parameters, 'pageSize') || all.length
  const end = start + size
  return { models: all.slice(start, end).map(modelInfo), ...(end < all.length && { nextPageToken: String(end) }) }
}

export async function retrieveModel(gateway: Gateway, { model: id = '' }: LookUp): Promise<JsonObject> {
  const model = id === '' ? undefined : await gateway.model(id)
  if (!model) throw unknownModel(id)
  return modelInfo(model)
}

function modelInfo({ id, name, context_length: window, max_output_tokens: most }: ListedModel): JsonObject {
  return {
    name: `models/${id}`,
    version: '001',
    displayName: name,
    description: name,
    ...(window !== undefined && { inputTokenLimit: window }),
    ...(most !== undefined && { outputTokenLimit: most }),
    supportedGenerationMethods: methodsOf(id),
  }
}

/** Nothing but its name tells whether a model embeds. */
function methodsOf(id: string): readonly string[] {
  return /embed/i.test(id) ? ['embedContent', 'batchEmbedContents'] : ['generateContent', 'countTokens']
}

function numberIn(parameters: URLSearchParams, name: string): number | undefined {
  const text = parameters.get(name) ?? parameters.get(name.replace(/[A-Z]/, (letter) => `_${letter.toLowerCase()}`))
  if (text === null || text === '') return undefined
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw invalid(`Invalid value for '${name}': a number is expected.`, name)
}
