import { describe, expect, it } from 'vitest'
import type { Answer } from '../../src/core/answer.ts'
import type { Call } from '../../src/core/call.ts'
import { HealthBook } from '../../src/core/health.ts'
import { atHand } from '../../src/core/late.ts'
import type { AtOnce, Sharing } from '../../src/core/operation.ts'
import { fallback } from '../../src/layers/fallback.ts'
import { record } from '../../src/layers/record.ts'
import { retry } from '../../src/layers/retry.ts'
import { share } from '../../src/layers/share.ts'
import { operations } from '../../src/operations/all.ts'
import { edited, parseBody } from '../../src/wire/body.ts'
import { type FailureKind, GatewayError } from '../../src/wire/errors.ts'
import { ManualClock } from '../support/gateway.ts'
import { answerOf, bytes, callOf, fakeProvider, targetOf, textOf, turns } from '../support/sinks.ts'

/** A list of items of which each part has some; its answer has the same items. */
const sharing: Sharing = {
  split(body, { inputs = Number.POSITIVE_INFINITY }) {
    const items = body.json.items as number[]
    if (items.length <= inputs) return undefined
    return Array.from({ length: Math.ceil(items.length / inputs) }, (_, at) =>
      edited(body, { set: new Map([['items', JSON.stringify(items.slice(at * inputs, (at + 1) * inputs))]]) }),
    )
  },
  join: (answers) => ({ items: answers.flatMap(({ items }) => items) }),
}

const providerOf = (name: string, atOnce?: AtOnce) =>
  fakeProvider(name, { operations: { chat: { path: '/', ...(atOnce && { atOnce }) } } })

type Act = FailureKind | 'never' | undefined

/** A gateway's layers around deployments that act as `act` says, for a request with `count` items. */
function sharingOut(count: number, act: (call: Call, items: number[]) => Act, options: Partial<Sharing> = {}) {
  const clock = new ManualClock()
  const asked: string[] = []
  const stopped: string[] = []
  let running = 0
  let most = 0
  const upstream = (call: Call) =>
    new Promise<Answer>((resolve, reject) => {
      const items = JSON.parse(textOf(call.body.bytes)).items as number[]
      const name = `${call.target.deployment.provider.name}:${items}`
      const acting = act(call, items)
      asked.push(name)
      most = Math.max(most, ++running)
      let over = false
      const cancel = clock.after(acting === 'never' ? 1_000_000 : 10, () => {
        running--
        over = true
        if (acting && acting !== 'never') reject(new GatewayError(acting, `${name} failed`))
        else resolve(answerOf(bytes(JSON.stringify({ items }))))
      })
      call.signal.addEventListener('abort', () => {
        cancel()
        if (!over) stopped.push(name)
        reject(call.signal.reason)
      })
    })
  const health = new HealthBook({ clock, random: () => 0 }, undefined)
  const inner = retry({ clock, random: () => 0, health, budget: { withdraw: () => true }, maxAttempts: 12 })(
    record({ clock, health, log: () => {} })(upstream),
  )
  const layers = fallback({ clock, health, onExhausted: 'least_bad', maxAttempts: 12 })(share({ clock })(inner))
  const leave = new AbortController()
  const ask = async (providers = [providerOf('a', { inputs: 2 })], more: Partial<Call> = {}) => {
    const targets = providers.map((provider, at) =>
      targetOf(provider, 'm', { why: at === 0 ? 'requested' : 'fallback' }),
    )
    const call: Call = {
      ...callOf({ targets, signal: leave.signal }),
      operation: { ...operations.chat, sharing: { param: 'items', how: atHand({ ...sharing, ...options }) } },
      body: parseBody(bytes(JSON.stringify({ model: 'm', items: Array.from({ length: count }, (_, at) => at) }))),
      ...more,
    }
    const pending = layers(call).then(
      ({ body }) => JSON.parse(textOf(body as Uint8Array)).items as number[],
      (error: GatewayError) => error.kind,
    )
    for (let step = 0; step < 200; step++) {
      await clock.advance(10)
      await turns(1)
    }
    return { outcome: await Promise.race([pending, 'pending']), attempts: call.trace.attempts }
  }
  return { ask, asked, stopped, clock, leave, most: () => most, learnt: (name: string) => health.of(`${name}/m`) }
}

describe('A request for more than a deployment does at once', () => {
  it('is shared out among several exchanges and answered as one, in order', async () => {
    const { ask, asked, most } = sharingOut(13, () => undefined)
    const { outcome, attempts } = await ask()
    expect(outcome).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
    expect(asked).toEqual(['a:0,1', 'a:2,3', 'a:4,5', 'a:6,7', 'a:8,9', 'a:10,11', 'a:12'])
    expect(most()).toBe(4)
    expect(attempts).toMatchObject([{ deployment: 'a/m', parts: 7, ms: 20 }])
  })

  it('goes as it is where it fits', async () => {
    const { ask, asked } = sharingOut(2, () => undefined)
    const { attempts } = await ask()
    expect(asked).toEqual(['a:0,1'])
    expect(attempts[0]?.parts).toBe(undefined)
  })

  it('has each of its parts tried again by itself', async () => {
    let failures = 2
    const { ask, asked } = sharingOut(4, (_, items) => (items[0] === 2 && failures-- > 0 ? 'overloaded' : undefined))
    const { outcome, attempts } = await ask()
    expect(outcome).toEqual([0, 1, 2, 3])
    expect(asked).toEqual(['a:0,1', 'a:2,3', 'a:2,3', 'a:2,3'])
    expect(attempts.map(({ failure, parts }) => [failure, parts])).toEqual([
      ['overloaded', undefined],
      ['overloaded', undefined],
      [undefined, 2],
    ])
  })

  it('goes whole to the next deployment when one part fails, and the others are stopped', async () => {
    const { ask, asked, stopped } = sharingOut(6, ({ target }, items) => {
      if (target.deployment.label !== 'a/m') return undefined
      return items[0] === 2 ? 'auth' : 'never'
    })
    const { outcome, attempts } = await ask([providerOf('a', { inputs: 2 }), providerOf('b')])
    expect(outcome).toEqual([0, 1, 2, 3, 4, 5])
    expect(asked).toEqual(['a:0,1', 'a:2,3', 'a:4,5', 'b:0,1,2,3,4,5'])
    expect(stopped).toEqual(['a:0,1', 'a:4,5'])
    expect(attempts.map(({ deployment, failure, parts }) => [deployment, failure, parts])).toEqual([
      ['a/m', 'auth', 3],
      ['b/m', undefined, undefined],
    ])
  })

  it('spends no more attempts on a deployment that is down than one exchange would', async () => {
    const { ask } = sharingOut(20, ({ target }) => (target.deployment.label === 'a/m' ? 'overloaded' : undefined))
    const { outcome, attempts } = await ask([providerOf('a', { inputs: 2 }), providerOf('b')])
    expect(outcome).toHaveLength(20)
    expect(attempts.map(({ deployment }) => deployment)).toEqual(['a/m', 'a/m', 'a/m', 'b/m'])
  })

  it('leaves nothing of its parts in flight', async () => {
    const { ask, learnt } = sharingOut(6, () => undefined)
    await ask()
    expect(learnt('a').inFlight).toBe(0)
  })

  it('ends when the client leaves, and begins no further part', async () => {
    const { ask, asked, stopped, clock, leave } = sharingOut(12, () => 'never')
    clock.after(50, () => leave.abort(new GatewayError('gone', 'The client left.')))
    const { outcome, attempts } = await ask()
    expect(outcome).toBe('gone')
    expect([asked.length, stopped.length]).toEqual([4, 4])
    expect(attempts).toMatchObject([{ failure: 'gone', parts: 6 }])
  })

  it('begins no further part after the deadline', async () => {
    const { ask, asked, clock } = sharingOut(12, () => undefined)
    const { outcome } = await ask(undefined, { deadline: clock.now() + 5 })
    expect(outcome).toBe('timeout')
    expect(asked).toHaveLength(4)
  })

  it('is refused where it would take hundreds of exchanges', async () => {
    const { ask, asked } = sharingOut(600, () => undefined)
    const { outcome } = await ask()
    expect([outcome, asked]).toEqual(['incapable', []])
  })
})

describe('A limit that only a refusal tells', () => {
  const told = ({ kind }: GatewayError) => (kind === 'bad_request' ? { most: { inputs: 3 }, lasts: true } : undefined)

  it('is kept to at once, and for the next requests from the start', async () => {
    const { ask, asked } = sharingOut(5, (_, items) => (items.length > 3 ? 'bad_request' : undefined), { told })
    expect((await ask([providerOf('a')])).outcome).toEqual([0, 1, 2, 3, 4])
    expect((await ask([providerOf('a')])).outcome).toEqual([0, 1, 2, 3, 4])
    expect(asked).toEqual(['a:0,1,2,3,4', 'a:0,1,2', 'a:3,4', 'a:0,1,2', 'a:3,4'])
  })

  it('is believed once: a deployment that refuses its own limit fails', async () => {
    const { ask, asked } = sharingOut(5, () => 'bad_request', { told })
    expect((await ask([providerOf('a')])).outcome).toBe('bad_request')
    expect(asked).toEqual(['a:0,1,2,3,4', 'a:0,1,2', 'a:3,4'])
  })
})
