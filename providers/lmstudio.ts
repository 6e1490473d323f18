import { listModels } from '../src/core/knowledge.ts'
import { fetchModelList } from '../src/core/model-list.ts'
import { bearer, defineProvider, type KnownModel, type ProviderSettings, type SlowPath } from '../src/core/provider.ts'
import { openaiOperations, openaiRoutes } from '../src/operations/index.ts'
import { factsOf } from '../src/wire/model-facts.ts'
import { lacking, openaiOnly } from './lacks.ts'
import { withRepeatPenalty } from './repetition.ts'

export default defineProvider({
  type: 'lmstudio',
  title: 'LM Studio',
  baseURL: 'http://127.0.0.1:1234/v1',
  keyless: true,
  free: true,
  models: listWithDetails,
  // Under the code for a missing model.
  errors: [{ match: /model is not (embedding|llm)\b/i, kind: 'wrong_endpoint' }],
  // Its documentation has no other routes, and none of these among the parameters that it supports:
  // https://lmstudio.ai/docs/developer/openai-compat
  operations: () => ({
    ...openaiRoutes('embeddings'),
    completions: withRepeatPenalty(openaiOperations.completions),
    chat: withRepeatPenalty(lacking(openaiOperations.chat, ...openaiOnly, 'n', 'logprobs')),
  }),
})

/** Its own API says of each model what OpenAI's has no words for: https://lmstudio.ai/docs/developer/rest/endpoints */
async function listWithDetails(settings: ProviderSettings, tools: SlowPath): Promise<KnownModel[]> {
  const headers = { ...bearer(settings), ...settings.headers }
  const url = `${settings.baseURL.replace(/\/v1$/, '')}/api/v0/models`
  const list = await fetchModelList(url, headers, tools).catch(() => [])
  // Versions before 0.3.6, and servers that imitate it.
  if (list.length === 0) return listModels(settings, tools)
  return list.map(({ id, fields }) => ({ id, ...factsOf(fields) }))
}
