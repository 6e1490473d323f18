import { defineProvider } from '../src/core/provider.ts'

export default defineProvider({
  type: 'mistral',
  title: 'Mistral AI',
  baseURL: 'https://api.mistral.ai/v1',
  env: { apiKey: 'MISTRAL_API_KEY' },
})
