import { late } from '../src/core/late.ts'
import { defineProvider } from '../src/core/provider.ts'
import { openaiRoutes } from '../src/operations/index.ts'

export default defineProvider({
  type: 'mistral',
  telemetryName: 'mistral_ai',
  title: 'Mistral AI',
  baseURL: 'https://api.mistral.ai/v1',
  // https://docs.mistral.ai/inference/conversations/reasoning; pydantic/pydantic-ai#5285
  efforts: [{ models: /(small|medium)/i, levels: ['none', 'high'] }],
  env: { apiKey: 'MISTRAL_API_KEY' },
  // https://docs.mistral.ai/api
  operations: () => ({
    ...openaiRoutes('chat', 'embeddings', 'transcriptions', 'moderations'),
    speech: { path: '/audio/speech', serve: late(async () => (await import('./mistral/speech.ts')).speech) },
  }),
  // https://docs.mistral.ai/api/endpoint/embeddings; its 422 names the field that it doesn't know.
  heal: ({ message, param }) =>
    param === 'dimensions' || /\bdimensions\b/.test(message)
      ? { rename: { dimensions: 'output_dimension' } }
      : undefined,
})
