import { defineProvider } from '../src/core/provider.ts'

/** Any server with an OpenAI-compatible API at `baseURL`. */
export default defineProvider({
  type: 'openai-compatible',
  title: 'OpenAI-compatible server',
  keyless: true,
})
