import type { Ask, Cases } from '../cells.ts'
import { errorAsks } from './errors.ts'

interface Compaction {
  readonly output: readonly { readonly type: string; readonly encrypted_content?: string }[]
}

const conversation = [
  { role: 'user', content: 'hi' },
  { role: 'assistant', content: 'Hello! How can I help you?' },
]

const compacted: Ask = {
  about: 'a conversation',
  upstream: 'chat',
  body: { input: conversation },
  check({ text }) {
    const { output } = JSON.parse(text) as Compaction
    const last = output.at(-1)
    return last?.type === 'compaction' && last.encrypted_content ? undefined : `it ends with ${JSON.stringify(last)}`
  },
}

export const compactionCases: Cases = {
  plain: () => [compacted],
  errors: (target) => errorAsks(target, compacted, { invalid: { input: 5 }, param: 'input' }),
}

const counted: Ask = {
  about: 'a conversation',
  upstream: 'chat',
  body: { input: conversation },
  check({ text }) {
    const { input_tokens: count } = JSON.parse(text) as { input_tokens: number }
    return count > 0 ? undefined : `it counts ${count}`
  },
}

/** An upstream that can't count is no failure: then there is a bound. */
export const inputTokensCases: Cases = {
  plain: () => [counted],
}
