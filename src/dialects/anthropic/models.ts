import type { Gateway } from '../../gateway.ts'
import { invalid } from '../../wire/body.ts'
import { unknownModel } from '../../wire/errors.ts'
import type { JsonObject } from '../../wire/json.ts'
import type { ListedModel } from '../../wire/listed-model.ts'
import type { LookUp } from '../dialect.ts'

/** The models of one page: all of them where the client names no `limit`. */
const mostOfPage = 1000

/** https://platform.claude.com/docs/en/api/models/list: page by page, before or after a model. */
export async function listModels(gateway: Gateway, { parameters }: LookUp): Promise<JsonObject> {
  const all = await gateway.models()
  const [after, before] = [parameters.get('after_id'), parameters.get('before_id')]
  const limit = limitIn(parameters.get('limit'))
  const start = after === null ? 0 : all.findIndex(({ id }) => id === after) + 1
  const end = before === null ? all.length : all.findIndex(({ id }) => id === before)
  const from = before === null ? start : Math.max(start, end - limit)
  const page = all.slice(from, before === null ? start + limit : Math.max(from, end))
  return {
    data: page.map(modelInfo),
    has_more: before === null ? start + limit < all.length : from > start,
    first_id: page[0]?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
  }
}

export async function retrieveModel(gateway: Gateway, { model: id = '' }: LookUp): Promise<JsonObject> {
  const model = id === '' ? undefined : await gateway.model(id)
  if (!model) throw unknownModel(id)
  return modelInfo(model)
}

function modelInfo({ id, created, name, context_length: window, max_output_tokens: most }: ListedModel): JsonObject {
  return {
    type: 'model',
    id,
    display_name: name,
    created_at: new Date(created * 1000).toISOString().replace('.000', ''),
    max_input_tokens: window ?? null,
    max_tokens: most ?? null,
    capabilities: null,
  }
}

function limitIn(text: string | null): number {
  if (text === null) return mostOfPage
  const limit = Number(text)
  if (Number.isInteger(limit) && limit >= 1 && limit <= mostOfPage) return limit
  throw invalid(`limit: Input should be an integer from 1 to ${mostOfPage}`)
}
