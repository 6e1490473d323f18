import type { Ask, Cases } from '../cells.ts'
import { errorAsks } from './errors.ts'

/** No recorded server has these routes; scripted ones have. */
const upstream = 'err_404'

interface Judged {
  readonly results: readonly { readonly flagged: boolean }[]
}

const moderated: Ask = {
  about: 'two texts',
  upstream,
  body: { input: ['hello', 'I hate you'] },
  check({ text }) {
    const flags = (JSON.parse(text) as Judged).results.map(({ flagged }) => flagged)
    return String(flags) === 'false,true' ? undefined : `it flags ${flags}`
  },
}

export const moderationCases: Cases = {
  plain: () => [moderated],
  errors: (target) => errorAsks(target, moderated, { invalid: { input: 5 }, param: 'input' }),
}

interface Ranked {
  readonly results: readonly { readonly index: number; readonly relevance_score: number }[]
}

const reranked: Ask = {
  about: 'two documents',
  upstream,
  body: { query: 'cat', documents: ['a dog', 'a cat'] },
  check({ text }) {
    const order = (JSON.parse(text) as Ranked).results.map(({ index }) => index)
    return String(order) === '1,0' ? undefined : `the order is ${order}`
  },
}

export const rerankCases: Cases = {
  plain: () => [reranked],
  errors: (target) => errorAsks(target, reranked, { invalid: { documents: 'a cat' }, param: 'documents' }),
}
