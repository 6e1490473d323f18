import type { Signal } from './signal.ts'

/** The time, injected so that tests can control it. Times are in milliseconds. */
export interface Clock {
  now(): number
  /** Calls `action` once after `ms`; the returned function cancels it. */
  after(ms: number, action: () => void): () => void
}

/** The longest timer of Node and browsers. A longer one would run out at once. */
const longest = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  after(ms, action) {
    const timer = setTimeout(action, Math.min(ms, longest))
    return () => clearTimeout(timer)
  },
}

/** Waits `ms`; rejects with the signal's reason as soon as the signal is aborted. */
export function sleep(clock: Clock, ms: number, signal: Signal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const abandon = () => {
      cancel()
      reject(signal.reason)
    }
    const cancel = clock.after(ms, () => {
      signal.removeEventListener('abort', abandon)
      resolve()
    })
    signal.addEventListener('abort', abandon, { once: true })
  })
}
