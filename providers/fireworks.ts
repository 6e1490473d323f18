import { defineProvider } from '../src/core/provider.ts'
import { openaiRoutes } from '../src/operations/index.ts'

const main = 'https://api.fireworks.ai/inference/v1'

export default defineProvider({
  type: 'fireworks',
  title: 'Fireworks AI',
  baseURL: main,
  // https://docs.fireworks.ai/guides/reasoning; which of these a model has, its refusal tells.
  efforts: [{ levels: ['none', 'low', 'medium', 'high', 'xhigh', 'max'] }],
  env: { apiKey: 'FIREWORKS_API_KEY' },
  // Images are made by workflows with paths and parameters of their own.
  operations: () => openaiRoutes('chat', 'completions', 'embeddings', 'rerank', 'transcriptions', 'translations'),
  // Each model that hears has a server. https://docs.fireworks.ai/guides/querying-asr-models
  url: ({ baseURL }, path, model) =>
    path.startsWith('/audio/') && baseURL === main
      ? `https://audio-${/turbo/.test(model) ? 'turbo' : 'prod'}.api.fireworks.ai/v1${path}`
      : baseURL + path,
})
