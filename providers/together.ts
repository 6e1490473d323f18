import { defineProvider } from '../src/core/provider.ts'
import { openaiRoutes } from '../src/operations/index.ts'

export default defineProvider({
  type: 'together',
  title: 'Together AI',
  baseURL: 'https://api.together.xyz/v1',
  // https://docs.together.ai/docs/inference/chat/reasoning: a switch, but for models with levels.
  efforts: [
    { models: /gpt-oss/i, levels: ['low', 'medium', 'high'] },
    { level: null, off: { reasoning: { enabled: false } }, on: { reasoning: { enabled: true } } },
  ],
  env: { apiKey: 'TOGETHER_API_KEY' },
  // https://docs.together.ai/reference
  operations: () => ({
    ...openaiRoutes('chat', 'completions', 'embeddings', 'images', 'rerank'),
    ...openaiRoutes('speech', 'transcriptions', 'translations'),
  }),
})
