import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import type { Allowance, Needs } from '../../src/accounts/limiter.ts'
import { systemClock } from '../../src/core/clock.ts'
import { budget, parallel } from '../support/holds.ts'
import { limiterOf } from './object-meters.ts'

const perMinute = (kind: 'requests' | 'tokens', limit: number, need: number, subject = 'key:a') => {
  return { subject, kind, limit, need } as const
}

/** Two isolates that ask the same object. */
const two = (name: string) => [limiterOf(name), limiterOf(name)] as const

async function taken(limiter: ReturnType<typeof limiterOf>, needs: Omit<Needs, 'key'>): Promise<Allowance> {
  const outcome = await limiter.take({ key: 'a', ...needs })
  if ('wait' in outcome || !outcome.granted) throw new Error(`refused: ${JSON.stringify(outcome)}`)
  return outcome
}

/** The object, as if `ms` had passed for its leases. */
async function later(name: string, ms: number): Promise<void> {
  const stub = env.METERS.getByName(name)
  await runInDurableObject(stub, (_, { storage }) => void storage.sql.exec('UPDATE leases SET ends = ends - ?1', ms))
  await runDurableObjectAlarm(stub)
}

const fifteenMinutes = 15 * 60 * 1000
const meter = budget(100)
const used = (tokens: number) => ({ requests: 1, tokens })

describe('The limits of a key on Workers', () => {
  it('a minute hold across isolates', async () => {
    const [one, other] = two('minute')
    const takes = [perMinute('requests', 2, 1)]
    for (const limiter of [one, other]) await taken(limiter, { takes, holds: [] })
    const refusal = await one.take({ key: 'a', takes, holds: [] })
    expect(refusal).toMatchObject({ take: takes[0], left: 0, wait: expect.any(Number) })
  })

  it('tell what is left', async () => {
    const [one, other] = two('left')
    const takes = [perMinute('requests', 10, 1), perMinute('tokens', 1_000, 600)]
    await taken(one, { takes, holds: [] })
    const { taken: all } = await taken(other, { takes: [perMinute('tokens', 1_000, 100)], holds: [] })
    expect(all.map(({ bucket }) => Math.round(bucket.left(systemClock.now()) / 100))).toEqual([3])
  })

  it('get back what tokens a request has not used', async () => {
    const [one, other] = two('back')
    const takes = [perMinute('tokens', 1_000, 1_000)]
    const allowance = await taken(one, { takes, holds: [] })
    expect('wait' in (await other.take({ key: 'a', takes, holds: [] }))).toBe(true)
    allowance.settle(used(100), [])
    await one.flush()
    await taken(other, { takes: [perMinute('tokens', 1_000, 900)], holds: [] })
  })

  it('are taken with the budget, or none of them', async () => {
    const [one, other] = two('all')
    const takes = [perMinute('requests', 1, 1)]
    const refusal = await one.take({ key: 'a', takes, holds: [{ meter, amount: 101 }] })
    expect(refusal).toEqual({ granted: false, meter, left: 100 })
    await taken(other, { takes, holds: [{ meter, amount: 100 }] })
    const slow = await one.take({ key: 'a', takes, holds: [{ meter: budget(1_000), amount: 1 }] })
    expect(slow).toMatchObject({ take: takes[0] })
    expect(await one.read(meter)).toEqual({ spent: 0, held: 100, lost: 0 })
  })

  it('of models are counted without a word to the object', async () => {
    const limiter = limiterOf('models')
    const outcome = limiter.take({ key: 'a', takes: [perMinute('requests', 1, 1, 'model:m')], holds: [] })
    expect(outcome).not.toBeInstanceOf(Promise)
    expect(limiter.take({ key: 'b', takes: [perMinute('requests', 1, 1, 'model:m')], holds: [] })).toMatchObject({
      left: 0,
    })
  })
})

describe('A request on Workers that nobody settles', () => {
  it('is booked once its lease ends, and lost can be forgiven', async () => {
    const limiter = limiterOf('dead')
    await taken(limiter, { takes: [], holds: [{ meter, amount: 10 }] })
    await later('dead', fifteenMinutes - 60_000)
    expect(await limiter.read(meter)).toEqual({ spent: 0, held: 10, lost: 0 })
    await later('dead', 60_000)
    expect(await limiter.read(meter)).toEqual({ spent: 10, held: 0, lost: 10 })
    await limiter.forgive(meter)
    expect(await limiter.read(meter)).toEqual({ spent: 0, held: 0, lost: 0 })
  })

  it('gives way to another one, where they are limited at once', async () => {
    const limiter = limiterOf('slots')
    const needs = { takes: [], holds: [{ meter: parallel(1), amount: 1 }] }
    await taken(limiter, needs)
    expect(await limiter.take({ key: 'a', ...needs })).toMatchObject({ granted: false })
    await later('slots', fifteenMinutes)
    await taken(limiter, needs)
  })

  it('puts it right if it was only slow, also after that was forgiven', async () => {
    for (const isForgiven of [false, true]) {
      const name = `slow-${isForgiven}`
      const limiter = limiterOf(name)
      const allowance = await taken(limiter, { takes: [], holds: [{ meter, amount: 10 }] })
      await later(name, fifteenMinutes)
      if (isForgiven) await limiter.forgive(meter)
      expect(await allowance.extend([1])).toBe(false)
      allowance.settle(used(0), [4])
      await limiter.flush()
      expect(await limiter.read(meter)).toEqual({ spent: 4, held: 0, lost: 0 })
    }
  })

  it('is forgotten after a day', async () => {
    const limiter = limiterOf('old')
    const allowance = await taken(limiter, { takes: [], holds: [{ meter, amount: 10 }] })
    await later('old', fifteenMinutes)
    await later('old', 24 * 60 * 60 * 1000)
    allowance.settle(used(0), [0])
    await limiter.flush()
    expect(await limiter.read(meter)).toEqual({ spent: 10, held: 0, lost: 10 })
  })
})
