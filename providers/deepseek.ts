import { defineProvider } from '../src/core/provider.ts'
import { allButEmbeddings } from '../src/operations/index.ts'

export default defineProvider({
  type: 'deepseek',
  title: 'DeepSeek',
  baseURL: 'https://api.deepseek.com/v1',
  env: { apiKey: 'DEEPSEEK_API_KEY' },
  operations: () => allButEmbeddings,
})
