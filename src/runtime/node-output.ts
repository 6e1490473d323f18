import { constants, fstatSync, openSync, write, writeSync } from 'node:fs'
import type { Clock } from '../core/clock.ts'

/**
 * Bytes that are gathered, and milliseconds that they wait: a write of each line would cost more than the line. Half of
 * what a pipe holds, so that there is room for the next ones.
 */
const enough = 32 * 1024
const patience = 100
/** Of a block, which has room for the line that makes it enough. */
const usual = 2 * enough
/** Bytes that may wait for whoever reads the log. Beyond them lines are dropped: no request is to wait for it. */
const most = 4 * 1024 * 1024
/** Milliseconds until a full pipe is tried again. */
const pause = 50
/** How often, when the process ends. */
const lastTries = 20

const lineBreak = 10

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
  const pipe = openPipe(descriptor)
  /** Bytes at once: as a text, what waits would be copied by the garbage collector, and joined piece by piece. */
  let block: Buffer = Buffer.allocUnsafe(usual)
  let size = 0
  let spare: Buffer | undefined
  let missed = 0
  /** What is being written. */
  let busy: Buffer | undefined
  /** Whether that waits for a reader. */
  let isFull = false
  let stopTimer: (() => void) | undefined
  /** Whether something of what waits is urgent. */
  let hurried = false

  function add(entry: string, urgent = false): void {
    if (size > most) {
      missed++
      return
    }
    if (missed > 0) put(`${missed} lines of the log were dropped: nobody took them`)
    missed = 0
    put(entry)
    hurried ||= urgent
    schedule()
  }

  function put(line: string): void {
    // A UTF-16 unit has three bytes at most.
    const room = line.length * 3 + 1
    if (size + room > block.length) block = grown(block, size + room)
    size += block.write(line, size)
    block[size++] = lineBreak
  }

  function schedule(): void {
    if (busy || size === 0) return
    if (hurried || size > enough) start()
    else stopTimer ??= clock.after(patience, start)
  }

  function start(): void {
    stopTimer?.()
    stopTimer = undefined
    if (busy || size === 0) return
    const taken = block
    const bytes = taken.subarray(0, size)
    block = spare ?? Buffer.allocUnsafe(usual)
    spare = undefined
    size = 0
    hurried = false
    go(bytes, () => {
      if (taken.length === usual) spare = taken
    })
  }

  function go(bytes: Buffer, done: () => void): void {
    busy = bytes
    isFull = false
    writeTo(bytes, (error, written) => {
      const rest = bytes.subarray(written)
      busy = rest.length > 0 ? rest : undefined
      if (error && error.code !== 'EAGAIN') busy = undefined
      if (error && busy) {
        isFull = true
        clock.after(pause, () => busy && go(busy, done))
      } else if (busy) go(busy, done)
      else {
        done()
        // What came meanwhile waits for more, or each write would be followed by one of a few lines.
        if (!error) schedule()
      }
    })
  }

  function writeTo(bytes: Buffer, told: (error: NodeJS.ErrnoException | null, written: number) => void): void {
    if (pipe === undefined) {
      write(descriptor, bytes, told)
      return
    }
    let written = 0
    let failure: NodeJS.ErrnoException | null = null
    try {
      written = writeSync(pipe, bytes)
    } catch (error) {
      failure = error as NodeJS.ErrnoException
    }
    told(failure, written)
  }

  function flush(): void {
    stopTimer?.()
    stopTimer = undefined
    // A thread of its own is writing this: it gets the time for it.
    if (busy && !isFull) Atomics.wait(sleeper, 0, 0, pause)
    let bytes = Buffer.concat([...(busy && isFull ? [busy] : []), block.subarray(0, size)])
    busy = undefined
    size = 0
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

/**
 * The same pipe, opened once more so that a write to a full one says so instead of waiting: then it needs no thread, which
 * costs several times the write. Undefined: it is none, or can't be opened so.
 */
function openPipe(descriptor: number): number | undefined {
  try {
    if (!fstatSync(descriptor).isFIFO()) return undefined
    return openSync(`/proc/self/fd/${descriptor}`, constants.O_WRONLY | constants.O_NONBLOCK)
  } catch {
    return undefined
  }
}

function grown(block: Buffer, least: number): Buffer {
  const larger = Buffer.allocUnsafe(Math.max(least, block.length * 2))
  block.copy(larger)
  return larger
}

const sleeper = new Int32Array(new SharedArrayBuffer(4))
