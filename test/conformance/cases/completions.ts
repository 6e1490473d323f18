import { readAnswer, readStream, type Said } from '../../contract/read.ts'
import type { Ask, Cases, Got } from '../cells.ts'
import type { Target } from '../targets.ts'
import { errorAsks } from './errors.ts'

/** Through the provider's chat where its server has no legacy completions. */
const labelsOf = ({ subject }: Target) =>
  subject && !subject.completion
    ? (['chat', 'chat_stream'] as const)
    : (subject?.completion ?? ['completions', 'completions_stream'])

function asked(target: Target, stream: boolean): Ask {
  const [whole, streamed] = labelsOf(target)
  return {
    about: stream ? 'streamed' : 'whole',
    upstream: stream ? streamed : whole,
    body: { prompt: 'Once upon', max_tokens: 16, temperature: 0, ...(stream && { stream }) },
    check: (got) => completes(saidIn(got)),
  }
}

const saidIn = ({ text, streamed }: Got) => (streamed ? readStream(text) : readAnswer(text))[0]

const completes = (said: Said | undefined) =>
  said && said.content !== '' && /stop|length/.test(said.finish ?? '') ? undefined : `it says ${JSON.stringify(said)}`

export const completionsCases: Cases = {
  plain: (target) => [asked(target, false)],
  stream: (target) => [asked(target, true)],
  errors: (target) =>
    errorAsks(target, asked(target, false), {
      invalid: { prompt: 5 },
      param: 'prompt',
      long: { prompt: 'hello world '.repeat(4_000) },
    }),
}
