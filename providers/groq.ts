import { defineProvider } from '../src/core/provider.ts'
import { allButEmbeddings, openaiOperations } from '../src/operations/index.ts'
import { lacking } from './lacks.ts'

export default defineProvider({
  type: 'groq',
  title: 'Groq',
  baseURL: 'https://api.groq.com/openai/v1',
  // https://console.groq.com/docs/reasoning
  efforts: [
    { models: /qwen/i, levels: ['none', 'default'] },
    { models: /gpt-oss/i, levels: ['low', 'medium', 'high'] },
  ],
  env: { apiKey: 'GROQ_API_KEY' },
  // "If N is supplied, it must be equal to 1": console.groq.com/docs/openai
  operations: () => ({ ...allButEmbeddings, chat: lacking(openaiOperations.chat, 'n') }),
})
