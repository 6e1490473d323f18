import type { Clock } from '../core/clock.ts'
import { StoreError, type TransactionalDatabase } from './database.ts'
import { checkAmounts, Grant, type Take } from './grant.ts'
import { forgive, Leases, writeOff } from './leases.ts'
import { Looks } from './looks.ts'
import type { Company, Granted, Hold, Meter, MeterBook, Meters, Reading, Refused } from './meters.ts'
import { Reaper } from './reaper.ts'
import type { Shortage, Verdict } from './round.ts'
import { Rounds } from './rounds.ts'
import { haveRoom, type Slice, SliceBook } from './slice.ts'

export interface SlicedOptions {
  readonly clock: Clock
  /** Names this process among all that use the database. */
  readonly owner: string
  /** Is told what was booked for requests that nobody settled, in nano-dollars. */
  readonly lost?: (amount: number) => void
  /** Is told, at the end, what was spent of budgets beyond what was leased and could not be told to the store. */
  readonly untold?: (amount: number) => void
  /** Milliseconds between two flushes: how long the store may not know what was spent. */
  readonly flushMs?: number
  /** Milliseconds until a refused request looks again. */
  readonly lookMs?: number
  /** Milliseconds between two signs of life, and how many of them may be missing before a process is taken for dead. */
  readonly beatMs?: number
  readonly patience?: number
}

/**
 * Meters that many processes share in one database. Each leases a slice ahead, so that most requests are granted in
 * memory, and tells the store later what was spent. Spent and held together never exceed the limit, whoever dies when:
 * what a dead process had leased is booked as spent, and told as lost.
 */
export class SlicedMeters implements Meters, MeterBook, Company {
  readonly #database: TransactionalDatabase
  readonly #clock: Clock
  readonly #flushMs: number
  readonly #lookMs: number
  readonly #beatMs: number
  readonly #owner: string
  readonly #lost: ((amount: number) => void) | undefined
  readonly #untold: ((amount: number) => void) | undefined
  readonly #book = new SliceBook()
  readonly #rounds: Rounds
  readonly #looks: Looks
  readonly #reaper: Reaper
  readonly #granting = {
    take: ((slices, amounts) => {
      checkAmounts(amounts)
      const verdict = this.#take(slices, amounts)
      return verdict instanceof Promise ? verdict.then((said) => !said) : !verdict
    }) satisfies Take<Slice>,
    settled: (slices: readonly Slice[]) => this.#settled(slices),
  }
  #stirred: Slice[] = []
  #flushing: (() => void) | undefined
  #beating: (() => void) | undefined
  /** Whether it tells others that it lives: before, it only looks. */
  #joined = false
  #looking = false
  #closed = false

  constructor(database: TransactionalDatabase, options: SlicedOptions) {
    const { clock, owner, lost, patience = 15 } = options
    this.#database = database
    this.#clock = clock
    this.#owner = owner
    this.#lost = lost
    this.#untold = options.untold
    this.#flushMs = options.flushMs ?? 50
    this.#lookMs = options.lookMs ?? 100
    this.#beatMs = options.beatMs ?? 1_000
    this.#looks = new Looks(clock, this.#lookMs)
    this.#reaper = new Reaper({ database, clock, owner, patience, lost })
    this.#rounds = new Rounds({
      ...{ database, leases: new Leases(owner), clock },
      all: () => this.#book.all(),
      over: (slices) => this.#rested(slices),
    })
  }

  /** By which the store knows this process. */
  get owner(): string {
    return this.#owner
  }

  /** Books what another process had leased that is known to be dead. Rejects with a `StoreError`. */
  bury(owner: string): Promise<void> {
    return this.#reaper.bury(owner)
  }

  reserve(holds: readonly Hold[]): Granted | Refused | Promise<Granted | Refused> {
    const slices = this.#book.of(holds)
    const amounts = new Array<number>(holds.length)
    let same = true
    for (let index = 0; index < holds.length; index++) {
      const { meter, amount } = holds[index] as Hold
      const slice = slices[index] as Slice
      amounts[index] = amount
      if (slice.limit === meter.limit) continue
      slice.limit = meter.limit
      slice.dry.until = 0
      same = false
    }
    checkAmounts(amounts)
    const verdict = this.#take(slices, amounts, same)
    if (verdict === undefined) return new Grant(slices, amounts, this.#granting)
    const answer = (said: Verdict) => (said ? refused(holds, said) : new Grant(slices, amounts, this.#granting))
    return verdict instanceof Promise ? this.#later(slices, verdict.then(answer)) : answer(verdict)
  }

  spend(holds: readonly Hold[], used: readonly number[]): void {
    const nothing = holds.map(() => 0)
    new Grant(this.#book.of(holds), nothing, this.#granting).settle(used)
  }

  /** Looks for processes that have died, from now on, also while this one has nothing leased. */
  watch(): void {
    if (!this.#closed && !this.#beating) this.#liveIn(this.#beatMs)
  }

  join(): void {
    if (this.#closed || this.#joined) return
    this.#joined = true
    // Others may come at the same time.
    this.#rounds.shared = true
    if (!this.#looking) this.#liveIn(0)
  }

  get alone(): boolean {
    return !this.#rounds.shared
  }

  async read({ subject, window }: Pick<Meter, 'subject' | 'window'>): Promise<Reading> {
    await this.flush()
    const sql = 'SELECT spent, held, lost FROM meters WHERE subject = ?1 AND since = ?2'
    const [row] = await this.#database.all(sql, [subject, window])
    return { spent: Number(row?.spent ?? 0), held: Number(row?.held ?? 0), lost: Number(row?.lost ?? 0) }
  }

  async forgive(meter: Pick<Meter, 'subject' | 'window'>): Promise<void> {
    await this.#database.transaction((inside) => forgive(inside, meter))
  }

  /** Resolves once the store knows what was settled before, or has failed to take it: then it is told later. */
  flush(): Promise<void> {
    return this.#rounds.tell(this.#stirred.filter(({ spent }) => spent > 0))
  }

  /**
   * Gives all back, and books what requests still hold as lost: nobody waits for them any more. Never rejects: where the
   * store fails, another process does the same later.
   */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#looks.finish()
    this.#closed = true
    this.#flushing?.()
    this.#beating?.()
    const slices = [...this.#book.all(), ...this.#stirred]
    for (const slice of slices) {
      slice.taken = 0
      slice.recent = 0
    }
    await this.#rounds.tell(slices)
    const now = Math.floor(this.#clock.now())
    const leave = this.#database.transaction((inside) => writeOff(inside, this.#owner, now))
    const lost = await leave.catch(() => 0)
    if (lost > 0) this.#lost?.(lost)
    // Whoever finds its lease books only that.
    const untold = [...new Set(slices)].reduce((sum, { over, returns }) => sum + (returns ? 0 : over), 0)
    if (untold > 0) this.#untold?.(untold)
  }

  /** Undefined: all of them are taken. */
  #take(slices: readonly Slice[], amounts: readonly number[], quick = true): Verdict | Promise<Verdict> {
    if (quick && !this.#closed && haveRoom(slices, amounts)) {
      for (let index = 0; index < slices.length; index++) slices[index]?.take(amounts[index] as number)
      return undefined
    }
    return this.#dry(slices, amounts) ?? this.#ask(slices, amounts)
  }

  /** Whether as much was refused a moment ago, and nobody can give anything back. */
  #dry(slices: readonly Slice[], amounts: readonly number[]): Shortage | undefined {
    for (const [index, { dry, room }] of slices.entries()) {
      const short = (amounts[index] as number) - room
      if (short >= dry.short && dry.until > this.#clock.now()) return { ...dry, index, short, final: true }
    }
    return undefined
  }

  #ask(slices: readonly Slice[], needs: readonly number[]): Promise<Verdict> {
    if (this.#closed) return Promise.reject(new StoreError('the meters are closed'))
    this.join()
    const { promise, resolve, reject } = Promise.withResolvers<Verdict>()
    const look = (again: boolean) =>
      this.#rounds.ask({
        ...{ slices, needs, again, fail: reject },
        answer(verdict) {
          if (!verdict || again || verdict.final || !wait(verdict)) resolve(verdict)
        },
      })
    const wait = (shortage: Shortage) => this.#looks.wait(slices[shortage.index] as Slice, shortage, () => look(true))
    // Where others wait for as much, there is no need to ask before they do.
    const known = this.#awaited(slices, needs)
    if (!known) look(false)
    else if (!wait(known)) resolve(known)
    return promise.then((verdict) => this.#remembered(slices, verdict))
  }

  #awaited(slices: readonly Slice[], needs: readonly number[]): Shortage | undefined {
    for (const [index, slice] of slices.entries()) {
      const shortage = this.#looks.at(slice)
      if (shortage && (needs[index] as number) - slice.room >= shortage.short) return { ...shortage, index }
    }
    return undefined
  }

  #remembered(slices: readonly Slice[], verdict: Verdict): Verdict {
    const slice = verdict?.final && slices[verdict.index]
    if (slice) slice.dry = { ...verdict, until: this.#clock.now() + this.#lookMs }
    return verdict
  }

  /** Keeps the slices until it is known what becomes of them. */
  async #later<T>(slices: readonly Slice[], answer: Promise<T>): Promise<T> {
    for (const slice of slices) slice.users++
    try {
      return await answer
    } finally {
      for (const slice of slices) slice.users--
    }
  }

  #settled(slices: readonly Slice[]): void {
    if (this.#closed) return
    this.#stir(slices)
    // Requests at once: the client's next one may come to another process.
    if (this.#rounds.shared && slices.some(({ returns }) => returns)) {
      void this.#rounds.tell(slices.filter(({ returns }) => returns))
    }
  }

  #stir(slices: readonly Slice[]): void {
    for (const slice of slices) {
      if (slice.stirred) continue
      slice.stirred = true
      this.#stirred.push(slice)
    }
    this.#flushing ??= this.#clock.after(this.#flushMs, () => this.#flush())
  }

  #flush(): void {
    this.#flushing = undefined
    const slices = this.#stirred
    this.#stirred = []
    for (const slice of slices) {
      slice.stirred = false
      slice.recent = slice.taken
      slice.taken = 0
    }
    const { shared } = this.#rounds
    const isDue = ({ spent, room, idle }: Slice) => spent > 0 || (room > 0 && (idle || shared))
    this.#rested(slices.filter((slice) => !isDue(slice)))
    const due = slices.filter(isDue)
    if (due.length > 0) void this.#rounds.tell(due)
  }

  /** Those that have still something to tell or to give back do so at the next flush. */
  #rested(slices: readonly Slice[]): void {
    const stirring = slices.filter(({ spent, room }) => spent + room > 0)
    if (stirring.length > 0 && !this.#closed) this.#stir(stirring)
    this.#book.drop(slices)
  }

  #liveIn(ms: number): void {
    this.#beating?.()
    this.#beating = this.#clock.after(ms, () => this.#live())
  }

  async #live(): Promise<void> {
    const joined = this.#joined
    this.#looking = true
    if (joined) await this.#rounds.beat()
    try {
      this.#rounds.shared = (await this.#reaper.look()) > 0
    } catch {
      // The store fails for requests too, and they tell.
      this.#rounds.shared = true
    }
    this.#looking = false
    if (!this.#closed) this.#liveIn(joined === this.#joined ? this.#beatMs : 0)
  }
}

function refused(holds: readonly Hold[], { index, left }: Shortage): Refused {
  return { granted: false, meter: (holds[index] as Hold).meter, left }
}
