import { defineProvider } from '../src/core/provider.ts'
import { openaiOperations, openaiRoutes } from '../src/operations/index.ts'
import { lacking } from './lacks.ts'

export default defineProvider({
  type: 'deepseek',
  title: 'DeepSeek',
  baseURL: 'https://api.deepseek.com/v1',
  // https://api-docs.deepseek.com/guides/thinking_mode: it takes any level but `none`.
  efforts: [{ off: { thinking: { type: 'disabled' } }, on: { thinking: { type: 'enabled' } } }],
  env: { apiKey: 'DEEPSEEK_API_KEY' },
  // https://api-docs.deepseek.com: "This response_format type is unavailable now"; it has JSON without a schema.
  operations: () => ({ ...openaiRoutes('completions'), chat: lacking(openaiOperations.chat, 'json_schema') }),
})
