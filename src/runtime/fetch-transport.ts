import type { Transport } from '../core/call.ts'
import type { Clock } from '../core/clock.ts'
import type { Signal } from '../core/signal.ts'
import { type ByteSink, type ByteStream, concat, type Fork, Pump } from '../core/stream.ts'
import { GatewayError } from '../wire/errors.ts'
import { Carrying, type CarryOptions } from './carrying.ts'

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

/** A body that nobody reads until somebody says how: piece by piece, all at once, or by a fork. */
class FetchBody implements ByteStream {
  readonly #response: Response
  readonly #signal: Signal
  readonly #clock: Clock
  #pump: Pump | undefined

  constructor(response: Response, signal: Signal, clock: Clock) {
    this.#response = response
    this.#signal = signal
    this.#clock = clock
  }

  fork(): Fork | undefined {
    const [whole, read] = this.#response.body?.tee() ?? []
    if (!whole || !read) return undefined
    this.#pump = pumpOf(read, this.#signal)
    return new BodyFork(whole, this.#pump, { signal: this.#signal, clock: this.#clock, brokenOff })
  }

  pipe(sink: ByteSink): void {
    this.#pump ??= pumpOf(this.#response.body, this.#signal)
    this.#pump.pipe(sink)
  }

  pause(): void {
    this.#pump?.pause()
  }

  resume(): void {
    this.#pump?.resume()
  }

  cancel(reason: unknown): void {
    if (this.#pump) this.#pump.cancel(reason)
    else void this.#response.body?.cancel(reason).catch(() => {})
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

/** All of a body, of which a copy is being read. */
class BodyFork implements Fork {
  readonly #whole: ReadableStream<Uint8Array>
  readonly #copy: Pump
  readonly #options: CarryOptions
  #carrying: Carrying | undefined

  constructor(whole: ReadableStream<Uint8Array>, copy: Pump, options: CarryOptions) {
    this.#whole = whole
    this.#copy = copy
    this.#options = options
  }

  untouched(): ByteStream {
    const whole = this.#whole
    const { signal } = this.#options
    this.#copy.cancel('Enough was seen.')
    let pump: Pump | undefined
    return {
      native: whole,
      pause: () => pump?.pause(),
      resume: () => pump?.resume(),
      cancel: (reason) => (pump ? pump.cancel(reason) : this.cancel(reason)),
      pipe(sink) {
        if (sink.carry) {
          sink.carry(whole).then(
            () => sink.end(),
            (error) => sink.fail(brokenOff(error)),
          )
        } else {
          pump ??= pumpOf(whole, signal)
          pump.pipe(sink)
        }
      },
    }
  }

  carry(sink: ByteSink, opening: readonly Uint8Array[]): void {
    this.#carrying = new Carrying({ whole: this.#whole, copy: this.#copy, sink, opening }, this.#options)
  }

  cancel(reason: unknown): void {
    this.#carrying?.stop()
    // Whoever carries it ends with whom it is carried to.
    if (!this.#whole.locked) void this.#whole.cancel(reason).catch(() => {})
  }
}

function pumpOf(body: ReadableStream<Uint8Array> | null, signal: Signal): Pump {
  const reader = body?.getReader()
  let wake: (() => void) | undefined
  let paused = false
  let over = false
  const pump = new Pump({
    pause() {
      paused = true
    },
    resume() {
      paused = false
      wake?.()
    },
    cancel(reason) {
      over = true
      wake?.()
      void reader?.cancel(reason).catch(() => {})
    },
  })
  const onAbort = () => {
    pump.break(signal.reason)
    over = true
    void reader?.cancel(signal.reason).catch(() => {})
  }
  signal.addEventListener('abort', onAbort)
  // The client may have left between the answer's coming and its being read: nobody would tell again.
  if (signal.aborted) onAbort()

  const run = async () => {
    while (reader && !over) {
      if (paused) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
        continue
      }
      const { done, value } = await reader.read()
      if (done) break
      pump.push(value)
    }
    if (!over) pump.finish()
  }
  run()
    .catch((error: unknown) => pump.break(signal.aborted ? signal.reason : brokenOff(error)))
    .finally(() => signal.removeEventListener('abort', onAbort))
  return pump
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
