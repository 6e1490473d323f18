import type { ServerResponse } from 'node:http'
import type { Pace } from './requests.ts'

interface Stream {
  readonly response: ServerResponse
  readonly pace: Pace
  readonly started: number
  /** Makes a chunk that contains the time when it is written. */
  readonly chunk: (stamp: string) => string
  readonly end: () => void
  written: number
}

const running = new Set<Stream>()
let ticking: NodeJS.Timeout | undefined

/**
 * Writes one chunk per pace, each at its scheduled time: a late one does not delay the next. All streams share one
 * timer, since a timer per chunk costs as much as the chunk. Resolves when all chunks are written.
 */
export function writePaced(response: ServerResponse, pace: Pace, chunk: Stream['chunk']): Promise<void> {
  response.flushHeaders()
  return new Promise((end) => {
    const stream = { response, pace, chunk, end, started: performance.now(), written: 0 }
    running.add(stream)
    advance(stream, stream.started)
    if (running.size > 0) ticking ??= setInterval(tick, 1)
  })
}

function tick(): void {
  const now = performance.now()
  for (const stream of running) advance(stream, now)
  if (running.size > 0) return
  clearInterval(ticking)
  ticking = undefined
}

function advance(stream: Stream, now: number): void {
  const { response, pace, started, chunk } = stream
  while (!response.destroyed && stream.written < pace.chunks && started + stream.written * pace.step <= now) {
    writeChunk(response, chunk(stampOf()))
    stream.written++
  }
  if (!response.destroyed && stream.written < pace.chunks) return
  running.delete(stream)
  stream.end()
}

/** Writes a framed chunk to the socket: `response.write` takes twice as long, and waits for the end of the tick. */
function writeChunk({ socket }: ServerResponse, text: string): void {
  socket?.write(`${text.length.toString(16)}\r\n${text}\r\n`, 'latin1')
}

/** Microseconds since the machine started, on the same clock in every process. */
function stampOf(): string {
  return `t${process.hrtime.bigint() / 1000n} `
}
