import type { Answer } from '../core/answer.ts'
import type { Call, Upstream } from '../core/call.ts'
import type { Clock } from '../core/clock.ts'
import { Abort } from '../core/signal.ts'
import type { AttemptRecord, Trace } from '../core/trace.ts'
import type { RequestBody } from '../wire/body.ts'
import { GatewayError } from '../wire/errors.ts'

/** Exchanges of one request at a time: more would take an upstream from its other clients. */
const concurrent = 4

/** One of the exchanges that a request is shared out among. */
export interface Part {
  readonly body: RequestBody
  readonly routed: RequestBody | undefined
}

/** The exchanges of one request: they are stopped together, and told apart in the trace. */
export class Exchanges {
  readonly parts: readonly Part[]
  /** How many of them to begin with. */
  readonly first: number
  readonly #next: Upstream
  readonly #call: Call
  readonly #clock: Clock
  readonly #started: number
  readonly #traces: readonly Trace[]
  readonly #abort = new Abort()
  readonly #leave = () => this.#abort.abort(this.#call.signal.reason)
  /** That of the first one that failed. */
  #failed: Trace | undefined

  constructor(next: Upstream, call: Call, parts: readonly Part[], clock: Clock) {
    this.parts = parts
    this.first = Math.min(concurrent, parts.length)
    this.#next = next
    this.#call = call
    this.#clock = clock
    this.#started = clock.now()
    this.#traces = parts.map(() => ({ ...call.trace, attempts: [...call.trace.attempts] }))
    if (call.signal.aborted) this.#leave()
    call.signal.addEventListener('abort', this.#leave)
  }

  get failed(): boolean {
    return this.#failed !== undefined
  }

  async open(at: number): Promise<Answer> {
    const trace = this.#traces[at] as Trace
    try {
      return await this.#next({ ...this.#call, ...(this.parts[at] as Part), trace, signal: this.#abort })
    } catch (failure) {
      this.#failed ??= trace
      throw failure
    }
  }

  /** What the stream of one part says, for whoever it is charged to. */
  reads(at: number, part: AttemptRecord['part']): void {
    const attempt = this.#traces[at]?.attempts.at(-1)
    if (attempt && part) attempt.part = part
  }

  stop(reason: unknown): void {
    this.#abort.abort(reason)
  }

  /** The client's leaving concerns none of them any more. */
  over(): void {
    this.#call.signal.removeEventListener('abort', this.#leave)
  }

  /**
   * Adds the attempts of one part to the call's, where they stand for those of all, which are no further ones: the part
   * that failed, or that needed most. The last of them is that of the whole request.
   */
  note(): void {
    const { trace } = this.#call
    const { attempts, dropped } = this.#failed ?? this.#traces.reduce(longer)
    if (dropped) trace.dropped = dropped
    const own = attempts.slice(trace.attempts.length)
    const last = own.pop()
    trace.attempts.push(...own)
    const ms = this.#clock.now() - this.#started
    if (last) trace.attempts.push({ ...last, parts: this.parts.length, ms })
  }
}

function longer(one: Trace, other: Trace): Trace {
  return other.attempts.length > one.attempts.length ? other : one
}

export function stopped(): GatewayError {
  return new GatewayError('gone', 'Another part of the same request failed.', { reason: 'shared' })
}
