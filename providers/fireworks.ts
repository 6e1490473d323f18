import { defineProvider } from '../src/core/provider.ts'

export default defineProvider({
  type: 'fireworks',
  title: 'Fireworks AI',
  baseURL: 'https://api.fireworks.ai/inference/v1',
  // https://docs.fireworks.ai/guides/reasoning; which of these a model has, its refusal tells.
  efforts: [{ levels: ['none', 'low', 'medium', 'high', 'xhigh', 'max'] }],
  env: { apiKey: 'FIREWORKS_API_KEY' },
})
