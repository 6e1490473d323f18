import { closeSteps, discardStream, isPending, type PendingStream, type StreamBody } from '../core/answer.ts'
import type { Abort } from '../core/signal.ts'
import { type ByteSink, gap, gapTime, type Step } from '../core/stream.ts'
import { GatewayError } from '../wire/errors.ts'
import { Carrying, type Doubled } from './carrying.ts'
import type { EdgeOptions } from './edge.ts'
import { FetchSource } from './fetch-source.ts'
import { beatUntil, type Flow, flow, SilenceTimer } from './flow.ts'
import { WriteTimeout } from './write-timeout.ts'

/** Bytes in flight to the client above which the source is paused. */
const highWater = 64 * 1024
/** Milliseconds between two silence checks while the runtime pipes a stream, since its bytes are seen late. */
const carriedLook = 1_000

/** Writes a stream to a response as it arrives, or lets the runtime pipe it where no step needs every byte. */
export class Delivery implements ByteSink {
  readonly #writable: WritableStream<Uint8Array>
  readonly #client: Abort
  readonly #options: EdgeOptions
  readonly #timeout: WriteTimeout
  /** Undefined until our code writes, and while the runtime pipes the stream. */
  #writer: WritableStreamDefaultWriter<Uint8Array> | undefined
  #flow: Flow | undefined
  #unsent = 0
  #paused = false
  #left = false
  #finish: () => void = () => {}

  constructor(writable: WritableStream<Uint8Array>, client: Abort, options: EdgeOptions) {
    this.#writable = writable
    this.#client = client
    this.#options = options
    const giveUp = () => {
      void this.#feed()
        .abort(new Error('The client takes nothing.'))
        .catch(() => {})
      this.#leave('The client takes nothing.')
    }
    this.#timeout = new WriteTimeout(options.clock, options.writeTimeout, () => this.#unsent, giveUp)
  }

  /** Resolves when everything was sent or the client has left. */
  run(body: StreamBody | PendingStream): Promise<void> {
    return new Promise((resolve) => {
      this.#finish = resolve
      if (!isPending(body)) return this.#follow(body)
      const { late, stop } = beatUntil(body, this.#options.clock, (bytes) => this.chunk(bytes))
      this.#client.addEventListener('abort', stop)
      void late.then(({ opening, stream }) => {
        this.chunk(opening)
        this.#follow(stream)
      })
    })
  }

  chunk(bytes: Uint8Array): void {
    if (this.#left) return
    this.#unsent += bytes.length
    if (this.#unsent > highWater && !this.#paused) {
      this.#paused = true
      this.#timeout.start()
      this.#flow?.pause()
    }
    this.#feed()
      .write(bytes)
      .then(
        () => this.#sent(bytes.length),
        (reason) => this.#leave(reason),
      )
  }

  end(): void {
    const over = this.#writer ? this.#writer.close() : this.#writable.close()
    over.then(
      () => this.#over(),
      (reason) => this.#leave(reason),
    )
  }

  fail(error: unknown): void {
    const over = this.#writer ? this.#writer.abort(error) : this.#writable.abort(error)
    over.then(
      () => this.#over(),
      (reason) => this.#leave(reason),
    )
  }

  #follow(stream: StreamBody): void {
    if (this.#left) return void discardStream(stream)
    const doubled = canBeCarried(stream) ? stream.source.doubled() : undefined
    if (doubled) return void this.#carry(doubled, stream.steps)
    this.#flow = flow(stream, this, this.#options.clock)
    if (this.#paused) this.#flow.pause()
  }

  async #carry(stream: Doubled, steps: readonly Step[]): Promise<void> {
    const { clock } = this.#options
    const watching = steps.filter(({ carried }) => carried === 'watch')
    const timers = watching.flatMap(({ silence }) =>
      silence ? [new SilenceTimer(silence, clock, () => {}, carriedLook)] : [],
    )
    const watches = watching.flatMap(({ watch }) => watch ?? [])
    for (const timer of timers) timer.start()
    const writer = this.#writer
    this.#writer = undefined
    writer?.releaseLock()
    const ending = await new Carrying(stream, watches, this.#options).run(this.#writable).catch(() => undefined)
    for (const timer of timers) timer.stop()
    closeSteps(steps)
    if (this.#left) return
    if (!ending) return void this.#leave('The client takes nothing.')
    const last = watches.map((watch) => watch.ended?.(ending)).filter((bytes) => bytes !== undefined)
    for (const bytes of last.flat()) {
      if (bytes === gap) await new Promise<void>((resolve) => clock.after(gapTime, resolve))
      else this.chunk(bytes)
    }
    if (ending.failure && last.length === 0) this.fail(ending.failure.error)
    else this.end()
  }

  #feed(): WritableStreamDefaultWriter<Uint8Array> {
    if (this.#writer) return this.#writer
    const writer = this.#writable.getWriter()
    // A released writer's `closed` rejects too, just as when the reader leaves.
    writer.closed.catch((reason) => this.#writer === writer && this.#leave(reason))
    this.#writer = writer
    return writer
  }

  #sent(bytes: number): void {
    this.#unsent -= bytes
    if (!this.#paused || this.#unsent > highWater) return
    this.#paused = false
    this.#timeout.stop()
    this.#flow?.resume()
  }

  #leave(reason: unknown): void {
    if (this.#left) return
    // Cancel before the abort: the error that the abort causes must not be written to a client that has left.
    this.#flow?.cancel(reason)
    this.#over()
    this.#client.abort(new GatewayError('gone', 'The client left.'))
  }

  #over(): void {
    this.#left = true
    this.#timeout.stop()
    this.#finish()
  }
}

/** Whether the runtime can send the stream by itself: it comes from `fetch`, and no step needs every byte. */
function canBeCarried(stream: StreamBody): stream is StreamBody & { readonly source: FetchSource } {
  return stream.source instanceof FetchSource && stream.steps.every(({ carried }) => carried !== 'never')
}

/** The native stream, if no step inspects it. */
export function untouched(stream: StreamBody): ReadableStream<Uint8Array> | undefined {
  const carried = canBeCarried(stream) && stream.steps.every(({ carried, over }) => carried === 'skip' && !over)
  return carried ? stream.source.native() : undefined
}
