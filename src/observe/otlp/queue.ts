import type { Clock } from '../../core/clock.ts'
import { Abort } from '../../core/signal.ts'
import { delivered } from './delivery.ts'
import type { Sent } from './send.ts'
import type { BatchSettings } from './settings.ts'
import type { Troubles } from './troubles.ts'

/** Milliseconds that spans wait for others where they can only do so while a request's work goes on. */
const shortDelay = 1_000
/** How often a batch is sent. */
const tries = 5
/** Milliseconds: where only requests keep the work alive, which is for half a minute at most. */
const shortest = 5_000

export interface QueueOptions {
  readonly clock: Clock
  readonly random: () => number
  readonly batches: BatchSettings
  readonly troubles: Troubles
  /** Sends spans, each as JSON. */
  readonly send: (spans: readonly string[]) => Promise<Sent>
}

/** Spans on their way to a collector, in batches. */
export class SpanQueue {
  readonly #options: QueueOptions
  readonly #hurry = new Abort()
  #waiting: string[] = []
  #stopTimer: (() => void) | undefined
  #working: Promise<void> | undefined

  constructor(options: QueueOptions) {
    this.#options = options
  }

  add(spans: readonly string[]): void {
    const { batches, troubles } = this.#options
    if (this.#waiting.length + spans.length > batches.waiting) troubles.add(spans.length, 'takes them too slowly')
    else for (const span of spans) this.#waiting.push(span)
  }

  /** Sends what is there, soon. For runtimes on which work goes on between requests. */
  start(): void {
    if (this.#working || this.#waiting.length === 0) return
    const { clock, batches } = this.#options
    if (this.#waiting.length >= batches.most) this.#begin()
    else {
      this.#stopTimer ??= clock.after(batches.delay, () => {
        this.#stopTimer = undefined
        this.#begin()
      })
    }
  }

  /**
   * Sends what is there, and resolves once that is done. For runtimes on which work belongs to a request: each call waits
   * for itself, and sends what others have left until then.
   */
  async settle(): Promise<void> {
    const { clock, batches } = this.#options
    if (this.#waiting.length < batches.most) {
      await new Promise<void>((resolve) => void clock.after(Math.min(batches.delay, shortDelay), resolve))
    }
    while (this.#waiting.length > 0) await this.#sendOne(3, shortest)
  }

  /** Sends all that is left, each but once, and resolves when that is done, or after `ms`. */
  async close(ms: number): Promise<void> {
    const { clock, troubles } = this.#options
    this.#stopTimer?.()
    this.#hurry.abort(new Error('The process ends.'))
    const late = Promise.withResolvers<void>()
    const cancel = clock.after(ms, late.resolve)
    this.#begin()
    await Promise.race([this.#working, late.promise])
    cancel()
    if (this.#waiting.length > 0) troubles.add(this.#waiting.splice(0).length, 'did not take them in time')
    troubles.tell()
  }

  /** One batch after the other. */
  #begin(): void {
    this.#stopTimer?.()
    this.#stopTimer = undefined
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined
      this.start()
    })
  }

  async #work(): Promise<void> {
    do await this.#sendOne(tries)
    while (this.#waiting.length >= this.#options.batches.most || (this.#hurry.aborted && this.#waiting.length > 0))
  }

  async #sendOne(most: number, patience?: number): Promise<void> {
    const { send, clock, random, troubles, batches } = this.#options
    const spans = this.#waiting.splice(0, batches.most)
    if (spans.length === 0) return
    const ways = { clock, random, most, hurry: this.#hurry, ...(patience !== undefined && { patience }) }
    const sent = await delivered(() => send(spans), ways)
    if (!sent.taken) troubles.add(spans.length, sent.why)
    else if (sent.rejected > 0) troubles.add(sent.rejected, `refused them${sent.said ? `: ${sent.said}` : ''}`)
    else if (sent.said) troubles.add(0, `says: ${sent.said}`)
  }
}
