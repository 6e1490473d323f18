import type { Clock } from '../../core/clock.ts'
import { Abort } from '../../core/signal.ts'
import { delivered } from './delivery.ts'
import type { Sent } from './send.ts'
import type { BatchSettings } from './settings.ts'
import type { SpanBatch } from './span-batch.ts'
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
  /** Makes an empty batch. */
  readonly batch: () => SpanBatch
  /** Sends a batch. */
  readonly send: (body: Uint8Array<ArrayBuffer>) => Promise<Sent>
}

/** Spans on their way to a collector, in batches. */
export class SpanQueue {
  readonly #options: QueueOptions
  readonly #hurry = new Abort()
  /** Batches in order; the last one may get more spans. */
  #batches: SpanBatch[] = []
  /** Spans in all of them. */
  #waiting = 0
  #stopTimer: (() => void) | undefined
  #working: Promise<void> | undefined

  constructor(options: QueueOptions) {
    this.#options = options
  }

  /** Has `count` spans written, each to the batch that it is given; none of them where too many wait. */
  add(count: number, write: (next: () => SpanBatch) => void): void {
    const { batches, troubles } = this.#options
    if (this.#waiting + count > batches.waiting) troubles.add(count, 'takes them too slowly')
    else {
      write(this.#next)
      this.#waiting += count
    }
  }

  #next = (): SpanBatch => {
    const { batches, batch: make } = this.#options
    let batch = this.#batches.at(-1)
    if (!batch || batch.size >= batches.most) {
      batch = make()
      this.#batches.push(batch)
    }
    return batch
  }

  #take(): SpanBatch | undefined {
    const batch = this.#batches.shift()
    this.#waiting = this.#batches.reduce((sum, { size }) => sum + size, 0)
    return batch
  }

  /** Sends what is there, soon. For runtimes on which work goes on between requests. */
  start(): void {
    if (this.#working || this.#waiting === 0) return
    const { clock, batches } = this.#options
    if (this.#waiting >= batches.most) this.#begin()
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
    if (this.#waiting < batches.most) {
      await new Promise<void>((resolve) => void clock.after(Math.min(batches.delay, shortDelay), resolve))
    }
    while (this.#waiting > 0) await this.#sendOne(3, shortest)
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
    if (this.#waiting > 0) troubles.add(this.#drop(), 'did not take them in time')
    troubles.tell()
  }

  /** How many spans are given up. */
  #drop(): number {
    const dropped = this.#waiting
    this.#batches = []
    this.#waiting = 0
    return dropped
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
    while (this.#waiting >= this.#options.batches.most || (this.#hurry.aborted && this.#waiting > 0))
  }

  async #sendOne(most: number, patience?: number): Promise<void> {
    const { send, clock, random, troubles } = this.#options
    const batch = this.#take()
    if (!batch) return
    const body = batch.take()
    const ways = { clock, random, most, hurry: this.#hurry, ...(patience !== undefined && { patience }) }
    const sent = await delivered(() => send(body), ways)
    // Where it wasn't taken, some of it may still be on its way.
    if (sent.taken) batch.release?.()
    if (!sent.taken) troubles.add(batch.size, sent.why)
    else if (sent.rejected > 0) troubles.add(sent.rejected, `refused them${sent.said ? `: ${sent.said}` : ''}`)
    else if (sent.said) troubles.add(0, `says: ${sent.said}`)
  }
}
