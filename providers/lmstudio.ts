import { defineProvider } from '../src/core/provider.ts'
import { openaiOperations, openaiRoutes } from '../src/operations/index.ts'
import { lacking, openaiOnly } from './lacks.ts'

export default defineProvider({
  type: 'lmstudio',
  title: 'LM Studio',
  baseURL: 'http://127.0.0.1:1234/v1',
  keyless: true,
  // Under the code for a missing model.
  errors: [{ match: /model is not (embedding|llm)\b/i, kind: 'wrong_endpoint' }],
  // Its documentation has no other routes, and none of these among the parameters that it supports:
  // https://lmstudio.ai/docs/developer/openai-compat
  operations: () => ({
    ...openaiRoutes('completions', 'embeddings'),
    chat: lacking(openaiOperations.chat, ...openaiOnly, 'n', 'logprobs'),
  }),
})
