import { made } from '../../contract/subjects.ts'
import type { Ask, Cases, Got } from '../cells.ts'
import type { Target } from '../targets.ts'
import { errorAsks } from './errors.ts'

const input = ['a cat', 'a dog']

/** What a server of each kind says with a model for embeddings: those that were recorded carry none, except Ollama. */
export function embeddingsOf({ subject, server }: Target, count: 1 | 2): Ask['upstream'] {
  if (server === 'scripted') return 'embeddings'
  const vectors = [
    [0.6, 0.8],
    [0.8, -0.6],
  ].slice(0, count)
  if (subject?.recordings.name.endsWith('native')) {
    return count === 2
      ? 'embed'
      : made(200, { model: 'e', embeddings: vectors, total_duration: 1, prompt_eval_count: 2 })
  }
  if (subject?.name === 'huggingface, the router') return made(200, vectors)
  const data = vectors.map((embedding, index) => ({ object: 'embedding', index, embedding }))
  return made(200, { object: 'list', data, model: 'e', usage: { prompt_tokens: 4, total_tokens: 4 } })
}

/** As today's clients ask, which want base64 unless they are told otherwise, and as others do. */
const asked = (target: Target, format: 'float' | 'base64'): Ask => ({
  about: format,
  upstream: embeddingsOf(target, 2),
  body: { input, encoding_format: format },
  check: (got) => vectorsFault(got, format === 'base64' ? 'string' : 'object'),
})

interface Answer {
  readonly data: readonly { readonly index: number; readonly embedding: unknown }[]
  readonly usage: { readonly total_tokens: number }
}

function vectorsFault({ text }: Got, type: string): string | undefined {
  const { data, usage } = JSON.parse(text) as Answer
  const indices = data.map(({ index }) => index)
  if (String(indices) !== '0,1') return `the indices are ${indices}`
  if (!(usage.total_tokens > 0)) return 'there is no usage'
  const odd = data.find(({ embedding }) => typeof embedding !== type)
  return odd && `a vector is ${JSON.stringify(odd.embedding).slice(0, 80)}`
}

export const embeddingsCases: Cases = {
  plain: (target) => [asked(target, 'float'), asked(target, 'base64')],
  errors: (target) => errorAsks(target, asked(target, 'float'), { invalid: { dimensions: 0 }, param: 'dimensions' }),
}
