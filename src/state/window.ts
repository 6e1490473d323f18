import type { LimitReset } from './key.ts'

const day = 24 * 60 * 60 * 1000
/** The first Monday since 1970, in milliseconds. */
const monday = 4 * day

/** When the window of a budget began that `now` is in, in milliseconds since 1970, by UTC; 0 for one that never ends. */
export function windowAt(reset: LimitReset, now: number): number {
  if (reset === null) return 0
  const ms = Math.floor(now)
  if (reset === 'daily') return ms - mod(ms, day)
  if (reset === 'weekly') return ms - mod(ms - monday, 7 * day)
  const date = new Date(now)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth())
}

/** When that window ends; undefined for one that never does. */
export function windowEnd(reset: LimitReset, now: number): number | undefined {
  if (reset === null) return undefined
  const start = windowAt(reset, now)
  if (reset !== 'monthly') return start + (reset === 'daily' ? day : 7 * day)
  const date = new Date(start)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1)
}

/** Never below zero. */
function mod(value: number, by: number): number {
  return ((value % by) + by) % by
}
