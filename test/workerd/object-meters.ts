import { env } from 'cloudflare:workers'
import { Rates } from '../../src/accounts/rates.ts'
import { type Clock, systemClock } from '../../src/core/clock.ts'
import type { Objects } from '../../src/workers/bindings.ts'
import { ObjectLimiter } from '../../src/workers/object-limiter.ts'
import type { MeterPlace } from '../state/meters-suite.ts'
import type { AnyMeters } from '../support/holds.ts'

export const objects = env.METERS as unknown as Objects

let places = 0

/** One object, which all members ask, each as an isolate of its own would. */
export async function objectPlace(): Promise<MeterPlace> {
  const name = `place-${++places}`
  return {
    join: async () => metersOf(limiterOf(name)),
    close: async () => {},
  }
}

/** A limiter for which every key has the object of that name. */
export function limiterOf(name: string, clock: Clock = systemClock): ObjectLimiter {
  const only: Objects = { getByName: () => objects.getByName(name) }
  return new ObjectLimiter({ objects: only, clock, rates: new Rates(clock), newId: () => crypto.randomUUID() })
}

/** What of a limiter are meters. */
function metersOf(limiter: ObjectLimiter): AnyMeters {
  return {
    async read(meter) {
      await limiter.flush()
      return await limiter.read(meter)
    },
    forgive: (meter) => limiter.forgive(meter),
    reserve(holds) {
      const outcome = limiter.take({ key: 'a', takes: [], holds })
      return outcome instanceof Promise ? outcome.then(grantOf) : grantOf(outcome)
    },
  }
}

function grantOf(outcome: Awaited<ReturnType<ObjectLimiter['take']>>) {
  if ('wait' in outcome) throw new Error('nothing was asked of limits a minute')
  if (!outcome.granted) return outcome
  return { ...outcome, settle: (used: readonly number[]) => outcome.settle({ requests: 0, tokens: 0 }, used) }
}
