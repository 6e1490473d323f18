import { fetchModelList } from '../../src/core/model-list.ts'
import type { KnownModel, ProviderSettings, SlowPath } from '../../src/core/provider.ts'
import type { JsonObject } from '../../src/wire/json.ts'
import { geminiRoot } from './address.ts'
import { keyHeader } from './key.ts'

/** What models are asked for here; others speak only live, or answer from documents. */
const served = ['generateContent', 'embedContent', 'predict'] as const

/** https://ai.google.dev/api/models#method:-models.list */
export async function listGemini(settings: ProviderSettings, tools: SlowPath): Promise<KnownModel[]> {
  const headers = { ...keyHeader(settings), ...settings.headers }
  const list = await fetchModelList(`${geminiRoot(settings.baseURL)}/v1beta/models?pageSize=1000`, headers, tools)
  return list.flatMap(({ id, fields }) => {
    const methods = Array.isArray(fields.supportedGenerationMethods) ? fields.supportedGenerationMethods : []
    return methods.length === 0 || served.some((one) => methods.includes(one)) ? [known(id, fields, methods)] : []
  })
}

function known(id: string, fields: JsonObject, methods: readonly unknown[]): KnownModel {
  const { inputTokenLimit: window, outputTokenLimit: most, thinking } = fields
  const embeds = methods.includes('embedContent')
  return {
    id: id.replace(/^models\//, ''),
    ownedBy: 'google',
    ...(typeof window === 'number' && { contextWindow: window }),
    ...(typeof most === 'number' && !embeds && { maxOutput: most }),
    ...(typeof thinking === 'boolean' && { reasons: thinking }),
    ...(embeds && { outputs: ['embeddings'] }),
    ...(methods.includes('predict') && { outputs: ['image'] }),
  }
}
