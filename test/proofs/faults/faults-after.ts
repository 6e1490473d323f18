import type { Answer } from './answers.ts'
import { type Act, type Attempt, begun, close, end, openStream, reset, write, writing } from './attempt.ts'
import type { Fault } from './faults.ts'
import { frame } from './wires.ts'

const oops = 'The model fell over.'
const after = { when: 'after', ways: ['stream'] } as const
/** Wires with events. */
const sse = ['openai', 'huggingface'] as const

const half = ({ answer, wire }: Attempt) => [wire.half(answer)]
const words = ({ answer, cut, wire }: Attempt) => wire.said(answer, cut)
const finishes = ({ answer, wire }: Attempt) => wire.finishes(answer)
const done = ({ wire }: Attempt) => wire.done
const malformed = ({ answer, wire }: Attempt) => [wire.malformed(answer)]
const told = ({ wire }: Attempt) => [wire.failing(oops)]
const all =
  (...parts: readonly ((attempt: Attempt) => readonly string[])[]) =>
  (attempt: Attempt): string[] =>
    parts.flatMap((part) => part(attempt))

/** The first choice is complete; the second has no more than `most` words. */
const unfinished =
  (most: (cut: number) => number) =>
  ({ answer, cut, wire }: Attempt): string[] => {
    const [first = [], second = []] = answer.choices
    const one: Answer = { ...answer, choices: [first] }
    return [
      ...wire.said(one, cut),
      ...wire.said({ ...answer, choices: [[], second.slice(0, most(cut))] }, cut),
      ...wire.finishes(one),
    ]
  }

const secondOnlyBegins: Act = async (attempt) => {
  const { answer, response, wire } = attempt
  const one = { ...answer, choices: answer.choices.slice(0, 1) }
  openStream(attempt)
  await write(attempt, [...wire.roles(answer), ...wire.said(one), ...wire.finishes(one), ...wire.done])
  response.end()
}

/** Faults that must be reported to the client, because it has content already. */
export const afterContent: readonly Fault[] = [
  { name: 'reset mid-stream', ...after, overtakes: true, act: begun(reset) },
  { name: 'reset inside an event', ...after, overtakes: true, act: begun(writing(half, reset)) },
  { name: 'close without the last chunk', ...after, act: begun(close) },
  { name: 'close inside an event', ...after, act: begun(writing(half, close)) },
  { name: 'close before content-length', ...after, act: begun(close, { 'content-length': '1000000' }) },
  {
    name: 'close where nothing told the length',
    ...after,
    act: (attempt) => {
      attempt.response.useChunkedEncodingByDefault = false
      return begun(end)(attempt)
    },
  },
  { name: 'end without finish or [DONE]', ...after, act: begun(end) },
  { name: 'all words, no finish, no [DONE]', ...after, act: begun(writing(words, end)) },
  { name: 'end inside an event', ...after, act: begun(writing(half, end)) },
  { name: '[DONE] without finish', ...after, wires: sse, act: begun(writing(done, end)) },
  { name: 'all words, [DONE], no finish', ...after, wires: sse, act: begun(writing(all(words, done), end)) },
  {
    name: 'malformed event, then the rest',
    ...after,
    act: begun(writing(all(malformed, words, finishes, done), end)),
  },
  { name: 'error event, then end', ...after, act: begun(writing(told, end)) },
  { name: 'error event, then reset', ...after, overtakes: true, act: begun(writing(told, reset)) },
  { name: 'error event, then the rest', ...after, act: begun(writing(all(told, words, finishes, done), end)) },
  {
    name: 'event named error, then [DONE]',
    ...after,
    wires: sse,
    act: begun(writing(({ wire }) => [`event: error\n${wire.failing(oops)}`, ...wire.done], end)),
  },
  {
    name: 'error that is text, then [DONE]',
    ...after,
    wires: sse,
    act: begun(writing(({ wire }) => [frame({ error: 'oh' }), ...wire.done], end)),
  },
  {
    name: 'n=2, the second never finishes',
    ...after,
    wires: ['openai'],
    choices: 2,
    act: begun(
      writing(
        all(
          unfinished((cut) => cut + 1),
          done,
        ),
        end,
      ),
    ),
  },
  {
    name: 'n=2, the second never finishes, no [DONE]',
    ...after,
    wires: ['openai'],
    choices: 2,
    act: begun(
      writing(
        unfinished(() => 99),
        end,
      ),
    ),
  },
  { name: 'n=2, the second only begins', ...after, wires: ['openai'], choices: 2, act: secondOnlyBegins },
  { name: 'stall after content', ...after, act: begun(() => {}) },
  { name: 'stall inside an event', ...after, act: begun(writing(half, () => {})) },
]
