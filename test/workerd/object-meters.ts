import { env } from 'cloudflare:workers'
import { systemClock } from '../../src/core/clock.ts'
import type { Objects } from '../../src/workers/bindings.ts'
import { ObjectLimiter } from '../../src/workers/object-limiter.ts'
import type { MeterPlace } from '../state/meters-suite.ts'
import type { AnyMeters } from '../support/holds.ts'

export const objects = env.METERS as unknown as Objects

let places = 0

/** Objects of one place's own, which all members ask, each as an isolate would. */
export async function objectPlace(): Promise<MeterPlace> {
  const place = `place-${++places}`
  return {
    join: async () => metersOf(limiterIn(place)),
    close: async () => {},
  }
}

/** A limiter whose objects no other place has, and that tells `asked` which it asks. */
export function limiterIn(place: string, asked: string[] = []): ObjectLimiter {
  return limiterFor({
    getByName(name) {
      const stub = objects.getByName(objectIn(place, name))
      return {
        ask(method, given) {
          asked.push(`${method} ${name}`)
          return stub.ask(method, given)
        },
      }
    },
  })
}

export const objectIn = (place: string, name: string) => `${place} ${name}`

const limiterFor = (objects: Objects) =>
  new ObjectLimiter({ objects, clock: systemClock, newId: () => crypto.randomUUID() })

/** What of a limiter are meters. */
function metersOf(limiter: ObjectLimiter): AnyMeters {
  return {
    async read(meter) {
      await limiter.flush()
      return await limiter.read(meter)
    },
    forgive: (meter) => limiter.forgive(meter),
    reserve: (holds) => limiter.take({ key: { id: 'a', project: 'a' }, takes: [], holds }).then(grantOf),
  }
}

function grantOf(outcome: Awaited<ReturnType<ObjectLimiter['take']>>) {
  if ('wait' in outcome) throw new Error('nothing was asked of limits a minute')
  if (!outcome.granted) return outcome
  return { ...outcome, settle: (used: readonly number[]) => outcome.settle({ requests: 0, tokens: 0 }, used) }
}
