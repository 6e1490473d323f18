import { type ApiName, apiNames } from './apis.ts'
import { type Act, type Attempt, begun, close, end, json, opening, openStream, reset, writing } from './attempt.ts'
import type { Fault } from './faults.ts'
import { errorEvent, event } from './wire-anthropic.ts'
import { errorOf } from './wire-gemini.ts'
import type { WireName } from './wires.ts'

const oops = 'The model fell over.'
const whole = ['whole'] as const
const stream = ['stream'] as const

const before = { when: 'before', ways: stream } as const
const after = { when: 'after', ways: stream } as const

const rest = ({ answer, cut, wire }: Attempt) => [...wire.said(answer, cut), ...wire.finishes(answer), ...wire.done]
const words = ({ answer, cut, wire }: Attempt) => wire.said(answer, cut)
const told = ({ wire }: Attempt) => [wire.failing(oops)]
const stop = () => [event('message_stop')]
const nameless = (text: string) => text.replace(/^event: .*\n/, '')

/** A 200 with this body. */
const body =
  (text: object): Act =>
  ({ response }) =>
    response.writeHead(200, json).end(JSON.stringify(text))

const only =
  (...events: readonly string[]): Act =>
  (attempt) => {
    openStream(attempt)
    return writing(() => events, end)(attempt)
  }

const untilReason = ({ answer, cut, wire }: Attempt) => [...wire.said(answer, cut), ...wire.finishes(answer)]
const notMessages: readonly ApiName[] = apiNames.filter((name) => name !== 'messages')

function on(wire: WireName, faults: readonly Fault[]): Fault[] {
  return faults.map((fault) => ({ ...fault, wires: [wire] }))
}

/** What only an upstream with Anthropic's API can do. */
const ofAnthropic = on('anthropic', [
  {
    name: 'message without content',
    ...before,
    ways: whole,
    act: body({ id: 'msg_1', type: 'message', role: 'assistant', stop_reason: 'end_turn' }),
  },
  { name: 'overloaded_error at once', ...before, act: only(errorEvent('overloaded_error', 'Overloaded')) },
  { name: 'start, then message_stop', ...before, act: opening(writing(stop, end)) },
  {
    name: 'start, then rate_limit_error',
    ...before,
    act: opening(writing(() => [errorEvent('rate_limit_error', 'Slow down.')], end)),
  },
  {
    name: 'overloaded_error',
    ...after,
    act: begun(writing(() => [errorEvent('overloaded_error', 'Overloaded')], end)),
  },
  { name: 'error without a name', ...after, act: begun(writing((it) => told(it).map(nameless), end)) },
  {
    name: "error in OpenAI's words",
    ...after,
    act: begun(writing(() => [`data: ${JSON.stringify({ error: { message: oops, type: 'server_error' } })}\n\n`], end)),
  },
  { name: 'message_stop without a reason', ...after, act: begun(writing(stop, end)) },
  {
    name: 'all words, message_stop, no reason',
    ...after,
    act: begun(writing((it) => [...words(it), event('content_block_stop', { index: 0 }), ...stop()], end)),
  },
  { name: 'no message_stop', ...after, apis: ['messages'], act: begun(writing(untilReason, end)) },
  { name: 'no message_stop', ...after, when: 'harmless', apis: notMessages, act: begun(writing(untilReason, end)) },
])

/** What only an upstream with Gemini's API can do. */
const ofGemini = on('gemini', [
  { name: 'candidates missing', ...before, ways: whole, act: body({ modelVersion: 'faulty-model' }) },
  { name: 'candidates empty', ...before, ways: whole, act: body({ candidates: [] }) },
  {
    name: 'usage, then end',
    ...before,
    act: only(`data: ${JSON.stringify({ usageMetadata: { promptTokenCount: 3 } })}\n\n`),
  },
  { name: 'bare error at once', ...before, act: only(JSON.stringify(errorOf(oops, 503), null, 2)) },
  {
    name: 'bare error',
    ...after,
    act: begun(writing(() => [JSON.stringify(errorOf(oops, 503), null, 2)], end)),
  },
  {
    name: 'error in a list',
    ...after,
    act: begun(writing(() => [`data: ${JSON.stringify([errorOf(oops, 500)])}\n\n`], end)),
  },
])

/** What only an upstream with Ollama's API can do. */
const ofOllama = on('ollama', [
  { name: 'done without a text', ...before, ways: whole, act: body({ model: 'faulty-model', done: true }) },
  {
    name: 'last line without its end',
    ...after,
    when: 'harmless',
    act: begun(writing((it) => [rest(it).join('').trimEnd()], end)),
  },
])

/** What comes behind the last event of an API that has no `[DONE]` takes nothing away. */
const behind: readonly Fault[] = (
  [
    ['close', begun(writing(rest, close))],
    ['reset', begun(writing(rest, reset))],
    ['nothing', begun(writing(rest, () => {}))],
    // Chunks of Gemini's may have the reason and not be the last.
    ['an error', begun(writing((it) => [...rest(it), ...told(it)], end)), ['anthropic', 'ollama']],
  ] satisfies [string, Act, WireName[]?][]
).map(([what, act, wires = ['anthropic', 'gemini', 'ollama']]) => ({
  ...{ name: `the last event, then ${what}`, when: 'harmless', ways: stream, wires, act },
}))

/** What only an upstream can do that has the API of a dialect. */
export const ofDialects: readonly Fault[] = [...ofAnthropic, ...ofGemini, ...ofOllama, ...behind]
