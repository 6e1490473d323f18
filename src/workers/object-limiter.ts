import { Bucket } from '../accounts/bucket.ts'
import type { Allowance, Limiter, Needs } from '../accounts/limiter.ts'
import { isTooFast, type Rates, type Take, type Taken, type TooFast, unused } from '../accounts/rates.ts'
import type { Clock } from '../core/clock.ts'
import { StoreError } from '../state/database.ts'
import { checkAmounts } from '../state/grant.ts'
import type { Hold, MeterBook, Reading, Refused } from '../state/meters.ts'
import type { AskedSettlement, AskedTake, MeterMethods, MeterName, ToldTake } from './asked.ts'
import type { Defer, ObjectStub, Objects } from './bindings.ts'

export interface ObjectLimiterOptions {
  readonly objects: Objects
  readonly clock: Clock
  /** For the limits of models, which all keys share: no object has them, so each isolate counts for itself. */
  readonly rates: Rates
  /** Makes names of leases that nobody else makes. */
  readonly newId: () => string
  /** Has the runtime wait for what outlasts a request, also for one that nobody flushes. Absent: whoever flushes waits. */
  readonly defer?: Defer | undefined
  /**
   * Milliseconds that a request may last before it is taken for dead. If it lives, it puts that right when it is over.
   * Default 15 minutes.
   */
  readonly lease?: number
}

type Asked = { readonly [M in keyof MeterMethods]: Parameters<MeterMethods[M]>[0] }
type Told = { readonly [M in keyof MeterMethods]: ReturnType<MeterMethods[M]> }

/** Milliseconds. */
const usualLease = 15 * 60 * 1000
/** Milliseconds until what a request has used is told again, where that failed. */
const waits = [100, 400, 1_600]

/** Limits that Durable Objects keep, one for each key: a request asks its own for all that it needs, at once. */
export class ObjectLimiter implements Limiter, MeterBook {
  readonly #options: ObjectLimiterOptions
  readonly #lease: number
  #telling: Promise<void>[] = []

  constructor(options: ObjectLimiterOptions) {
    this.#options = options
    this.#lease = options.lease ?? usualLease
  }

  take({ key, takes, holds }: Needs): ReturnType<Limiter['take']> {
    const { rates } = this.#options
    checkAmounts(holds.map(({ amount }) => amount))
    const own = takes.filter((take) => !isShared(take))
    const shared = rates.take(takes.filter(isShared))
    if (isTooFast(shared)) return shared
    if (own.length + holds.length === 0) return this.#allowance({ key, takes: own, holds }, shared, [], undefined)
    return this.#takeOwn({ key, takes: own, holds }, shared)
  }

  /** Resolves once all that was settled before is told, or its lease is left to end. Never rejects. */
  async flush(): Promise<void> {
    const telling = this.#telling
    this.#telling = []
    await Promise.all(telling)
  }

  async read(meter: MeterName): Promise<Reading> {
    return await ask(this.#objectOf(keyOf(meter)), 'read', meter)
  }

  async forgive(meter: MeterName): Promise<void> {
    await ask(this.#objectOf(keyOf(meter)), 'forgive', meter)
  }

  async #takeOwn(needs: Needs, shared: readonly Taken[]): Promise<Allowance | TooFast | Refused> {
    const { rates, clock, newId } = this.#options
    const { key, takes, holds } = needs
    const asked: AskedTake = { id: newId(), takes, holds: holds.map(plain), lease: this.#lease }
    let isTaken = false
    try {
      const object = this.#objectOf(key)
      const [told, by] = await ask(object, 'take', asked).then(
        (told) => [told, object] as const,
        async () => {
          // It may have been restarted. What broke has broken its stub, too.
          const another = this.#objectOf(key)
          return [await ask(another, 'take', { ...asked, again: true }), another] as const
        },
      )
      const own = takes.map((take, at) => ({ take, bucket: new Bucket(take.limit, clock.now(), told.levels[at]) }))
      const refusal = refusalOf(told, needs, [...shared, ...own])
      if (refusal) return refusal
      isTaken = true
      return this.#allowance(needs, shared, own, { id: asked.id, object: by })
    } finally {
      if (!isTaken) rates.settle(shared, { requests: 0, tokens: 0 })
    }
  }

  #allowance(
    { key, holds }: Needs,
    shared: readonly Taken[],
    own: readonly Taken[],
    held: { readonly id: string; readonly object: ObjectStub } | undefined,
  ): Allowance {
    const { rates } = this.#options
    const limits = holds.map(({ meter }) => meter.limit)
    let isOver = false
    return {
      granted: true,
      taken: [...shared, ...own],
      extend: (more) => {
        checkAmounts(more)
        if (isOver) return false
        if (holds.length === 0 || !held) return true
        return ask(held.object, 'extend', { id: held.id, more, limits, lease: this.#lease })
      },
      settle: (used, amounts) => {
        if (isOver) return
        isOver = true
        rates.settle(shared, used)
        const back = own.map(({ take }) => ({ take, amount: unused(take, used) })).filter(({ amount }) => amount !== 0)
        if (!held || holds.length + back.length === 0) return
        const told = { id: held.id, used: holds.length === 0 ? [] : amounts, back }
        const telling = this.#settle(key, held.object, told)
        this.#options.defer?.(telling)
        this.#telling.push(telling)
      },
    }
  }

  /** Never rejects: what can't be told is booked when the lease ends. */
  async #settle(key: string, first: ObjectStub, told: AskedSettlement): Promise<void> {
    // Without a lease nobody could tell a second time from the first.
    const tries = told.used.length === 0 ? [] : waits
    try {
      return await ask(first, 'settle', told)
    } catch {}
    for (const wait of tries) {
      await new Promise<void>((over) => this.#options.clock.after(wait, over))
      try {
        return await ask(this.#objectOf(key), 'settle', told)
      } catch {}
    }
  }

  #objectOf(key: string): ObjectStub {
    return this.#options.objects.getByName(key)
  }
}

const isShared = ({ subject }: Take) => subject.startsWith('model:')

/** Whose a meter is: the part after its kind. */
const keyOf = ({ subject }: MeterName) => subject.slice(subject.indexOf(':') + 1)

/** Without what the account knows besides. */
function plain({ meter: { subject, window, limit, returns = false }, amount }: Hold): AskedTake['holds'][number] {
  return { meter: { subject, window, limit, returns }, amount }
}

function refusalOf({ slow, short }: ToldTake, { takes, holds }: Needs, all: readonly Taken[]) {
  if (short) return { granted: false, meter: (holds[short.at] as Hold).meter, left: short.left } as const
  if (!slow) return undefined
  const take = takes[slow.at] as Take
  const left = all.find((taken) => taken.take === take)?.bucket.left(0) ?? 0
  return { take, wait: slow.wait, left, all }
}

async function ask<M extends keyof MeterMethods>(object: ObjectStub, method: M, given: Asked[M]): Promise<Told[M]> {
  try {
    return (await object.ask(method, given)) as Told[M]
  } catch (cause) {
    throw new StoreError(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}
