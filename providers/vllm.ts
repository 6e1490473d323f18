import { defineProvider } from '../src/core/provider.ts'
import { continuedBy } from './continuations.ts'

export default defineProvider({
  type: 'vllm',
  title: 'vLLM',
  baseURL: 'http://127.0.0.1:8000/v1',
  keyless: true,
  continues: () => continuedBy('vllm'),
})
