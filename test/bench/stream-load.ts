import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import type { Pace } from './requests.ts'
import { openSocket } from './sockets.ts'

export interface StreamResult {
  /** Streams that broke or never ended. */
  readonly errors: number
  /** Chunks with a time stamp. */
  readonly chunks: number
  /** Those of them that arrived by the time when all are due. */
  readonly inTime: number
  /** Reads that contained a chunk: fewer than chunks if some arrived together. */
  readonly reads: number
  /** Microseconds from the upstream's write to our read, sorted. */
  readonly delays: Float64Array
  /** The longest times between two chunks of one stream in milliseconds: as read here, and as written upstream. */
  readonly longestGap: number
  readonly longestUpstreamGap: number
  /** The most that such a time grew between the upstream and here, in milliseconds. */
  readonly longestHoldUp: number
  /** The longest time in milliseconds that this process could not read. */
  readonly longestStall: number
}

/** Opens `count` streams over 50 paces, so that they are also out of phase, and reads them to the end. */
export async function loadStreams(port: number, request: Buffer, count: number, pace: Pace): Promise<StreamResult> {
  const stalls = monitorEventLoopDelay({ resolution: 1 })
  stalls.enable()
  const readers = await Promise.all(
    Array.from({ length: count }, async (_, at) => {
      await wait((at * 50 * pace.step) / count)
      return await readStream(port, request, pace)
    }),
  )
  stalls.disable()
  const sum = (figure: (reader: ChunkReader) => number) => readers.reduce((all, reader) => all + figure(reader), 0)
  const longest = (figure: (reader: ChunkReader) => number) => Math.max(...readers.map(figure)) / 1000
  return {
    errors: readers.filter(({ finished }) => !finished).length,
    chunks: sum(({ delays }) => delays.length),
    inTime: sum(({ inTime }) => inTime),
    reads: sum(({ reads }) => reads),
    delays: Float64Array.from(readers.flatMap(({ delays }) => delays)).sort(),
    longestGap: longest((reader) => reader.longestGap),
    longestUpstreamGap: longest((reader) => reader.longestUpstreamGap),
    longestHoldUp: longest((reader) => reader.longestHoldUp),
    longestStall: stalls.max / 1_000_000,
  }
}

function readStream(port: number, request: Buffer, pace: Pace): Promise<ChunkReader> {
  const reader = new ChunkReader(pace)
  return new Promise((resolve) => {
    const socket = openSocket(port, (bytes) => {
      if (reader.read(bytes)) socket.end()
    })
    socket.on('connect', () => socket.write(request))
    socket.on('close', () => resolve(reader))
  })
}

export interface FirstsResult {
  readonly errors: number
  /** Microseconds from a request to its first chunk, sorted. */
  readonly firsts: Float64Array
}

/** Requests one stream after the other on one keep-alive socket, for `ms`. */
export function loadFirsts(port: number, request: Buffer, pace: Pace, ms: number): Promise<FirstsResult> {
  const until = performance.now() + ms
  const firsts: number[] = []
  let errors = 0
  let reader: ChunkReader
  let started = 0
  let asked = true
  return new Promise((resolve) => {
    const send = () => {
      reader = new ChunkReader(pace)
      started = now()
      socket.write(request)
    }
    const socket = openSocket(port, (bytes) => {
      if (!reader.read(bytes)) return
      firsts.push(reader.first - started)
      asked = performance.now() < until
      if (asked) send()
      else socket.end()
    })
    socket.on('connect', send)
    socket.on('close', () => {
      if (asked) errors++
      resolve({ errors, firsts: Float64Array.from(firsts).sort() })
    })
  })
}

/** Finds the chunks of one response and its end. Times are in microseconds. */
class ChunkReader {
  readonly delays: number[] = []
  first = 0
  reads = 0
  inTime = 0
  longestGap = 0
  longestUpstreamGap = 0
  longestHoldUp = 0
  finished = false
  #last = 0
  #lastWritten = 0
  #rest = ''
  #tail = ''
  readonly #pace: Pace

  constructor(pace: Pace) {
    this.#pace = pace
  }

  /** True when the response is complete. */
  read(bytes: Buffer): boolean {
    const at = now()
    const text = this.#rest + bytes.toString('latin1')
    // A line may continue in the next read.
    const end = text.lastIndexOf('\n') + 1
    this.#rest = text.slice(end)
    const before = this.delays.length
    for (const [, stamp] of text.slice(0, end).matchAll(/"t(\d+) "/g)) this.#take(at, Number(stamp))
    if (this.delays.length > before) this.reads++
    if (text.includes('[DONE]') || text.includes('"done":true')) this.finished = true
    this.#tail = (this.#tail + text).slice(-5)
    return this.finished && this.#tail === '0\r\n\r\n'
  }

  #take(at: number, written: number): void {
    this.delays.push(at - written)
    if (this.first === 0) this.first = at
    else {
      const gap = at - this.#last
      const upstreamGap = written - this.#lastWritten
      this.longestGap = Math.max(this.longestGap, gap)
      this.longestUpstreamGap = Math.max(this.longestUpstreamGap, upstreamGap)
      this.longestHoldUp = Math.max(this.longestHoldUp, gap - upstreamGap)
    }
    this.#last = at
    this.#lastWritten = written
    // The last chunk is due one pace before the end, and may be two paces late, like the longest gap.
    const { step, chunks } = this.#pace
    if (at <= this.first + (chunks + 1) * step * 1000) this.inTime++
  }
}

/** Microseconds since the machine started, on the same clock in every process. */
function now(): number {
  return Number(process.hrtime.bigint() / 1000n)
}
