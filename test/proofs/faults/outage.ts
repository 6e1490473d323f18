import { setTimeout as wait } from 'node:timers/promises'
import { median } from '../../bench/statistics.ts'
import { json, reset } from './attempt.ts'
import { outcomeOf } from './campaign.ts'
import type { Fault } from './faults.ts'
import { planOf, randomFor } from './plan.ts'
import type { Target } from './target.ts'
import type { FaultyUpstream } from './upstream.ts'

const ways = ['whole', 'stream'] as const

/** How a first deployment is down for good. */
export const outages: readonly Fault[] = [
  {
    name: '503',
    when: 'before',
    ways,
    act: ({ response, wire }) => response.writeHead(503, json).end(wire.failure('Overloaded.', undefined, 503)),
  },
  { name: 'reset', when: 'before', ways, act: reset },
  { name: 'hang', when: 'before', ways, act: () => {} },
]

export interface OutageReport {
  readonly name: string
  readonly requests: number
  /** Requests that the client didn't get answered as if nothing were wrong. */
  readonly noticed: number
  /** Attempts per request while the gateway finds out, and after that. */
  readonly first: number
  readonly later: number
  /** Milliseconds per request, at the median, while it finds out and after that. */
  readonly firstMs: number
  readonly laterMs: number
  /** Seconds after the end of the outage until the first deployment was asked again; undefined: not in time. */
  readonly back: number | undefined
}

/** Seconds to wait for a first deployment to be asked again. */
const patience = 90

export interface OutageOptions {
  readonly requests: number
  readonly seed: number
  readonly concurrency?: number
}

/** Takes a first deployment down for good, and counts what its requests cost once the gateway can know. */
export async function outage(
  fault: Fault,
  upstream: FaultyUpstream,
  target: Target,
  { requests, seed, concurrency = 32 }: OutageOptions,
): Promise<OutageReport> {
  upstream.clear()
  const purpose = `outage-${fault.name}` as const
  const results: { attempts: number; right: boolean; ms: number }[] = []
  let next = 0
  const send = async (number: number, down: boolean) => {
    const plan = planOf(number, down ? fault : undefined, randomFor(seed, number), ['openai'])
    const started = performance.now()
    const { course, verdict } = await outcomeOf({ ...plan, lasting: true, official: false }, upstream, target, purpose)
    return { attempts: course.attempts, right: verdict === 'whole', ms: performance.now() - started }
  }
  const run = async () => {
    while (next < requests) results.push(await send(next++, true))
  }
  await Promise.all(Array.from({ length: concurrency }, run))

  const isBack = async (number: number) => {
    const { first } = upstream.asked
    await send(number, false)
    return upstream.asked.first > first
  }
  const ended = performance.now()
  const seconds = () => (performance.now() - ended) / 1000
  let back: number | undefined
  while (back === undefined && seconds() < patience) {
    if (await isBack(next++)) back = seconds()
    else await wait(100)
  }
  // While it finds out: a tenth of the requests.
  const learning = results.slice(0, Math.ceil(requests / 10))
  const knowing = results.slice(learning.length)
  return {
    name: fault.name,
    requests,
    noticed: results.filter(({ right }) => !right).length,
    first: mean(learning.map(({ attempts }) => attempts)),
    later: mean(knowing.map(({ attempts }) => attempts)),
    firstMs: median(learning.map(({ ms }) => ms)),
    laterMs: median(knowing.map(({ ms }) => ms)),
    back,
  }
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
