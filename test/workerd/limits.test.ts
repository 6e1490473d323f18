import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import type { Allowance, Needs } from '../../src/accounts/limiter.ts'
import { systemClock } from '../../src/core/clock.ts'
import { testMeters } from '../state/meters-suite.ts'
import { budget, parallel } from '../support/holds.ts'
import { limiterIn, objectIn, objectPlace } from './object-meters.ts'

const perMinute = (kind: 'requests' | 'tokens', limit: number, need: number, subject = 'key:a') => {
  return { subject, kind, limit, need } as const
}

/** Two isolates that ask the same object. */
const two = (name: string) => [limiterIn(name), limiterIn(name)] as const

async function taken(
  limiter: ReturnType<typeof limiterIn>,
  needs: Omit<Needs, 'key'>,
  key: Needs['key'] = { id: 'a' },
): Promise<Allowance> {
  const outcome = await limiter.take({ key, ...needs })
  if ('wait' in outcome || !outcome.granted) throw new Error(`refused: ${JSON.stringify(outcome)}`)
  return outcome
}

/** An object, as if `ms` had passed for its leases. */
async function later(place: string, ms: number, name = 'a'): Promise<void> {
  const stub = env.METERS.getByName(objectIn(place, name))
  await runInDurableObject(stub, (_, { storage }) => void storage.sql.exec('UPDATE leases SET ends = ends - ?1', ms))
  await runDurableObjectAlarm(stub)
}

const fifteenMinutes = 15 * 60 * 1000
const meter = budget(100)
const ofProject = budget(100, 'project:p')
const used = (tokens: number) => ({ requests: 1, tokens })

describe('The limits of a key on Workers', () => {
  it('a minute hold across isolates', async () => {
    const [one, other] = two('minute')
    const takes = [perMinute('requests', 2, 1)]
    for (const limiter of [one, other]) await taken(limiter, { takes, holds: [] })
    const refusal = await one.take({ key: { id: 'a' }, takes, holds: [] })
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
    expect('wait' in (await other.take({ key: { id: 'a' }, takes, holds: [] }))).toBe(true)
    allowance.settle(used(100), [])
    await one.flush()
    await taken(other, { takes: [perMinute('tokens', 1_000, 900)], holds: [] })
  })

  it('are taken with the budget, or none of them', async () => {
    const [one, other] = two('all')
    const takes = [perMinute('requests', 1, 1)]
    const refusal = await one.take({ key: { id: 'a' }, takes, holds: [{ meter, amount: 101 }] })
    expect(refusal).toEqual({ granted: false, meter, left: 100 })
    await taken(other, { takes, holds: [{ meter, amount: 100 }] })
    const slow = await one.take({ key: { id: 'a' }, takes, holds: [{ meter: budget(1_000), amount: 1 }] })
    expect(slow).toMatchObject({ take: takes[0] })
    expect(await one.read(meter)).toEqual({ spent: 0, held: 100, lost: 0 })
  })

  it('are asked of nobody else, together with those of the project that it was made in', async () => {
    const asked: string[] = []
    const limiter = limiterIn('alone', asked)
    const allowance = await taken(limiter, { takes: [perMinute('requests', 1, 1)], holds: [{ meter, amount: 1 }] })
    await allowance.extend([1])
    allowance.settle(used(0), [2])
    await limiter.flush()
    expect(asked.splice(0)).toEqual(['take a', 'extend a', 'settle a'])
    const needs = {
      takes: [
        perMinute('requests', 9, 1),
        perMinute('requests', 9, 1, 'project:p'),
        perMinute('requests', 9, 1, 'project:p model:m'),
      ],
      holds: [
        { meter, amount: 1 },
        { meter: ofProject, amount: 1 },
        { meter: parallel(1, 'parallel:project:p'), amount: 1 },
      ],
    }
    ;(await taken(limiter, needs, { id: 'a', home: 'p', project: 'p' })).settle(used(0), [1, 1, 1])
    await limiter.flush()
    expect(asked).toEqual(['take project:p', 'settle project:p'])
  })
})

describe('The limits of a model on Workers', () => {
  const takes = [perMinute('requests', 2, 1, 'model:m')]

  it('hold across keys and isolates', async () => {
    const [one, other] = two('model')
    await taken(one, { takes, holds: [] }, { id: 'a' })
    await taken(other, { takes, holds: [] }, { id: 'b' })
    expect(await one.take({ key: { id: '' }, takes, holds: [] })).toMatchObject({ take: takes[0], left: 0 })
  })

  it('are asked last, and their refusal takes nothing of anything else', async () => {
    const asked: string[] = []
    const limiter = limiterIn('last', asked)
    const project = { id: 'a', project: 'p' }
    const shared = perMinute('tokens', 100, 60, 'project:p')
    const own = [perMinute('requests', 10, 1), shared, ...takes]
    const holds = [
      { meter, amount: 60 },
      { meter: ofProject, amount: 60 },
    ]
    for (let n = 0; n < 2; n++) await taken(limiter, { takes, holds: [] })
    asked.length = 0
    const refusal = await limiter.take({ key: project, takes: own, holds })
    expect(refusal).toMatchObject({ take: takes[0] })
    expect(asked).toEqual(['take a', 'take project:p', 'take model:m', 'settle a', 'settle project:p'])
    expect('all' in refusal && refusal.all.map(({ bucket }) => Math.round(bucket.left(systemClock.now())))).toEqual([
      10, 100, 0,
    ])
    for (const one of [meter, ofProject]) expect(await limiter.read(one)).toEqual({ spent: 0, held: 0, lost: 0 })
    await taken(limiter, { takes: own.slice(0, 2), holds }, project)
  })

  it('get back what tokens a request has not used', async () => {
    const limiter = limiterIn('model-tokens')
    const tokens = [perMinute('tokens', 1_000, 1_000, 'model:m')]
    ;(await taken(limiter, { takes: tokens, holds: [] })).settle(used(100), [])
    await limiter.flush()
    const { taken: all } = await taken(limiter, { takes: [perMinute('tokens', 1_000, 0, 'model:m')], holds: [] })
    expect(Math.round((all[0]?.bucket.left(systemClock.now()) ?? 0) / 100)).toBe(9)
  })
})

describe('A key on Workers that is moved to another project', () => {
  const made = { id: 'a', home: 'p', project: 'p' }
  const moved = { ...made, project: 'q' }
  const ofOther = budget(100, 'project:q')
  const own = { ...meter, home: 'p' }

  it('keeps what it has spent, and spends of the other project from then on', async () => {
    const limiter = limiterIn('moved')
    const first = await taken(
      limiter,
      { takes: [], holds: [meter, ofProject].map((one) => ({ meter: one, amount: 60 })) },
      made,
    )
    const holds = [meter, ofOther].map((one) => ({ meter: one, amount: 60 }))
    expect(await limiter.take({ key: moved, takes: [], holds })).toEqual({ granted: false, meter, left: 40 })
    first.settle(used(0), [30, 30])
    await limiter.flush()
    const second = await taken(limiter, { takes: [], holds }, moved)
    expect(await second.extend([10, 10])).toBe(true)
    expect(await second.extend([1, 1])).toBe(false)
    second.settle(used(0), [50, 50])
    await limiter.flush()
    const spent = await Promise.all([own, ofProject, ofOther].map((one) => limiter.read(one)))
    expect(spent).toEqual([80, 30, 50].map((amount) => ({ spent: amount, held: 0, lost: 0 })))
  })

  it('gets back what its own budget held if the other project has too little left', async () => {
    const limiter = limiterIn('moved-back')
    const holds = [
      { meter, amount: 60 },
      { meter: budget(50, 'project:q'), amount: 60 },
    ]
    const refusal = await limiter.take({ key: moved, takes: [], holds })
    expect(refusal).toEqual({ granted: false, meter: holds[1]?.meter, left: 50 })
    expect(await limiter.read(own)).toEqual({ spent: 0, held: 0, lost: 0 })
  })

  it('can be forgiven what was lost', async () => {
    const limiter = limiterIn('moved-lost')
    await taken(limiter, { takes: [], holds: [{ meter, amount: 10 }] }, moved)
    await later('moved-lost', fifteenMinutes, 'project:p')
    expect(await limiter.read(own)).toEqual({ spent: 10, held: 0, lost: 10 })
    await limiter.forgive(own)
    expect(await limiter.read(own)).toEqual({ spent: 0, held: 0, lost: 0 })
  })
})

describe('A request on Workers that nobody settles', () => {
  it('is booked once its lease ends, and lost can be forgiven', async () => {
    const limiter = limiterIn('dead')
    await taken(limiter, { takes: [], holds: [{ meter, amount: 10 }] })
    await later('dead', fifteenMinutes - 60_000)
    expect(await limiter.read(meter)).toEqual({ spent: 0, held: 10, lost: 0 })
    await later('dead', 60_000)
    expect(await limiter.read(meter)).toEqual({ spent: 10, held: 0, lost: 10 })
    await limiter.forgive(meter)
    expect(await limiter.read(meter)).toEqual({ spent: 0, held: 0, lost: 0 })
  })

  it('gives way to another one, where they are limited at once', async () => {
    const limiter = limiterIn('slots')
    const needs = { takes: [], holds: [{ meter: parallel(1), amount: 1 }] }
    await taken(limiter, needs)
    expect(await limiter.take({ key: { id: 'a' }, ...needs })).toMatchObject({ granted: false })
    await later('slots', fifteenMinutes)
    await taken(limiter, needs)
  })

  it('puts it right if it was only slow, also after that was forgiven', async () => {
    for (const isForgiven of [false, true]) {
      const name = `slow-${isForgiven}`
      const limiter = limiterIn(name)
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
    const limiter = limiterIn('old')
    const allowance = await taken(limiter, { takes: [], holds: [{ meter, amount: 10 }] })
    await later('old', fifteenMinutes)
    await later('old', 24 * 60 * 60 * 1000)
    allowance.settle(used(0), [0])
    await limiter.flush()
    expect(await limiter.read(meter)).toEqual({ spent: 10, held: 0, lost: 10 })
  })
})

describe.each([1, 4])('Meters in a Durable Object, asked by %d isolates', (members) => testMeters(objectPlace, members))
