import { describe, expect, it } from 'vitest'
import { HealthBook } from '../../src/core/health.ts'
import type { Target } from '../../src/core/plan.ts'
import { fallback } from '../../src/layers/fallback.ts'
import { record } from '../../src/layers/record.ts'
import { retry } from '../../src/layers/retry.ts'
import { type FailureKind, GatewayError } from '../../src/wire/errors.ts'
import { ManualClock } from '../support/gateway.ts'
import { answerOf, bytes, callOf, fakeProvider, someLimits, targetOf, turns, upstreamOf } from '../support/sinks.ts'

const ok = () => answerOf(bytes('{}'))
const failing = (kind: FailureKind, retryAfterMs?: number) => () => {
  throw new GatewayError(kind, kind, retryAfterMs === undefined ? {} : { retryAfterMs })
}

const neverCools = { admit: () => true, force: () => {}, wait: () => 0 }

function retrying(clock: ManualClock, random: number) {
  return retry({ clock, random: () => random, health: neverCools, budget: { withdraw: () => true }, maxAttempts: 12 })
}

const falling = fallback({ clock: new ManualClock(), health: neverCools, onExhausted: 'least_bad', maxAttempts: 12 })

/** How a promise stands: `undefined` while it is pending. */
function watched(promise: Promise<unknown>): { state: string | undefined } {
  const seen: { state: string | undefined } = { state: undefined }
  promise.then(
    () => {
      seen.state = 'answered'
    },
    (error: Error) => {
      seen.state = error.message
    },
  )
  return seen
}

describe('A try that failed', () => {
  it('is followed by more after growing waits, and then by the failure', async () => {
    const clock = new ManualClock()
    const upstream = upstreamOf(failing('overloaded'))
    const seen = watched(retrying(clock, 0.5)(upstream)(callOf()))
    const madeBy: number[] = []
    await turns()
    for (const wait of [249, 1, 499, 1, 10_000]) {
      await clock.advance(wait)
      await turns()
      madeBy.push(upstream.calls.length)
    }
    expect(madeBy).toEqual([1, 2, 2, 3, 3])
    expect(seen.state).toBe('overloaded')
    expect(clock.waiting).toBe(0)
  })

  it.each([
    [0.02, 10],
    [0.999_999, 500],
  ])('waits with full jitter (%d)', async (random, wait) => {
    const clock = new ManualClock()
    const upstream = upstreamOf(failing('network'), ok)
    const seen = watched(retrying(clock, random)(upstream)(callOf()))
    await turns()
    await clock.advance(wait - 1)
    expect(upstream.calls).toHaveLength(1)
    await clock.advance(2)
    await turns()
    expect(seen.state).toBe('answered')
  })

  it('waits as long as the upstream asks, where that is not too long', async () => {
    const clock = new ManualClock()
    const upstream = upstreamOf(failing('rate_limit', 3_000), ok)
    const seen = watched(retrying(clock, 0.5)(upstream)(callOf()))
    await turns()
    await clock.advance(2_999)
    expect(upstream.calls).toHaveLength(1)
    await clock.advance(1)
    await turns()
    expect(seen.state).toBe('answered')
  })

  it('is the last when the upstream asks for more than anybody waits', async () => {
    const upstream = upstreamOf(failing('rate_limit', 10_001))
    const layered = retrying(new ManualClock(), 0.5)(upstream)
    await expect(layered(callOf())).rejects.toMatchObject({ kind: 'rate_limit', retryAfterMs: 10_001 })
    expect(upstream.calls).toHaveLength(1)
  })

  it('is the last where the model’s own limit says so', async () => {
    const upstream = upstreamOf(failing('network'))
    const targets = [targetOf(fakeProvider('p'), 'm', { limits: { ...someLimits, retries: 0 } })]
    const layered = retrying(new ManualClock(), 0.5)(upstream)
    await expect(layered(callOf({ targets }))).rejects.toMatchObject({ kind: 'network' })
    expect(upstream.calls).toHaveLength(1)
  })

  const hopeless: FailureKind[] = ['bad_request', 'auth', 'quota', 'context_length', 'content_policy', 'not_found']
  it.each([...hopeless, 'timeout', 'incapable', 'wrong_endpoint', 'gone', 'internal'] as FailureKind[])(
    'is the last when another could not go better: %s',
    async (kind) => {
      const upstream = upstreamOf(failing(kind))
      await expect(retrying(new ManualClock(), 0)(upstream)(callOf())).rejects.toThrow(kind)
      expect(upstream.calls).toHaveLength(1)
    },
  )

  it('is followed by none once the client has left', async () => {
    const clock = new ManualClock()
    const client = new AbortController()
    const upstream = upstreamOf(failing('network'))
    const seen = watched(retrying(clock, 0.5)(upstream)(callOf({ signal: client.signal })))
    await turns()
    client.abort(new GatewayError('gone', 'left'))
    await turns()
    expect([seen.state, upstream.calls.length, clock.waiting]).toEqual(['left', 1, 0])
  })
})

describe('A target that failed', () => {
  const [first, second, third] = ['a', 'b', 'c'].map((name, at) =>
    targetOf(fakeProvider(name), 'm', { why: at === 0 ? 'requested' : 'fallback' }),
  ) as [ReturnType<typeof targetOf>, ReturnType<typeof targetOf>, ReturnType<typeof targetOf>]
  const targets = [first, second, third]
  const asked = (upstream: ReturnType<typeof upstreamOf>) =>
    upstream.calls.map(({ target }) => target.deployment.provider.name)

  it('is followed by the next', async () => {
    const upstream = upstreamOf(failing('auth'), failing('network'), ok)
    await falling(upstream)(callOf({ targets }))
    expect(asked(upstream)).toEqual(['a', 'b', 'c'])
  })

  it.each(['bad_request', 'content_policy', 'gone', 'internal', 'unauthorized'] as const)(
    'is the last when no other model could or should help: %s',
    async (kind) => {
      const upstream = upstreamOf(failing(kind))
      await expect(falling(upstream)(callOf({ targets }))).rejects.toMatchObject({ kind })
      expect(asked(upstream)).toEqual(['a'])
    },
  )

  it('for its context is followed only by those with a larger one, or an unknown one', async () => {
    const windows = [100, 100, 50, undefined, 200]
    const sized = windows.map((contextWindow, at) => targetOf(fakeProvider(`w${at}`), 'm', { contextWindow }))
    const upstream = upstreamOf(failing('context_length'))
    await expect(falling(upstream)(callOf({ targets: sized }))).rejects.toMatchObject({ kind: 'context_length' })
    expect(asked(upstream)).toEqual(['w0', 'w3', 'w4'])
  })

  it('tells the client of the failure that may pass, else of the first', async () => {
    const mixed = upstreamOf(failing('auth'), failing('rate_limit', 20_000), failing('not_found'))
    await expect(falling(mixed)(callOf({ targets }))).rejects.toMatchObject({
      kind: 'rate_limit',
      retryAfterMs: 20_000,
    })
    const lasting = upstreamOf(failing('not_found'), failing('auth'), failing('quota'))
    await expect(falling(lasting)(callOf({ targets }))).rejects.toMatchObject({ kind: 'not_found' })
  })

  const standIn = [first, targetOf(fakeProvider('f'), 'm', { why: 'missing_model' })]

  it.each(['not_found', 'retired', 'not_pulled', 'no_live_provider'] as const)(
    'because the model is missing is answered by the gateway’s fallback: %s',
    async (kind) => {
      const upstream = upstreamOf(failing(kind), ok)
      await falling(upstream)(callOf({ targets: standIn }))
      expect(asked(upstream)).toEqual(['a', 'f'])
    },
  )

  it.each(['not_found', 'retired', 'not_pulled', 'no_live_provider'] as const)(
    'because the model is missing is told where the policy says error: %s',
    async (kind) => {
      const upstream = upstreamOf(failing(kind), ok)
      const call = callOf({ targets: standIn, plan: { missing: { [kind]: 'error' } } })
      await expect(falling(upstream)(call)).rejects.toMatchObject({ kind })
      expect(asked(upstream)).toEqual(['a'])
    },
  )

  it.each(['network', 'auth', 'rate_limit', 'context_length', 'incapable', 'timeout'] as const)(
    'for another reason is not: %s',
    async (kind) => {
      const upstream = upstreamOf(failing(kind), ok)
      await expect(falling(upstream)(callOf({ targets: standIn }))).rejects.toMatchObject({ kind })
      expect(asked(upstream)).toEqual(['a'])
    },
  )
})

describe('A target that has come into cooldown since the plan was made', () => {
  const [first, second] = ['a', 'b'].map((name) => targetOf(fakeProvider(name))) as [Target, Target]
  const freer = targetOf(fakeProvider('c'), 'm', { why: 'content_policy' })
  const resting = {
    ...neverCools,
    admit: (label: string) => label !== 'a/m',
    wait: (label: string) => +(label === 'a/m'),
  }
  const sparing = (maxAttempts = 12) =>
    fallback({ clock: new ManualClock(), health: resting, onExhausted: 'least_bad', maxAttempts })
  const asked = (upstream: ReturnType<typeof upstreamOf>) =>
    upstream.calls.map(({ target }) => target.deployment.provider.name)

  it('is tried when all others have failed', async () => {
    const upstream = upstreamOf(failing('network'), ok)
    await sparing()(upstream)(callOf({ targets: [first, second] }))
    expect(asked(upstream)).toEqual(['b', 'a'])
  })

  it('isn’t tried after a refusal, which goes only where the configuration says', async () => {
    const upstream = upstreamOf(failing('content_policy'))
    const call = callOf({ targets: [first, second, freer] })
    await expect(sparing()(upstream)(call)).rejects.toMatchObject({ kind: 'content_policy' })
    expect(asked(upstream)).toEqual(['b', 'c'])
  })

  it('isn’t tried with a prompt that is too long for it', async () => {
    const [small, large] = [first, second].map((target) => ({ ...target, contextWindow: 100 })) as [Target, Target]
    const upstream = upstreamOf(failing('context_length'))
    const call = callOf({ targets: [small, large] })
    await expect(sparing()(upstream)(call)).rejects.toMatchObject({ kind: 'context_length' })
    expect(asked(upstream)).toEqual(['b'])
  })

  it('isn’t tried when the attempts of the request are used up', async () => {
    const attempts = [{ deployment: 'b/m', at: 0, failure: 'network', ms: 1 }] as const
    const upstream = upstreamOf(failing('network'))
    const call = callOf({ targets: [first, second] })
    call.trace.attempts.push(...attempts)
    await expect(sparing(1)(upstream)(call)).rejects.toMatchObject({ kind: 'network' })
    expect(asked(upstream)).toEqual(['b'])
  })
})

describe('The trace', () => {
  it('holds every attempt with its time, and the log the failed ones', async () => {
    const clock = new ManualClock()
    const began = clock.now()
    const logged: string[] = []
    const call = callOf()
    const slow = async () => {
      await clock.advance(12_345)
      throw new GatewayError('overloaded', 'secret words')
    }
    const layered = record({
      clock,
      health: new HealthBook({ clock, random: () => 0 }, undefined),
      log: (line) => logged.push(line),
    })(upstreamOf(slow, ok))
    await expect(layered(call)).rejects.toMatchObject({ kind: 'overloaded' })
    await layered(call)
    expect(call.trace.attempts).toEqual([
      {
        deployment: 'p/m',
        why: 'requested',
        at: began,
        ms: 12_345,
        failure: 'overloaded',
        reason: 'capacity_exhausted',
      },
      { deployment: 'p/m', why: 'requested', at: began + 12_345, over: began + 12_345, ms: 0 },
    ])
    expect(logged.join('\n')).toContain('req_test p/m: capacity_exhausted after 12345 ms')
    expect(logged.join('\n')).not.toContain('secret words')
    expect(clock.waiting).toBe(0)
  })
})
