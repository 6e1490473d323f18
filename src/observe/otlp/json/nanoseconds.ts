/**
 * Milliseconds as OTLP has times: in microseconds and three zeros, which is more than is known, and more than a number can
 * hold. In two parts, since small whole numbers become text ten times as fast.
 */
export function nanoseconds(ms: number): string {
  const all = Math.round(ms * 1000)
  const seconds = Math.floor(all / 1_000_000)
  return `${seconds}${String(1_000_000 + all - seconds * 1_000_000).slice(1)}000`
}
