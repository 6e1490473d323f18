import { type Answer, chunk, done, finishes, frame, roles, said } from './answers.ts'
import { begun, close, end, reset, sse, write, writing } from './attempt.ts'
import type { Fault } from './faults.ts'

const error = { message: 'The model fell over.', type: 'server_error', param: null, code: 'oops' }
const after = { when: 'after', ways: ['stream'] } as const

/** The first part of the next event. */
const half = ({ number }: Answer) => [chunk(number, 0, { content: 'never said' }).slice(0, 90)]
/** The rest of the stream. */
const rest = (answer: Answer, cut: number) => [...said(answer, cut), ...finishes(answer), done]
const malformed = (answer: Answer) => [frame(chunk(answer.number, 0, { content: 'x' }).slice(6, 90))]
const told = () => [frame({ error })]

/** The first choice is complete; the second has `words` words. */
const unfinished =
  (words: (cut: number) => number) =>
  (answer: Answer, cut: number): string[] => {
    const [first = [], second = []] = answer.choices
    return [
      ...said({ ...answer, choices: [first] }, cut),
      ...second.slice(cut, words(cut)).map((content) => chunk(answer.number, 1, { content })),
      chunk(answer.number, 0, {}, 'stop'),
    ]
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
  { name: 'all words, no finish, no [DONE]', ...after, act: begun(writing((answer, cut) => said(answer, cut), end)) },
  { name: 'end inside an event', ...after, act: begun(writing(half, end)) },
  { name: '[DONE] without finish', ...after, act: begun(writing(() => [done], end)) },
  {
    name: 'all words, [DONE], no finish',
    ...after,
    act: begun(writing((answer, cut) => [...said(answer, cut), done], end)),
  },
  {
    name: 'malformed event, then the rest',
    ...after,
    act: begun(writing((answer, cut) => [...malformed(answer), ...rest(answer, cut)], end)),
  },
  { name: 'error event, then end', ...after, act: begun(writing(told, end)) },
  { name: 'error event, then reset', ...after, overtakes: true, act: begun(writing(told, reset)) },
  {
    name: 'error event, then the rest',
    ...after,
    act: begun(writing((answer, cut) => [...told(), ...rest(answer, cut)], end)),
  },
  {
    name: 'event named error, then [DONE]',
    ...after,
    act: begun(writing(() => [`event: error\n${frame(error)}`, done], end)),
  },
  { name: 'error that is text, then [DONE]', ...after, act: begun(writing(() => [frame({ error: 'oh' }), done], end)) },
  {
    name: 'n=2, the second never finishes',
    ...after,
    choices: 2,
    act: begun(writing((answer, cut) => [...unfinished((at) => at + 1)(answer, cut), done], end)),
  },
  {
    name: 'n=2, the second never finishes, no [DONE]',
    ...after,
    choices: 2,
    act: begun(
      writing(
        unfinished(() => 99),
        end,
      ),
    ),
  },
  {
    name: 'n=2, the second only begins',
    ...after,
    choices: 2,
    act: async (attempt) => {
      const { answer, response } = attempt
      const [first = []] = answer.choices
      const one = { ...answer, choices: [first] }
      response.writeHead(200, sse)
      await write(attempt, [...roles(answer), ...said(one), ...finishes(one), done])
      response.end()
    },
  },
  { name: 'hang after content', ...after, act: begun(() => {}) },
  { name: 'hang inside an event', ...after, act: begun(writing(half, () => {})) },
  { name: 'no [DONE] after the finish', when: 'harmless', ways: ['stream'], act: begun(writing(notDone, end)) },
]

function notDone(answer: Answer, cut: number): string[] {
  return [...said(answer, cut), ...finishes(answer)]
}
