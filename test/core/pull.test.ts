import { describe, expect, it } from 'vitest'
import { pull } from '../../src/layers/pull.ts'
import { GatewayError } from '../../src/wire/errors.ts'
import { hastyClock, noLists } from '../support/ask.ts'
import { answerOf, bytes, callOf, fakeProvider, targetOf, turns, upstreamOf } from '../support/sinks.ts'

const missing = () => {
  throw new GatewayError('not_pulled', 'not here')
}
const ok = () => answerOf(bytes('{}'))

/** A provider whose pulls the test ends, one by one. */
function pullable() {
  const pulls: { signal: AbortSignal; resolve: () => void; reject: (error: unknown) => void }[] = []
  const definition = {
    type: 'fake',
    title: 'Fake',
    pull: (_model: string, _settings: unknown, { signal }: { signal: AbortSignal }) =>
      new Promise<void>((resolve, reject) => pulls.push({ signal, resolve, reject })),
  }
  return { pulls, targets: [targetOf(fakeProvider('p', { definition }))] }
}

const services = {
  ...noLists,
  transport: () => Promise.reject(new Error('no transport')),
  clock: hastyClock(),
  random: () => 0,
  asset: () => Promise.reject(new Error('no asset')),
  log() {},
}
const policy = { missing: { not_pulled: 'pull' } } as const

describe('A pull', () => {
  it('is nobody’s wish unless the policy says so', async () => {
    const { pulls, targets } = pullable()
    await expect(pull(services)(upstreamOf(missing))(callOf({ targets }))).rejects.toMatchObject({ kind: 'not_pulled' })
    const other = upstreamOf(() => {
      throw new GatewayError('not_found', 'no')
    })
    await expect(pull(services)(other)(callOf({ targets, plan: policy }))).rejects.toMatchObject({ kind: 'not_found' })
    expect(pulls).toHaveLength(0)
  })

  it('is no wish that a provider without pulls could grant', async () => {
    const layered = pull(services)(upstreamOf(missing))
    await expect(layered(callOf({ plan: policy }))).rejects.toMatchObject({ kind: 'not_pulled' })
  })

  it('is followed by one more try, and by the failure of that', async () => {
    const { pulls, targets } = pullable()
    const upstream = upstreamOf(missing)
    const outcome = pull(services)(upstream)(callOf({ targets, plan: policy })).catch((error: Error) => error)
    await turns()
    pulls[0]?.resolve()
    expect(await outcome).toMatchObject({ kind: 'not_pulled' })
    expect([pulls.length, upstream.calls.length]).toEqual([1, 2])
  })

  it('that fails is told to all who wait, and tried anew by the next', async () => {
    const { pulls, targets } = pullable()
    const layered = pull(services)(upstreamOf(missing, missing, missing, ok))
    const outcomes = [1, 2].map(() => layered(callOf({ targets, plan: policy })).catch((error: Error) => error))
    await turns()
    pulls[0]?.reject(new GatewayError('not_pulled', 'disk full'))
    for (const outcome of outcomes) expect(await outcome).toMatchObject({ message: 'disk full' })
    const next = layered(callOf({ targets, plan: policy }))
    await turns()
    expect(pulls).toHaveLength(2)
    pulls[1]?.resolve()
    expect(await next).toMatchObject({ status: 200 })
  })

  it('that was stopped serves nobody who comes while it is still ending', async () => {
    const { pulls, targets } = pullable()
    const layered = pull(services)(upstreamOf(missing, missing, ok))
    const client = new AbortController()
    const first = layered(callOf({ targets, plan: policy, signal: client.signal })).catch((error: Error) => error)
    await turns()
    client.abort(new GatewayError('gone', 'left'))
    expect(await first).toMatchObject({ kind: 'gone' })
    expect(pulls[0]?.signal.aborted).toBe(true)
    const second = layered(callOf({ targets, plan: policy }))
    await turns()
    expect(pulls).toHaveLength(2)
    pulls[0]?.reject(new GatewayError('not_pulled', 'it was stopped'))
    await turns()
    pulls[1]?.resolve()
    expect(await second).toMatchObject({ status: 200 })
  })

  it('is not begun for a client that has left already', async () => {
    const { pulls, targets } = pullable()
    const signal = AbortSignal.abort(new GatewayError('gone', 'left'))
    const layered = pull(services)(upstreamOf(missing))
    await expect(layered(callOf({ targets, plan: policy, signal }))).rejects.toMatchObject({ kind: 'gone' })
    expect(pulls.every((begun) => begun.signal.aborted)).toBe(true)
  })
})
