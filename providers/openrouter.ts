import { defineProvider } from '../src/core/provider.ts'
import { openaiOperations } from '../src/operations/index.ts'
import { lacking } from './lacks.ts'

export default defineProvider({
  type: 'openrouter',
  title: 'OpenRouter',
  baseURL: 'https://openrouter.ai/api/v1',
  env: { apiKey: 'OPENROUTER_API_KEY' },
  // It ignores what the model's server doesn't have, and knows no `n`: openrouter.ai/docs/api-reference/parameters
  operations: () => ({ ...openaiOperations, chat: lacking(openaiOperations.chat, 'n') }),
  routes: () => true,
  efforts: [{ level: 'reasoning.effort' }],
})
