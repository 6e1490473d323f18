import { createConnection, type Socket } from 'node:net'

/** A request as bytes, written to the socket as they are: the client must cost less than what it measures. */
export function requestBytes(path: string, body: string, headers: Record<string, string> = {}): Buffer {
  const lines = Object.entries({ host: 'bench', 'content-type': 'application/json', ...headers })
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const bytes = Buffer.from(body)
  return Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\n${head}content-length: ${bytes.length}\r\n\r\n`), bytes])
}

export interface PlainResult {
  readonly requests: number
  readonly errors: number
  /** Microseconds, sorted. */
  readonly latencies: Float64Array
}

/** Sends `request` over `connections` kept-alive sockets, one at a time on each, for `ms`. */
export async function loadPlain(port: number, request: Buffer, connections: number, ms: number): Promise<PlainResult> {
  const until = performance.now() + ms
  const latencies: number[] = []
  let errors = 0
  const lane = () =>
    new Promise<void>((done) => {
      const socket = createConnection({ port, host: '127.0.0.1', noDelay: true })
      let started = 0
      let reader = new ResponseReader()
      const send = () => {
        started = performance.now()
        reader = new ResponseReader()
        socket.write(request)
      }
      socket.on('connect', send)
      socket.on('data', (bytes: Buffer) => {
        if (!reader.read(bytes)) return
        const now = performance.now()
        if (reader.status === 200) latencies.push((now - started) * 1000)
        else errors++
        if (now < until) send()
        else socket.end()
      })
      socket.on('error', () => errors++)
      socket.on('close', () => done())
    })
  await Promise.all(Array.from({ length: connections }, lane))
  return { requests: latencies.length, errors, latencies: Float64Array.from(latencies).sort() }
}

/** Tells when a response is whole, by its length or its last chunk; reads no more of it than that. */
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
        this.#head = all
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

export interface StreamResult {
  readonly streams: number
  readonly errors: number
  /** Chunks that carried a time stamp. */
  readonly chunks: number
  /** Microseconds from the request to the first stamped chunk, sorted. */
  readonly firsts: Float64Array
  /** Microseconds from the upstream's write to this read, sorted. */
  readonly delays: Float64Array
  /** The longest time between two chunks of one stream, in milliseconds. */
  readonly longestGap: number
}

/** Opens `count` streams at once and reads them to their end. */
export async function loadStreams(port: number, request: Buffer, count: number): Promise<StreamResult> {
  const firsts: number[] = []
  const delays: number[] = []
  let errors = 0
  let longestGap = 0
  const one = () =>
    new Promise<void>((done) => {
      const socket: Socket = createConnection({ port, host: '127.0.0.1', noDelay: true })
      const started = performance.now()
      let last = 0
      let finished = false
      socket.on('connect', () => socket.write(request))
      socket.on('data', (bytes: Buffer) => {
        const now = process.hrtime.bigint() / 1000n
        const text = bytes.toString('latin1')
        for (const match of text.matchAll(/"t(\d+) "/g)) {
          delays.push(Number(now - BigInt(match[1] ?? 0)))
          const at = performance.now()
          if (last === 0) firsts.push((at - started) * 1000)
          else longestGap = Math.max(longestGap, at - last)
          last = at
        }
        if (text.includes('[DONE]') || text.includes('"done":true')) finished = true
        if (finished && text.endsWith('0\r\n\r\n')) socket.end()
      })
      socket.on('error', () => errors++)
      socket.on('close', () => {
        if (!finished) errors++
        done()
      })
    })
  await Promise.all(Array.from({ length: count }, one))
  const sorted = (values: number[]) => Float64Array.from(values).sort()
  return { streams: count, errors, chunks: delays.length, firsts: sorted(firsts), delays: sorted(delays), longestGap }
}

/** The value below which `share` of the sorted values lie. */
export function quantile(sorted: Float64Array | number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
