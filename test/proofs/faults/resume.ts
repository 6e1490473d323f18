import { setTimeout as wait } from 'node:timers/promises'
import { sealed } from './answers.ts'
import { type Act, close, end, openStream, reset } from './attempt.ts'
import { emptyRow, outcomeOf, type Row } from './campaign.ts'
import type { Fault } from './faults.ts'
import { type Plan, planOf, randomFor, wordsOf } from './plan.ts'
import type { Target } from './target.ts'
import type { FaultyUpstream } from './upstream.ts'
import { frame, wires } from './wires.ts'

const words = 40
const { openai } = wires
const cuts = [
  { name: 'reset', stop: reset },
  { name: 'close', stop: close },
  { name: 'end', stop: end },
] as const

/** Writes these bytes of a stream and no more. */
const only =
  (bytes: Uint8Array, then: Act): Act =>
  async (attempt) => {
    openStream(attempt)
    await new Promise<void>((written) => attempt.response.write(bytes, () => written()))
    // A reset overtakes content, and the client may not have any yet.
    if (then === reset) await Promise.race([attempt.heard, wait(30)])
    await then(attempt)
  }

const delta = (value: object) =>
  frame({
    id: 'x',
    object: 'chat.completion.chunk',
    created: 1_700_000_000,
    model: 'faulty-model',
    choices: [{ index: 0, delta: value, finish_reason: null }],
  })

const call = { index: 0, id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":' } }
const tools = [{ type: 'function', function: { name: 'weather', parameters: { type: 'object', properties: {} } } }]

/** Streams that must not be continued: a second model would not go on where the first stopped. */
const declined: Readonly<Record<string, Partial<Plan> & { readonly events?: readonly string[] }>> = {
  'tool calls': { fields: { tools }, events: [delta({ role: 'assistant', tool_calls: [call] })] },
  'JSON mode': { fields: { response_format: { type: 'json_object' } } },
  logprobs: { fields: { logprobs: true } },
  'n > 1': { choices: [sealed(0, 0, ['one']), sealed(0, 1, ['two'])] },
  reasoning: { events: [delta({ role: 'assistant', reasoning_content: 'First I' })] },
}

export interface ResumeReport {
  /** Streams that were cut at a random byte. */
  readonly cuts: Row
  /** Streams of each kind that must not be continued, and how they ended. */
  readonly declined: ReadonlyMap<string, Row>
}

export interface ResumeOptions {
  readonly times: number
  readonly seed: number
  readonly concurrency?: number
}

/** Cuts streams at random bytes. The spare continues the text of an assistant's message exactly. */
export async function resume(
  upstream: FaultyUpstream,
  target: Target,
  { times, seed, concurrency = 16 }: ResumeOptions,
): Promise<ResumeReport> {
  upstream.clear()
  let next = 0
  const each = async (count: number, make: (number: number) => Plan): Promise<Row> => {
    const row = emptyRow()
    const run = async () => {
      while (row.times < count) {
        row.times++
        const { verdict, course } = await outcomeOf(make(next++), upstream, target, 'resume')
        row[verdict]++
        row.attempts += course.attempts
      }
    }
    await Promise.all(Array.from({ length: concurrency }, run))
    return row
  }
  const report = new Map<string, Row>()
  const cutRow = await each(times, (number) => cutPlan(number, seed))
  for (const [name, { events, ...more }] of Object.entries(declined)) {
    const row = await each(20, (number) => declinedPlan(number, seed, events, more))
    report.set(name, row)
  }
  return { cuts: cutRow, declined: report }
}

function cutPlan(number: number, seed: number): Plan {
  const random = randomFor(seed, number)
  const plan = planOf(number, undefined, random, ['openai'])
  const answer = { ...plan, streams: true, choices: [sealed(number, 0, wordsOf(words, random))] }
  const said = [...openai.roles(answer), ...openai.said(answer), ...openai.finishes(answer)].join('')
  const bytes = Buffer.from([said, ...openai.done].join(''))
  const at = Math.floor(random() * bytes.length)
  const { name, stop } = cuts[Math.floor(random() * cuts.length)] ?? cuts[0]
  // Behind the finish nothing is missing.
  const when = at < Buffer.byteLength(said) ? 'after' : 'harmless'
  const fault: Fault = { name, when, ways: ['stream'], act: only(bytes.subarray(0, at), stop) }
  return { ...answer, fault, official: false, lasting: true }
}

/** A stream that stops after its first words, or after `events`. */
function declinedPlan(number: number, seed: number, events: readonly string[] | undefined, more: Partial<Plan>): Plan {
  const plan = { ...cutPlan(number, seed), ...more }
  const begun = events ?? [...openai.roles(plan), ...openai.said(plan, 0, 1)]
  const act = only(Buffer.from(begun.join('')), end)
  return { ...plan, fault: { name: 'cut', when: 'after', ways: ['stream'], act } }
}
