import { setTimeout as wait } from 'node:timers/promises'
import { quantile } from '../../bench/statistics.ts'
import { answerWell } from './attempt.ts'
import { outcomeOf } from './campaign.ts'
import type { Fault } from './faults.ts'
import { planOf, randomFor } from './plan.ts'
import type { Target } from './target.ts'
import type { FaultyUpstream } from './upstream.ts'

/** Share of the requests that stall, and for how many milliseconds. */
const share = 0.05
const stalled = 1_000
/** Milliseconds until the first token otherwise. */
const usual = [20, 40] as const

/** A first token that is late, but comes. */
const stall: Fault = {
  name: 'stall',
  when: 'harmless',
  ways: ['stream'],
  act: async (attempt) => {
    await wait(stalled)
    return attempt.response.destroyed ? undefined : answerWell(attempt)
  },
}

export interface HedgeRow {
  readonly name: 'plain' | 'hedge'
  readonly requests: number
  /** Answers that were not whole. */
  readonly failed: number
  /** Milliseconds until the first token. */
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly attempts: number
}

export interface HedgeOptions {
  readonly requests: number
  readonly seed: number
  readonly concurrency?: number
}

/** Streams of a deployment that stalls now and then, without hedging and with it. */
export async function hedge(
  upstream: FaultyUpstream,
  target: Target,
  { requests, seed, concurrency = 16 }: HedgeOptions,
): Promise<HedgeRow[]> {
  const rows: HedgeRow[] = []
  for (const name of ['plain', 'hedge'] as const) {
    upstream.clear()
    const waits: number[] = []
    let attempts = 0
    let next = 0
    const run = async () => {
      while (next < requests) {
        const number = next++
        const random = randomFor(seed, number)
        const delay = usual[0] + random() * (usual[1] - usual[0])
        const plan = planOf(number, random() < share ? stall : undefined, random, ['openai'])
        const sent = { ...plan, streams: true, delay, official: false }
        const { received, verdict, course } = await outcomeOf(sent, upstream, target, name)
        attempts += course.attempts
        if (verdict === 'whole') waits.push(received.firstContent ?? Number.NaN)
      }
    }
    await Promise.all(Array.from({ length: concurrency }, run))
    waits.sort((a, b) => a - b)
    const at = (quota: number) => quantile(waits, quota)
    const failed = requests - waits.length
    rows.push({ name, requests, failed, p50: at(0.5), p95: at(0.95), p99: at(0.99), attempts: attempts / requests })
  }
  return rows
}
