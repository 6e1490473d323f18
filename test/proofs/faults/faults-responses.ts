import { type Act, type Attempt, begun, close, end, json, opening, reset, writing } from './attempt.ts'
import type { Fault } from './faults.ts'
import { event, failed, opening as openingEvents } from './wire-responses.ts'
import { frame } from './wires.ts'

const oops = 'The model fell over.'
const wires = ['responses'] as const
const whole = ['whole'] as const
const stream = ['stream'] as const
const before = { when: 'before', wires, ways: stream } as const
const after = { when: 'after', wires, ways: stream } as const
const harmless = { when: 'harmless', wires, ways: stream } as const

const rest = ({ answer, cut, wire }: Attempt) => [...wire.said(answer, cut), ...wire.finishes(answer)]
const allButLast = (attempt: Attempt) => rest(attempt).slice(0, -1)
/** All but the end of the last event, which is not even JSON then. */
const halfOfLast = (attempt: Attempt) => [...allButLast(attempt), rest(attempt).at(-1)?.slice(0, -40) ?? '']
const done = () => [frame('[DONE]')]
const failure = ({ answer, cut }: Attempt) => [failed(answer, openingEvents + cut, oops)]
const failureAtOnce = ({ answer }: Attempt) => [failed(answer, openingEvents, oops)]
const told = ({ wire }: Attempt) => [wire.failing(oops)]
const enveloped = () => [event('error', 0, { error: { type: 'server_error', code: null, message: oops, param: null } })]
const untyped = () => [frame({ error: { message: oops } })]

/** A 200 with this body. */
const body =
  (text: object): Act =>
  ({ response }) =>
    response.writeHead(200, json).end(JSON.stringify(text))

/** What only an upstream can do that makes responses itself. */
export const ofResponses: readonly Fault[] = [
  { name: 'output missing', ...before, ways: whole, act: body({ id: 'resp_1', object: 'response' }) },
  {
    name: '200 with a failed response',
    ...before,
    ways: whole,
    act: body({
      id: 'resp_1',
      object: 'response',
      status: 'failed',
      error: { code: 'server_error', message: oops },
      output: [],
    }),
  },
  { name: 'role, then response.failed', ...before, act: opening(writing(failureAtOnce, end)) },
  { name: 'role, then response.failed and reset', ...before, act: opening(writing(failureAtOnce, reset)) },
  { name: 'role, then [DONE] without an end', ...before, act: opening(writing(done, end)) },
  { name: 'response.failed', ...after, act: begun(writing(failure, end)) },
  { name: 'response.failed, then [DONE]', ...after, act: begun(writing((it) => [...failure(it), ...done()], end)) },
  { name: 'response.failed, then the rest', ...after, act: begun(writing((it) => [...failure(it), ...rest(it)], end)) },
  { name: '[DONE] without an end', ...after, act: begun(writing(done, end)) },
  { name: 'all but response.completed', ...after, act: begun(writing(allButLast, end)) },
  {
    name: 'all but response.completed, then [DONE]',
    ...after,
    act: begun(writing((it) => [...allButLast(it), ...done()], end)),
  },
  { name: 'end inside response.completed', ...after, act: begun(writing(halfOfLast, end)) },
  { name: 'reset inside response.completed', ...after, overtakes: true, act: begun(writing(halfOfLast, reset)) },
  { name: 'stall before response.completed', ...after, act: begun(writing(allButLast, () => {})) },
  { name: 'error in an envelope', ...after, act: begun(writing(enveloped, end)) },
  { name: 'error without a type', ...after, act: begun(writing(untyped, end)) },
  {
    name: 'error event, then response.failed',
    ...after,
    act: begun(writing((it) => [...told(it), ...failure(it)], end)),
  },
  { name: 'response.completed, then [DONE]', ...harmless, act: begun(writing((it) => [...rest(it), ...done()], end)) },
  { name: 'response.completed, then close', ...harmless, act: begun(writing(rest, close)) },
  { name: 'response.completed, then nothing', ...harmless, act: begun(writing(rest, () => {})) },
  {
    name: 'response.completed, then an error',
    ...harmless,
    act: begun(writing((it) => [...rest(it), ...told(it)], end)),
  },
  {
    name: 'response.completed without its blank line',
    ...harmless,
    act: begun(writing((it) => [rest(it).join('').trimEnd()], end)),
  },
]
