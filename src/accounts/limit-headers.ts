import { goDuration } from './duration.ts'
import type { RateKind, Taken } from './rates.ts'

/** OpenAI's headers, each about the limit of its kind of which the least is left. */
export function limitHeaders(taken: readonly Taken[], now: number): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const kind of ['requests', 'tokens'] as const) {
    const tightest = tightestOf(taken, kind, now)
    if (!tightest) continue
    headers[`x-ratelimit-limit-${kind}`] = String(tightest.limit)
    headers[`x-ratelimit-remaining-${kind}`] = String(tightest.left(now))
    headers[`x-ratelimit-reset-${kind}`] = goDuration(tightest.reset(now))
  }
  return headers
}

function tightestOf(taken: readonly Taken[], kind: RateKind, now: number) {
  const buckets = taken.filter(({ take }) => take.kind === kind).map(({ bucket }) => bucket)
  return buckets.reduce<(typeof buckets)[number] | undefined>(
    (least, bucket) => (least && least.left(now) <= bucket.left(now) ? least : bucket),
    undefined,
  )
}
