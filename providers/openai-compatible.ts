import { defineProvider } from '../src/core/provider.ts'

/** Any server that speaks OpenAI's wire at a `baseURL`. */
export default defineProvider({
  type: 'openai-compatible',
  title: 'OpenAI-compatible server',
  keyless: true,
})
