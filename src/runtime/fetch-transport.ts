import type { Transport } from '../core/call.ts'
import type { Clock } from '../core/clock.ts'
import type { Signal } from '../core/signal.ts'
import { type ByteSink, type ByteStream, concat, Pump } from '../core/stream.ts'
import { GatewayError } from '../wire/errors.ts'
import { Carrying } from './carrying.ts'

/** Sends requests through `fetch`: the only client on Workers. */
export function createFetchTransport(send: typeof fetch, clock: Clock): Transport {
  return async function transport(request, signal) {
    signal.throwIfAborted()
    // A real one, and not that of the incoming request, which is ignored for subrequests on Workers.
    const abort = new AbortController()
    signal.addEventListener('abort', () => abort.abort(signal.reason))
    const response = await send(request.url, {
      method: request.method,
      headers: request.headers,
      ...(request.method === 'POST' && { body: concat(request.body) as Uint8Array<ArrayBuffer> }),
      redirect: 'manual',
      signal: abort.signal,
    }).catch((error: unknown) => {
      throw signal.aborted ? signal.reason : unreachable(error, request.url)
    })
    const headers: Record<string, string> = {}
    response.headers.forEach((value, name) => {
      headers[name] = value
    })
    return { status: response.status, headers, body: new FetchBody(response, signal, clock) }
  }
}

/** A body that nobody reads until somebody says how: piece by piece, all at once, or carried by the runtime. */
class FetchBody implements ByteStream {
  #body: ReadableStream<Uint8Array> | null
  readonly #response: Response
  readonly #signal: Signal
  readonly #clock: Clock
  #reading: Reading | undefined
  #carrying: Carrying | undefined

  constructor(response: Response, signal: Signal, clock: Clock, body = response.body) {
    this.#response = response
    this.#body = body
    this.#signal = signal
    this.#clock = clock
  }

  get native(): ReadableStream<Uint8Array> | undefined {
    return (!this.#reading && this.#body) || undefined
  }

  fork(): ByteStream | undefined {
    if (!this.#body || this.#reading) return undefined
    const [original, copy] = this.#body.tee()
    this.#body = copy
    return new FetchBody(this.#response, this.#signal, this.#clock, original)
  }

  pipe(sink: ByteSink): void {
    const rest = sink.carry && this.#reading?.leave()
    if (rest) this.#carrying = new Carrying(rest, sink, { signal: this.#signal, clock: this.#clock, brokenOff })
    else {
      this.#reading ??= new Reading(this.#body, this.#signal)
      this.#reading.pump.pipe(sink)
    }
  }

  pause(): void {
    this.#reading?.pump.pause()
  }

  resume(): void {
    this.#reading?.pump.resume()
  }

  cancel(reason: unknown): void {
    if (this.#carrying) this.#carrying.cancel(reason)
    else if (this.#reading) this.#reading.pump.cancel(reason)
    else void this.#body?.cancel(reason).catch(() => {})
  }

  whole(limit: number): Promise<Uint8Array> | undefined {
    // Told in advance and kept to by the runtime: no need to count. Others are read piece by piece.
    const { headers } = this.#response
    // Of a compressed body it is the compressed length.
    if (headers.has('content-encoding')) return undefined
    if (!(Number(headers.get('content-length') ?? Number.NaN) <= limit)) return undefined
    return this.#response.arrayBuffer().then(
      (buffer) => new Uint8Array(buffer),
      (error) => {
        throw this.#signal.aborted ? this.#signal.reason : brokenOff(error)
      },
    )
  }
}

/** Reads a body piece by piece, no faster than its pump's reader takes it. */
class Reading {
  readonly pump: Pump
  readonly #body: ReadableStream<Uint8Array> | null
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  #wake: (() => void) | undefined
  #paused = false
  #over = false

  constructor(body: ReadableStream<Uint8Array> | null, signal: Signal) {
    this.#body = body
    this.#reader = body?.getReader()
    this.pump = new Pump({
      pause: () => {
        this.#paused = true
      },
      resume: () => {
        this.#paused = false
        this.#wake?.()
      },
      cancel: (reason) => this.#stop(reason),
    })
    const onAbort = () => {
      this.pump.break(signal.reason)
      this.#stop(signal.reason)
    }
    signal.addEventListener('abort', onAbort)
    // The client may have left between the answer's coming and its being read: nobody would tell again.
    if (signal.aborted) onAbort()
    this.#run()
      .catch((error: unknown) => this.pump.break(signal.aborted ? signal.reason : brokenOff(error)))
      .finally(() => signal.removeEventListener('abort', onAbort))
  }

  /** Leaves the rest of the body to somebody else; only while it waits, as then no read is under way. */
  leave(): ReadableStream<Uint8Array> | undefined {
    if (!this.#body || !this.#wake || !this.pump.isEmpty) return undefined
    this.#over = true
    this.#wake()
    this.#reader?.releaseLock()
    return this.#body
  }

  async #run(): Promise<void> {
    while (this.#reader && !this.#over) {
      if (this.#paused) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
        this.#wake = undefined
        continue
      }
      const { done, value } = await this.#reader.read()
      if (done) break
      this.pump.push(value)
    }
    if (!this.#over) this.pump.finish()
  }

  #stop(reason: unknown): void {
    this.#over = true
    this.#wake?.()
    void this.#reader?.cancel(reason).catch(() => {})
  }
}

function unreachable(error: unknown, url: string): GatewayError {
  return new GatewayError('network', `The upstream at ${new URL(url).host} can't be reached.`, { cause: error })
}

function brokenOff(error: unknown): GatewayError {
  return new GatewayError('network', 'The connection to the upstream broke.', {
    cause: error,
    code: 'upstream_stream_truncated',
  })
}
