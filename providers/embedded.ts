import { late } from '../src/core/late.ts'
import { defineProvider } from '../src/core/provider.ts'
import { openaiOperations } from '../src/operations/index.ts'
import { lacking, openaiOnly } from './lacks.ts'

const { chat, completions, embeddings, inputTokens } = openaiOperations

/** The model that comes with samewire: 1.1 million parameters, good only for trying things out. */
export default defineProvider({
  type: 'embedded',
  name: 'demo',
  title: 'Embedded demonstration model',
  keyless: true,
  free: true,
  answers: ['tiny-chat'],
  models: async () => [{ id: 'tiny-chat', ownedBy: 'samewire', contextWindow: 2048, supports: { vision: false } }],
  // The engine refuses by itself what it reads and can't do.
  operations: () => ({
    chat: lacking(chat, ...openaiOnly),
    completions,
    embeddings,
    inputTokens,
  }),
  continues: () => ({ chat: { fields: { continue_final_message: true } }, completions: {} }),
  // The code and the weights cost nothing until the first request.
  serve: late(async () => (await import('./embedded/serve.ts')).serve),
})
