import { Bucket } from '../accounts/bucket.ts'
import type { Needs } from '../accounts/limiter.ts'
import { type RateKind, type Take, type Taken, type TooFast, unused } from '../accounts/rates.ts'
import type { Clock } from '../core/clock.ts'
import { StoreError } from '../state/database.ts'
import type { Hold, Refused } from '../state/meters.ts'
import type { AskedTake, MeterMethods, ToldTake } from './asked.ts'
import type { ObjectStub, Objects } from './bindings.ts'
import { objectOf, objectOfKey } from './object-names.ts'

/** What a request needs of one object. */
export interface Part {
  readonly object: string
  readonly takes: Take[]
  readonly holds: Hold[]
  /** Where each hold stands among all of the request. */
  readonly places: number[]
}

/**
 * What a request needs of each object, in the order in which they are asked: that of its key first, so that who has used up
 * its own limits takes nothing of what others share, and that of a model last.
 */
export function partsOf({ key, takes, holds }: Needs): readonly Part[] {
  const parts = new Map<string, Part>()
  const partOf = (object: string): Part => {
    const part = parts.get(object) ?? { object, takes: [], holds: [], places: [] }
    parts.set(object, part)
    return part
  }
  partOf(objectOfKey(key))
  for (const [place, hold] of holds.entries()) {
    const part = partOf(objectOf(hold.meter.subject, key))
    part.holds.push(hold)
    part.places.push(place)
  }
  for (const take of takes) partOf(objectOf(take.subject, key)).takes.push(take)
  return [...parts.values()].filter(({ takes, holds }) => takes.length + holds.length > 0)
}

export interface LeaseOptions {
  readonly objects: Objects
  readonly clock: Clock
  /** Makes names of leases that nobody else makes. */
  readonly newId: () => string
  /** Milliseconds that a request may last before it is taken for dead. */
  readonly lease: number
}

type Asked = { readonly [M in keyof MeterMethods]: Parameters<MeterMethods[M]>[0] }
type Told = { readonly [M in keyof MeterMethods]: ReturnType<MeterMethods[M]> }

/** Milliseconds until what a request has used is told again, where that failed. */
const waits = [100, 400, 1_600]

/** What one object has granted to a request, until it is settled. */
export class ObjectLease {
  readonly #part: Part
  readonly #options: LeaseOptions
  readonly #id: string
  readonly #object: ObjectStub
  readonly taken: readonly Taken<Bucket>[]

  constructor(
    part: Part,
    options: LeaseOptions,
    told: { id: string; object: ObjectStub; taken: readonly Taken<Bucket>[] },
  ) {
    this.#part = part
    this.#options = options
    this.#id = told.id
    this.#object = told.object
    this.taken = told.taken
  }

  /** `more`: of all that the request holds. */
  async extend(more: readonly number[]): Promise<boolean> {
    const { holds } = this.#part
    const own = this.#own(more)
    if (own.every((amount) => amount === 0)) return true
    const limits = holds.map(({ meter }) => meter.limit)
    return await ask(this.#object, 'extend', { id: this.#id, more: own, limits, lease: this.#options.lease })
  }

  /** Never rejects: what can't be told is booked when the lease ends. `amounts`: of all that the request holds. */
  async settle(used: Readonly<Record<RateKind, number>>, amounts: readonly number[]): Promise<void> {
    const { takes, holds, object } = this.#part
    const back = takes.map((take) => ({ take, amount: unused(take, used) })).filter(({ amount }) => amount !== 0)
    if (holds.length + back.length === 0) return
    const told = { id: this.#id, used: this.#own(amounts), back }
    // Without a lease nobody could tell a second time from the first.
    const tries = holds.length === 0 ? [] : waits
    try {
      return await ask(this.#object, 'settle', told)
    } catch {}
    for (const wait of tries) {
      await new Promise<void>((over) => this.#options.clock.after(wait, over))
      try {
        return await ask(this.#options.objects.getByName(object), 'settle', told)
      } catch {}
    }
  }

  #own(amounts: readonly number[]): readonly number[] {
    return this.#part.places.map((place) => amounts[place] ?? 0)
  }
}

/** Asks an object for all that is needed of it, or nothing. */
export async function leaseOf(part: Part, options: LeaseOptions): Promise<ObjectLease | TooFast | Refused> {
  const { object, takes, holds } = part
  const { objects, clock, newId, lease } = options
  const asked: AskedTake = { id: newId(), takes, holds: holds.map(plain), lease }
  const stub = objects.getByName(object)
  const [told, by] = await ask(stub, 'take', asked).then(
    (told) => [told, stub] as const,
    async () => {
      // It may have been restarted. What broke has broken its stub, too.
      const another = objects.getByName(object)
      return [await ask(another, 'take', { ...asked, again: true }), another] as const
    },
  )
  const taken = takes.map((take, at) => ({ take, bucket: new Bucket(take.limit, clock.now(), told.levels[at]) }))
  return refusalOf(told, part, taken) ?? new ObjectLease(part, options, { id: asked.id, object: by, taken })
}

/** Without what the account knows besides. */
function plain({ meter: { subject, window, limit, returns = false }, amount }: Hold): AskedTake['holds'][number] {
  return { meter: { subject, window, limit, returns }, amount }
}

function refusalOf({ slow, short }: ToldTake, { takes, holds }: Part, all: readonly Taken[]) {
  if (short) return { granted: false, meter: (holds[short.at] as Hold).meter, left: short.left } as const
  if (!slow) return undefined
  const take = takes[slow.at] as Take
  const left = all.find((taken) => taken.take === take)?.bucket.left(0) ?? 0
  return { take, wait: slow.wait, left, all }
}

export async function ask<M extends keyof MeterMethods>(
  object: ObjectStub,
  method: M,
  given: Asked[M],
): Promise<Told[M]> {
  try {
    return (await object.ask(method, given)) as Told[M]
  } catch (cause) {
    throw new StoreError(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}
