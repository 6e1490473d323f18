import { defineProvider } from '../src/core/provider.ts'

export default defineProvider({
  type: 'fireworks',
  title: 'Fireworks AI',
  baseURL: 'https://api.fireworks.ai/inference/v1',
  env: { apiKey: 'FIREWORKS_API_KEY' },
})
