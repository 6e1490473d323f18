import { defineProvider } from '../src/core/provider.ts'
import { openaiOperations, openaiRoutes } from '../src/operations/index.ts'
import { reasoningFormats } from '../src/wire/reasoning-details.ts'
import { lacking } from './lacks.ts'
import { responsesBy, responsesSetting } from './responses.ts'

/** All but those that only OpenAI has: https://github.com/openai/codex/issues/26234 */
const taken = /^(?!(namespace|tool_search)$)/

export default defineProvider({
  type: 'openrouter',
  title: 'OpenRouter',
  baseURL: 'https://openrouter.ai/api/v1',
  env: { apiKey: 'OPENROUTER_API_KEY' },
  // It ignores what the model's server doesn't have, and knows no `n`: https://openrouter.ai/docs/api/reference
  settings: { responses: responsesSetting },
  operations: ({ options }) => ({
    ...openaiRoutes('completions', 'embeddings', 'speech', 'transcriptions', 'rerank'),
    ...responsesBy(options.responses, 'native', { tools: taken }),
    chat: lacking(openaiOperations.chat, 'n'),
    images: { path: '/images' },
  }),
  routes: () => true,
  // For Claude and Gemini; of others it is left out there: https://openrouter.ai/docs/features/prompt-caching
  cacheControl: true,
  efforts: [{ level: 'reasoning.effort' }],
  // All of them are its own form for what the models' servers want back: https://openrouter.ai/docs/use-cases/reasoning-tokens
  reasoning: reasoningFormats,
})
