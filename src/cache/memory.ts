import type { Clock } from '../core/clock.ts'
import type { Answers, Keeping, Stored } from './answers.ts'

/** What an entry takes beside its body, in bytes: about. */
const perEntry = 512

interface Entry extends Keeping {
  readonly answer: Stored
  readonly size: number
}

/** Answers in the memory of one process. Beyond `maxBytes` those go first that were not asked for the longest. */
export class MemoryAnswers implements Answers {
  /** The first one is the one that was not asked for the longest. */
  readonly #entries = new Map<string, Entry>()
  readonly #clock: Pick<Clock, 'now'>
  readonly #maxBytes: number
  #bytes = 0

  constructor(clock: Pick<Clock, 'now'>, maxBytes: number) {
    this.#clock = clock
    this.#maxBytes = maxBytes
  }

  /** Of all entries. */
  get bytes(): number {
    return this.#bytes
  }

  get(id: string): Stored | undefined {
    const entry = this.#entries.get(id)
    if (!entry) return undefined
    this.#entries.delete(id)
    if (entry.until <= this.#clock.now()) {
      this.#bytes -= entry.size
      return undefined
    }
    this.#entries.set(id, entry)
    return entry.answer
  }

  put(id: string, answer: Stored, { tenant, until }: Keeping): void {
    this.#delete(id)
    const size = answer.body.length + perEntry
    if (size > this.#maxBytes) return
    // A view would keep all of what it is a view of.
    const body = answer.body.length < answer.body.buffer.byteLength ? answer.body.slice() : answer.body
    this.#entries.set(id, { answer: { ...answer, body }, tenant, until, size })
    this.#bytes += size
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#maxBytes) break
      this.#delete(oldest)
    }
  }

  async drop(tenant?: string): Promise<void> {
    for (const [id, entry] of this.#entries) if (tenant === undefined || entry.tenant === tenant) this.#delete(id)
  }

  async flush(): Promise<void> {}

  #delete(id: string): void {
    this.#bytes -= this.#entries.get(id)?.size ?? 0
    this.#entries.delete(id)
  }
}
