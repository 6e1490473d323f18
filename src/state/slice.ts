import type { Account } from './grant.ts'
import type { Hold, Meter } from './meters.ts'

/**
 * What this process has of one meter. What the store believes that it has is always what is free, what is held, and what
 * was spent meanwhile, except for `over`.
 */
export class Slice implements Account {
  readonly meter: Pick<Meter, 'subject' | 'window'>
  readonly returns: boolean
  limit: number
  /** Leased, and free. */
  room = 0
  /** By requests that aren't settled. */
  held = 0
  /** Since the store was told. */
  spent = 0
  /** Of `spent`, what nobody had leased: somebody used more than was held. */
  over = 0
  users = 0
  /** Whether the store is to be told something, or to get something back. */
  stirred = false
  /** What was taken since the last flush, and between the one before and that. */
  taken = 0
  recent = 0
  /** How often others found too little, as of the last look into the store. */
  asks: number | undefined
  /** What was refused because of what is spent: until then whoever is short of as much needn't ask. */
  dry = { short: Number.POSITIVE_INFINITY, until: 0, left: 0 }

  constructor({ subject, window, limit, returns = false }: Meter) {
    this.meter = { subject, window }
    this.limit = limit
    this.returns = returns
  }

  take(amount: number): void {
    this.room -= amount
    this.held += amount
    this.taken += amount
  }

  settle(held: number, used: number): void {
    this.held -= held
    this.room += held
    if (this.returns) return
    this.spent += used
    const covered = Math.min(used, this.room)
    this.room -= covered
    this.over += used - covered
  }

  get idle(): boolean {
    return this.taken + this.recent === 0
  }

  /** Whether it can be forgotten: neither a request nor the store needs it. */
  get done(): boolean {
    return this.users === 0 && this.room + this.held + this.spent + this.over === 0
  }
}

/** Whether each has as much free. */
export function haveRoom(slices: readonly Slice[], amounts: readonly number[]): boolean {
  for (let index = 0; index < slices.length; index++)
    if ((slices[index] as Slice).room < (amounts[index] as number)) return false
  return true
}

/** Those of this process, by meter. */
export class SliceBook {
  /** By window, and subject: a name of both that is made for each request would have to be hashed each time. */
  readonly #windows = new Map<number, Map<string, Slice>>()

  /** In the order of the holds. */
  of(holds: readonly Hold[]): readonly Slice[] {
    const slices = new Array<Slice>(holds.length)
    for (let index = 0; index < holds.length; index++) {
      const slice = this.#of((holds[index] as Hold).meter)
      if (slices.includes(slice)) throw new RangeError('a request holds one meter twice')
      slices[index] = slice
    }
    return slices
  }

  *all(): Iterable<Slice> {
    for (const slices of this.#windows.values()) yield* slices.values()
  }

  drop(slices: Iterable<Slice>): void {
    for (const slice of slices) if (slice.done && !slice.stirred) this.#delete(slice.meter)
  }

  #of(meter: Meter): Slice {
    let slices = this.#windows.get(meter.window)
    const known = slices?.get(meter.subject)
    if (known) return known
    if (!slices) {
      slices = new Map()
      this.#windows.set(meter.window, slices)
    }
    const slice = new Slice(meter)
    slices.set(meter.subject, slice)
    return slice
  }

  #delete({ window, subject }: Slice['meter']): void {
    const slices = this.#windows.get(window)
    if (slices?.delete(subject) && slices.size === 0) this.#windows.delete(window)
  }
}
