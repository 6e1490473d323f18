import { goDuration } from './duration.ts'
import type { RateKind, Taken } from './rates.ts'

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
  headers[`x-ratelimit-limit-${kind}`] = String(tightest.limit)
  headers[`x-ratelimit-remaining-${kind}`] = String(least)
  headers[`x-ratelimit-reset-${kind}`] = goDuration(tightest.reset(now))
}
