import { isTooFast, Rates } from '../accounts/rates.ts'
import type { Clock } from '../core/clock.ts'
import type { Reading } from '../state/meters.ts'
import type {
  AskedExtension,
  AskedHold,
  AskedSettlement,
  AskedTake,
  MeterMethods,
  MeterName,
  ToldTake,
} from './asked.ts'
import type { ObjectStorage } from './bindings.ts'
import { ObjectTables } from './object-tables.ts'

export interface MeterBookOptions {
  readonly storage: ObjectStorage
  readonly clock: Pick<Clock, 'now'>
  /** Is told what was booked for requests that nobody settled, in nano-dollars. */
  readonly lost: (amount: number) => void
}

/** Milliseconds for which a request that was taken for dead may still tell what it has used. */
const patience = 24 * 60 * 60 * 1000

/**
 * The limits and meters of a project, a key or a model, in an object that decides alone: meters in its storage, limits a minute in memory. What
 * a request holds is leased until it settles; whoever doesn't in time is taken for dead, and all of it for spent.
 */
export async function openMeterBook({ storage, clock, lost }: MeterBookOptions) {
  const rates = new Rates(clock)
  const tables = new ObjectTables(storage)
  const now = () => Math.floor(clock.now())
  let alarm = await storage.getAlarm()

  function wake(at: number): void {
    if (alarm !== null && alarm <= at) return
    alarm = at
    void storage.setAlarm(at)
  }

  /** Undefined: there is enough of each. */
  function shortage(holds: readonly AskedHold[]): ToldTake['short'] {
    for (const [at, { meter, amount }] of holds.entries()) {
      const { spent, held } = tables.read(meter)
      const left = meter.limit - spent - held
      if (left < amount) return { at, left: Math.max(0, left) }
    }
    return undefined
  }

  /** Undefined: all of them were leased. */
  function hold({ id, holds, lease, again }: AskedTake): ToldTake['short'] {
    if (again && tables.leasesOf(id).length > 0) return undefined
    const short = shortage(holds)
    if (short) return short
    const ends = now() + lease
    for (const [place, { meter, amount }] of holds.entries()) {
      const { subject, window, returns = false } = meter
      tables.add(meter, { held: amount })
      tables.lease({ id, place, subject, window, held: amount, returns }, ends)
    }
    return undefined
  }

  function take(asked: AskedTake): ToldTake {
    const taken = rates.take(asked.takes)
    if (isTooFast(taken))
      return { levels: rates.levels(asked.takes), slow: { at: asked.takes.indexOf(taken.take), wait: taken.wait } }
    const short = asked.holds.length === 0 ? undefined : storage.transactionSync(() => hold(asked))
    if (short) rates.settle(taken, { requests: 0, tokens: 0 })
    else if (asked.holds.length > 0) wake(now() + asked.lease)
    return { levels: rates.levels(asked.takes), ...(short && { short }) }
  }

  function extend({ id, more, limits, lease }: AskedExtension): boolean {
    const leases = tables.leasesOf(id)
    if (leases.length === 0 || leases.some(({ isLost }) => isLost)) return false
    const holds = leases.map(({ subject, window, place }) => {
      return { meter: { subject, window, limit: limits[place] as number }, amount: more[place] as number }
    })
    if (shortage(holds)) return false
    for (const [place, one] of leases.entries()) {
      const amount = more[place] as number
      tables.add(one, { held: amount })
      tables.lease({ ...one, held: one.held + amount }, now() + lease)
    }
    return true
  }

  function settle({ id, used, back }: AskedSettlement): void {
    const leases = tables.leasesOf(id)
    // It was settled before, and that answer was lost.
    if (used.length > 0 && leases.length === 0) return
    for (const one of leases) {
      const said = Math.ceil(used[one.place] ?? 0)
      // What is no amount is the most that it can have been.
      const amount = Number.isSafeInteger(said) && said >= 0 ? said : one.held
      const spent = one.returns ? 0 : amount
      if (!one.isLost) {
        tables.add(one, { held: -one.held, spent })
        continue
      }
      // As far as nobody has forgiven it.
      const booked = Math.min(one.held, tables.read(one).lost)
      tables.add(one, { spent: spent - booked, lost: -booked })
    }
    tables.release(id)
    for (const { take, amount } of back) rates.giveBack(take, amount)
  }

  /** Books what requests hold that are taken for dead. Returns how much that was. */
  function writeOff(): number {
    let sum = 0
    for (const one of tables.ended(now())) {
      const amount = one.returns ? 0 : one.held
      tables.add(one, { held: -one.held, spent: amount, lost: amount })
      tables.lose(one, now() + patience)
      sum += amount
    }
    tables.forget(now())
    return sum
  }

  function forgive(meter: MeterName): void {
    const { lost } = tables.read(meter)
    tables.add(meter, { spent: -lost, lost: -lost })
  }

  const methods: MeterMethods = {
    take,
    extend: (asked) => storage.transactionSync(() => extend(asked)),
    settle: (asked) => storage.transactionSync(() => settle(asked)),
    read: (meter): Reading => tables.read(meter),
    forgive: (meter) => storage.transactionSync(() => forgive(meter)),
  }
  return {
    ask: (method: string, given: unknown): unknown => methods[method as 'read'](given as MeterName),
    alarm(): void {
      const sum = storage.transactionSync(writeOff)
      alarm = null
      const next = tables.nextEnd
      if (next !== undefined) wake(next)
      if (sum > 0) lost(sum)
    },
  }
}
