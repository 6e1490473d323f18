import { defineProvider } from '../src/core/provider.ts'

export default defineProvider({
  type: 'together',
  title: 'Together AI',
  baseURL: 'https://api.together.xyz/v1',
  env: { apiKey: 'TOGETHER_API_KEY' },
})
