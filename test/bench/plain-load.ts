import { openSocket } from './sockets.ts'

export interface PlainResult {
  readonly requests: number
  readonly errors: number
  /** In microseconds, sorted. */
  readonly latencies: Float64Array
}

/**
 * Sends `request` repeatedly for `ms` over `connections` keep-alive sockets, one at a time on each. A function makes each
 * one anew.
 */
export async function loadPlain(
  port: number,
  request: Buffer | (() => Buffer),
  connections: number,
  ms: number,
): Promise<PlainResult> {
  const next = typeof request === 'function' ? request : () => request
  const until = performance.now() + ms
  const latencies: number[] = []
  let errors = 0
  const lane = () =>
    new Promise<void>((done) => {
      let started = 0
      let asked = true
      let reader = new ResponseReader()
      const send = () => {
        started = performance.now()
        reader = new ResponseReader()
        socket.write(next())
      }
      const socket = openSocket(port, (bytes) => {
        if (!reader.read(bytes)) return
        const now = performance.now()
        if (reader.status === 200) latencies.push((now - started) * 1000)
        else errors++
        asked = now < until
        if (asked) send()
        else socket.end()
      })
      socket.on('connect', send)
      socket.on('close', () => {
        if (asked) errors++
        done()
      })
    })
  await Promise.all(Array.from({ length: connections }, lane))
  return { requests: latencies.length, errors, latencies: Float64Array.from(latencies).sort() }
}

/** Detects the end of a response, by its length or its last chunk, and parses nothing else. */
class ResponseReader {
  status = 0
  #head: Buffer | undefined = Buffer.alloc(0)
  #left = 0
  #chunked = false

  read(bytes: Buffer): boolean {
    if (this.#head) {
      const all = this.#head.length > 0 ? Buffer.concat([this.#head, bytes]) : bytes
      const end = all.indexOf('\r\n\r\n')
      if (end < 0) {
        // The next read overwrites the buffer.
        this.#head = Buffer.from(all)
        return false
      }
      const head = all.toString('latin1', 0, end).toLowerCase()
      this.#head = undefined
      this.status = Number(head.slice(9, 12))
      this.#chunked = head.includes('transfer-encoding: chunked')
      this.#left = Number(/content-length: (\d+)/.exec(head)?.[1] ?? 0)
      return this.#body(all.subarray(end + 4))
    }
    return this.#body(bytes)
  }

  #body(bytes: Buffer): boolean {
    if (this.#chunked) return bytes.length >= 5 && bytes.toString('latin1', bytes.length - 5) === '0\r\n\r\n'
    this.#left -= bytes.length
    return this.#left <= 0
  }
}
