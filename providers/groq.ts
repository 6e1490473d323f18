import { defineProvider } from '../src/core/provider.ts'
import { openaiOperations, openaiRoutes } from '../src/operations/index.ts'
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
  // https://console.groq.com/docs/openai: "If N is supplied, it must be equal to 1"
  operations: () => ({
    ...openaiRoutes('completions', 'speech', 'transcriptions', 'translations'),
    chat: lacking(openaiOperations.chat, 'n'),
  }),
})
