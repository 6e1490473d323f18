import { defineProvider } from '../src/core/provider.ts'

export default defineProvider({
  type: 'openrouter',
  title: 'OpenRouter',
  baseURL: 'https://openrouter.ai/api/v1',
  env: { apiKey: 'OPENROUTER_API_KEY' },
  routes: () => true,
})
