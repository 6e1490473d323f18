import type { Account } from './grant.ts'
import type { Hold, Meter } from './meters.ts'

/**
 * What this process has of one meter. What the store believes that it has is always what is free, what is held, and what
 * was spent meanwhile, except for `over`.
 */
export class Slice implements Account {
  readonly name: string
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

  constructor(name: string, { subject, window, limit, returns = false }: Meter) {
    this.name = name
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

/** Those of this process, by meter. */
export class SliceBook {
  readonly #slices = new Map<string, Slice>()

  /** In the order of the holds. */
  of(holds: readonly Hold[]): readonly Slice[] {
    const slices = holds.map(({ meter }) => this.#of(meter))
    if (new Set(slices).size < slices.length) throw new RangeError('a request holds one meter twice')
    return slices
  }

  all(): Iterable<Slice> {
    return this.#slices.values()
  }

  drop(slices: Iterable<Slice>): void {
    for (const slice of slices) if (slice.done && !slice.stirred) this.#slices.delete(slice.name)
  }

  #of(meter: Meter): Slice {
    const name = `${meter.window} ${meter.subject}`
    const known = this.#slices.get(name)
    if (known) return known
    const slice = new Slice(name, meter)
    this.#slices.set(name, slice)
    return slice
  }
}
