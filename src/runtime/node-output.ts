import { write, writeSync } from 'node:fs'
import type { Clock } from '../core/clock.ts'

/**
 * Characters that are gathered, and milliseconds that they wait: a write of each line would cost more than the line. Half
 * of what a pipe holds, so that there is room for the next ones.
 */
const enough = 32 * 1024
const patience = 100
/** Characters that may wait for whoever reads the log. Beyond them lines are dropped: no request is to wait for it. */
const most = 4 * 1024 * 1024
/** Milliseconds until a full pipe is tried again. */
const pause = 50
/** How often, when the process ends. */
const lastTries = 20

export interface Lines {
  /** `urgent`: it doesn't wait for others. */
  readonly write: (entry: string, urgent?: boolean) => void
  /** Writes what is left, when the process is about to end. */
  readonly flush: () => void
}

/**
 * Lines for a file descriptor, off the path of requests. A slow reader gets the number of the lines that it has missed
 * instead of stopping the gateway.
 */
export function createLines(descriptor: number, clock: Clock): Lines {
  let waiting = ''
  let missed = 0
  /** What is being written. */
  let busy: Buffer | undefined
  let stopTimer: (() => void) | undefined
  /** Whether something of what waits is urgent. */
  let hurried = false

  function add(entry: string, urgent = false): void {
    if (waiting.length > most) {
      missed++
      return
    }
    if (missed > 0) {
      waiting += `${missed} lines of the log were dropped: nobody took them\n`
      missed = 0
    }
    waiting += `${entry}\n`
    hurried ||= urgent
    schedule()
  }

  function schedule(): void {
    if (busy || waiting === '') return
    if (hurried || waiting.length > enough) start()
    else stopTimer ??= clock.after(patience, start)
  }

  function start(): void {
    stopTimer?.()
    stopTimer = undefined
    if (busy || waiting === '') return
    busy = Buffer.from(waiting)
    waiting = ''
    hurried = false
    go(busy)
  }

  function go(bytes: Buffer): void {
    write(descriptor, bytes, (error, written) => {
      if (error && error.code !== 'EAGAIN') {
        busy = undefined
        return
      }
      const rest = bytes.subarray(written)
      busy = rest.length > 0 ? rest : undefined
      // What came meanwhile waits for more, or each write would be followed by one of a few lines.
      if (busy === undefined) schedule()
      else if (error) clock.after(pause, () => busy && go(busy))
      else go(busy)
    })
  }

  function flush(): void {
    stopTimer?.()
    stopTimer = undefined
    // A thread of its own is writing this: it gets the time for it.
    if (busy) Atomics.wait(sleeper, 0, 0, pause)
    let bytes = Buffer.from(waiting)
    waiting = ''
    for (let tries = 0; bytes.length > 0 && tries < lastTries; tries++) {
      try {
        bytes = bytes.subarray(writeSync(descriptor, bytes))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return
        Atomics.wait(sleeper, 0, 0, pause / 10)
      }
    }
  }

  return { write: add, flush }
}

const sleeper = new Int32Array(new SharedArrayBuffer(4))
