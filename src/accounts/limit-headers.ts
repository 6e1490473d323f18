import { goDuration } from './duration.ts'
import type { Level, RateKind, Taken } from './rates.ts'

/** Adds OpenAI's headers, each about the limit of its kind of which the least is left. */
export function addLimitHeaders(
  headers: Record<string, string>,
  taken: readonly Taken[],
  now: number,
): Record<string, string> {
  const requests = tightestOf(taken, 'requests', now)
  // Names that are written out are the cheapest.
  if (requests) {
    headers['x-ratelimit-limit-requests'] = String(requests.limit)
    headers['x-ratelimit-remaining-requests'] = String(requests.left(now))
    headers['x-ratelimit-reset-requests'] = goDuration(requests.reset(now))
  }
  const tokens = tightestOf(taken, 'tokens', now)
  if (tokens) {
    headers['x-ratelimit-limit-tokens'] = String(tokens.limit)
    headers['x-ratelimit-remaining-tokens'] = String(tokens.left(now))
    headers['x-ratelimit-reset-tokens'] = goDuration(tokens.reset(now))
  }
  return headers
}

function tightestOf(taken: readonly Taken[], kind: RateKind, now: number): Level | undefined {
  let tightest: Level | undefined
  let least = Number.POSITIVE_INFINITY
  for (const { take, bucket } of taken) {
    if (take.kind !== kind) continue
    const left = bucket.left(now)
    if (left >= least) continue
    tightest = bucket
    least = left
  }
  return tightest
}
