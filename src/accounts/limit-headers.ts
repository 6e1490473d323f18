import { goDuration } from './duration.ts'
import type { RateKind, Taken } from './rates.ts'

/** The names of each kind's: a text made anew each time would have to be looked up among all names. */
const names = { requests: namesOf('requests'), tokens: namesOf('tokens') } as const

function namesOf(kind: RateKind) {
  return {
    limit: `x-ratelimit-limit-${kind}`,
    left: `x-ratelimit-remaining-${kind}`,
    reset: `x-ratelimit-reset-${kind}`,
  } as const
}

/** OpenAI's headers, each about the limit of its kind of which the least is left. */
export function limitHeaders(taken: readonly Taken[], now: number): Record<string, string> {
  const headers: Record<string, string> = {}
  addKind(headers, taken, 'requests', now)
  addKind(headers, taken, 'tokens', now)
  return headers
}

function addKind(headers: Record<string, string>, taken: readonly Taken[], kind: RateKind, now: number): void {
  let tightest: Taken['bucket'] | undefined
  let least = Number.POSITIVE_INFINITY
  for (const { take, bucket } of taken) {
    if (take.kind !== kind) continue
    const left = bucket.left(now)
    if (left >= least) continue
    tightest = bucket
    least = left
  }
  if (!tightest) return
  const { limit, left, reset } = names[kind]
  headers[limit] = String(tightest.limit)
  headers[left] = String(least)
  headers[reset] = goDuration(tightest.reset(now))
}
