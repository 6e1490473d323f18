import { defineProvider } from '../src/core/provider.ts'

export default defineProvider({
  type: 'mistral',
  title: 'Mistral AI',
  baseURL: 'https://api.mistral.ai/v1',
  env: { apiKey: 'MISTRAL_API_KEY' },
  // https://docs.mistral.ai/api/endpoint/embeddings; its 422 names the field that it doesn't know.
  heal: ({ message, param }) =>
    param === 'dimensions' || /\bdimensions\b/.test(message)
      ? { rename: { dimensions: 'output_dimension' } }
      : undefined,
})
