import { defineProvider } from '../src/core/provider.ts'
import { allButEmbeddings } from '../src/operations/index.ts'

export default defineProvider({
  type: 'groq',
  title: 'Groq',
  baseURL: 'https://api.groq.com/openai/v1',
  env: { apiKey: 'GROQ_API_KEY' },
  operations: () => allButEmbeddings,
})
