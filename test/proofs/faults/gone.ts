import { setTimeout as wait } from 'node:timers/promises'
import { quantile } from '../../bench/statistics.ts'
import { type Act, type Attempt, begun, drip, opening, partOf } from './attempt.ts'
import { send } from './client.ts'
import type { Fault } from './faults.ts'
import { type Plan, planOf, randomFor } from './plan.ts'
import type { Target } from './target.ts'
import type { FaultyUpstream } from './upstream.ts'
import { type WireName, wireNames } from './wires.ts'

/** Milliseconds between the chunks of a stream, as of a model with fifty tokens per second. */
const pace = 20
/** Milliseconds after which an upstream counts as never stopped. */
const patience = 3_000

/** How far an answer is when its client leaves. `produced` is to be called for each chunk of an endless one. */
const phases: Readonly<Record<string, { way: 'stream' | 'whole'; act: (produced: () => void) => Act }>> = {
  'stream, before headers': { way: 'stream', act: () => () => {} },
  'stream, before content': { way: 'stream', act: () => opening(() => {}) },
  'stream, mid-stream': { way: 'stream', act: (produced) => begun((attempt) => speak(attempt, produced)) },
  'whole, before headers': { way: 'whole', act: () => () => {} },
  'whole, in the body': {
    way: 'whole',
    act: () =>
      partOf(
        () => ({}),
        0.5,
        () => {},
      ),
  },
}

/** How a client leaves: in order (FIN), or by a reset as of a process that was killed (RST). */
export const departures = ['closes', 'resets'] as const
type Manner = (typeof departures)[number]

export interface GoneRow {
  readonly phase: string
  readonly manner: Manner
  readonly times: number
  /** Upstreams that were not stopped in time. */
  readonly missed: number
  /** Milliseconds from the client's leaving to the upstream's notice of it. */
  readonly p50: number
  readonly p99: number
  readonly most: number
  /** The most chunks that one upstream produced for nobody. */
  readonly chunks: number
  /** Requests that were sent again after the client had left. */
  readonly again: number
}

interface Departure {
  readonly ms: number | undefined
  readonly chunks: number
  readonly again: boolean
}

/** One word after the other, until nobody listens. */
async function speak(attempt: Attempt, produced: () => void): Promise<void> {
  const { answer, wire } = attempt
  const [event = ''] = wire.said({ ...answer, choices: [['more ']] })
  const words = function* () {
    for (;;) {
      produced()
      yield event
    }
  }
  await drip(attempt, words(), pace)
}

export interface GoneOptions {
  /** Clients for each phase and manner. */
  readonly times: number
  readonly seed: number
  readonly wires?: readonly WireName[] | undefined
  readonly concurrency?: number
}

/** Lets clients leave in every phase of an answer, and times how long the upstream works on. */
export async function clientsGone(
  upstream: FaultyUpstream,
  target: Target,
  { times, seed, wires = wireNames, concurrency = 16 }: GoneOptions,
): Promise<GoneRow[]> {
  upstream.clear()
  const rows: GoneRow[] = []
  let number = 0
  for (const [phase, { way, act }] of Object.entries(phases)) {
    for (const manner of departures) {
      const seen: Departure[] = []
      const run = async () => {
        while (seen.length < times) {
          const random = randomFor(seed, number)
          let chunks = 0
          const fault: Fault = { name: phase, when: 'after', ways: [way], act: act(() => chunks++) }
          const plan = { ...planOf(number++, fault, random, wires), waits: true, lasting: true }
          const visit = { plan, manner, pause: random() * 5 * pace, produced: () => chunks }
          seen.push(await depart(visit, upstream, target))
        }
      }
      await Promise.all(Array.from({ length: concurrency }, run))
      rows.push(rowOf(phase, manner, seen))
    }
  }
  return rows
}

interface Visit {
  readonly plan: Plan
  readonly manner: Manner
  /** Milliseconds for which the client stays, once the upstream is as far as it comes. */
  readonly pause: number
  /** Chunks that an endless answer has so far. */
  produced(): number
}

async function depart(visit: Visit, upstream: FaultyUpstream, target: Target): Promise<Departure> {
  const { plan, manner, pause, produced } = visit
  const begun = Promise.withResolvers<Attempt>()
  const act: Act = (attempt) => {
    begun.resolve(attempt)
    return plan.fault?.act?.(attempt)
  }
  const course = upstream.expect({ ...plan, ...(plan.fault && { fault: { ...plan.fault, act } }) })
  const asking = send(plan, { ...target, route: target.route('campaign', plan.wire) })
  asking.on('error', () => {})
  asking.on('response', (response) => {
    response.on('error', () => {}).on('data', () => course.heard.resolve())
  })
  const { response } = await begun.promise
  if (plan.fault?.name.endsWith('mid-stream')) await course.heard.promise
  await wait(pause)
  const closed = new Promise<number>((resolve) => response.once('close', () => resolve(performance.now())))
  const before = { attempts: course.attempts, chunks: produced() }
  const left = performance.now()
  if (manner === 'closes') asking.destroy()
  else asking.socket?.resetAndDestroy()
  const at = await Promise.race([closed, wait(patience, undefined)])
  const chunks = produced() - before.chunks
  if (at === undefined) response.destroy()
  return { ms: at === undefined ? undefined : at - left, chunks, again: course.attempts > before.attempts }
}

function rowOf(phase: string, manner: Manner, seen: readonly Departure[]): GoneRow {
  const times = seen.map(({ ms }) => ms ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b)
  return {
    phase,
    manner,
    times: seen.length,
    missed: seen.filter(({ ms }) => ms === undefined).length,
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    most: times.at(-1) ?? Number.NaN,
    chunks: Math.max(...seen.map(({ chunks }) => chunks)),
    again: seen.filter(({ again }) => again).length,
  }
}
