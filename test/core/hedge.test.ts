import { describe, expect, it } from 'vitest'
import type { Answer } from '../../src/core/answer.ts'
import type { Call } from '../../src/core/call.ts'
import { HealthBook } from '../../src/core/health.ts'
import { hedge } from '../../src/layers/hedge.ts'
import { record } from '../../src/layers/record.ts'
import { type FailureKind, GatewayError } from '../../src/wire/errors.ts'
import { ManualClock } from '../support/gateway.ts'
import { answerOf, callOf, fakeProvider, pumpOf, someLimits, targetOf, turns } from '../support/sinks.ts'

const limits = { ...someLimits, hedge: {} }
const targets = ['a', 'b'].map((name, at) =>
  targetOf(fakeProvider(name), 'm', { limits, why: at === 0 ? 'requested' : 'fallback' }),
)

/** Deployments whose first content comes after as many milliseconds as `times` says, in the order of the attempts. */
function deployments(clock: ManualClock, times: readonly (number | FailureKind)[]) {
  const asked: string[] = []
  const stopped: string[] = []
  const upstream = (call: Call) =>
    new Promise<Answer>((resolve, reject) => {
      const name = call.target.deployment.provider.name
      const time = times[Math.min(asked.length, times.length - 1)] as number | FailureKind
      asked.push(name)
      const failing = typeof time === 'string'
      const cancel = clock.after(failing ? 50 : time, () => {
        if (failing) reject(new GatewayError(time, name))
        else resolve(answerOf(pumpOf().pump))
      })
      call.signal.addEventListener('abort', () => {
        cancel()
        stopped.push(name)
        reject(call.signal.reason)
      })
    })
  return { asked, stopped, upstream }
}

function hedging(clock: ManualClock, times: readonly (number | FailureKind)[], cooling: readonly string[] = []) {
  const { asked, stopped, upstream } = deployments(clock, times)
  const wait = (label: string) => (cooling.includes(label) ? 1 : 0)
  const book = new HealthBook({ clock, random: () => 0 }, undefined)
  const health = { wait, admit: (label: string) => wait(label) === 0, of: (label: string) => book.of(label) }
  const recorded = record({ clock, health: book, log: () => {} })(upstream)
  const layer = hedge({ clock, health, maxAttempts: 12 })(recorded)
  const ask = async (options: Parameters<typeof callOf>[0] = {}) => {
    const call = callOf({ targets, stream: true, ...options })
    const started = clock.now()
    const pending = layer(call).then(
      () => clock.now() - started,
      (error: GatewayError) => error.kind,
    )
    for (let step = 0; step < 50; step++) {
      await clock.advance(10)
      await turns(1)
    }
    return { outcome: await pending, attempts: call.trace.attempts }
  }
  return { asked, stopped, ask }
}

/** Enough streams to know what is usual: 100 ms, or 110 for one of ten. */
const usual = Array.from({ length: 20 }, (_, at) => (at % 10 === 0 ? 110 : 100))

describe('A stream whose first content is later than usual', () => {
  it('is asked for a second time, elsewhere, and the first content wins', async () => {
    const clock = new ManualClock()
    const { asked, stopped, ask } = hedging(clock, [...usual, 400, 100])
    for (const _ of usual) await ask()
    expect(asked).toEqual(usual.map(() => 'a'))
    const { outcome, attempts } = await ask()
    expect(outcome).toBe(210)
    expect([asked.slice(20), stopped]).toEqual([['a', 'b'], ['a']])
    expect(attempts.map(({ deployment, reason }) => [deployment, reason])).toEqual([
      ['b/m', undefined],
      ['a/m', 'hedged'],
    ])
    expect(clock.waiting).toBe(0)
  })

  it('stays with the first attempt if that is faster after all', async () => {
    const clock = new ManualClock()
    const { stopped, ask } = hedging(clock, [...usual, 150, 100])
    for (const _ of usual) await ask()
    expect((await ask()).outcome).toBe(150)
    expect(stopped).toEqual(['b'])
  })

  it('is asked of the same deployment if the others are in cooldown', async () => {
    const clock = new ManualClock()
    const { asked, ask } = hedging(clock, [...usual, 400, 100], ['b/m'])
    for (const _ of usual) await ask()
    expect((await ask()).outcome).toBe(210)
    expect(asked.slice(20)).toEqual(['a', 'a'])
  })

  it('is left alone as long as nobody knows what is usual', async () => {
    const { asked, ask } = hedging(new ManualClock(), [400])
    await ask()
    expect(asked).toEqual(['a'])
  })

  it('is asked for again after a fixed time where one is configured', async () => {
    const { asked, ask } = hedging(new ManualClock(), [400, 100])
    const fixed = targets.map((target) => ({ ...target, limits: { ...limits, hedge: { after: 50 } } }))
    expect((await ask({ targets: fixed })).outcome).toBe(150)
    expect(asked).toEqual(['a', 'b'])
  })

  it('costs a twentieth more requests in the long run, even if all are late', async () => {
    const { asked, ask } = hedging(new ManualClock(), [100])
    const late = targets.map((target) => ({ ...target, limits: { ...limits, hedge: { after: 50 } } }))
    for (let time = 0; time < 300; time++) await ask({ targets: late })
    expect(asked.length).toBeLessThanOrEqual(300 * 1.055 + 10)
    expect(asked.length).toBeGreaterThan(310)
  })
})

describe('A failure', () => {
  const fixed = targets.map((target) => ({ ...target, limits: { ...limits, hedge: { after: 20 } } }))

  it('makes no second attempt', async () => {
    const { asked, ask } = hedging(new ManualClock(), ['overloaded'])
    const slow = targets.map((target) => ({ ...target, limits: { ...limits, hedge: { after: 60 } } }))
    expect((await ask({ targets: slow })).outcome).toBe('overloaded')
    expect(asked).toEqual(['a'])
  })

  it('of one attempt leaves it to the other', async () => {
    const { ask } = hedging(new ManualClock(), ['network', 200])
    expect((await ask({ targets: fixed })).outcome).toBe(220)
  })

  it('that the request itself causes ends both', async () => {
    const { stopped, ask } = hedging(new ManualClock(), ['bad_request', 200])
    expect((await ask({ targets: fixed })).outcome).toBe('bad_request')
    expect(stopped).toEqual(['b'])
  })

  it('of both is told', async () => {
    const { ask } = hedging(new ManualClock(), ['network', 'overloaded'])
    expect((await ask({ targets: fixed })).outcome).toBe('overloaded')
  })
})

it('A client that leaves stops both attempts', async () => {
  const clock = new ManualClock()
  const { stopped, ask } = hedging(clock, [1_000])
  const client = new AbortController()
  const fixed = targets.map((target) => ({ ...target, limits: { ...limits, hedge: { after: 20 } } }))
  clock.after(100, () => client.abort(new GatewayError('gone', 'left')))
  expect((await ask({ targets: fixed, signal: client.signal })).outcome).toBe('gone')
  expect(stopped).toEqual(['a', 'b'])
  expect(clock.waiting).toBe(0)
})
