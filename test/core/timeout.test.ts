import { describe, expect, it } from 'vitest'
import type { Call } from '../../src/core/call.ts'
import type { ByteStream } from '../../src/core/stream.ts'
import { timeout } from '../../src/layers/timeout.ts'
import { GatewayError } from '../../src/wire/errors.ts'
import { ManualClock } from '../support/gateway.ts'
import { answerOf, bytes, callOf, fakeProvider, listenTo, pumpOf, someLimits, targetOf } from '../support/sinks.ts'

const limits = { ...someLimits, timeout: 9_000, streamTimeout: 4_000, idleTimeout: 2_000 }
const targets = [targetOf(fakeProvider('p'), 'm', { limits })]

/** Never answers, and stops when its signal says so. */
const silent = ({ signal }: Call) =>
  new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('the transport’s own words')), { once: true })
  })

/** Opens a stream through the layer; its upstream breaks when its signal says so, as a transport's does. */
async function openStream(clock: ManualClock) {
  const { pump, source } = pumpOf()
  const layered = timeout({ clock, log: () => {} })(async ({ signal }) => {
    signal.addEventListener('abort', () => pump.break(signal.reason), { once: true })
    return answerOf(pump)
  })
  const { body } = await layered(callOf({ targets, stream: true }))
  return { pump, source, body: body as ByteStream }
}

describe('An attempt', () => {
  it.each([
    [false, 9_000],
    [true, 4_000],
  ])('that brings nothing (stream: %s) ends after %d ms', async (stream, ms) => {
    const clock = new ManualClock()
    const outcome = timeout({ clock, log: () => {} })(silent)(callOf({ targets, stream })).catch(
      (error: GatewayError) => error,
    )
    await clock.advance(ms - 1)
    expect(clock.waiting).toBe(1)
    await clock.advance(1)
    expect(await outcome).toMatchObject({
      kind: 'timeout',
      status: 504,
      message: `p/m did not answer within ${ms / 1000} seconds.`,
    })
  })

  it('ends with the client’s reason when the client leaves, and leaves no timer', async () => {
    const clock = new ManualClock()
    const client = new AbortController()
    const outcome = timeout({ clock, log: () => {} })(silent)(callOf({ targets, signal: client.signal })).catch(
      (error: Error) => error,
    )
    client.abort(new GatewayError('gone', 'left'))
    expect(await outcome).toMatchObject({ kind: 'gone' })
    expect(clock.waiting).toBe(0)
  })

  it('does not begin for a client that has left', async () => {
    const signal = AbortSignal.abort(new GatewayError('gone', 'left'))
    let aborted: boolean | undefined
    await timeout({ clock: new ManualClock(), log: () => {} })(async (call) => {
      aborted = call.signal.aborted
      return answerOf(bytes(''))
    })(callOf({ targets, signal }))
    expect(aborted).toBe(true)
  })

  it('that answered has no time to run out of', async () => {
    const clock = new ManualClock()
    await timeout({ clock, log: () => {} })(async () => answerOf(bytes('{}')))(callOf({ targets }))
    expect(clock.waiting).toBe(0)
  })
})

describe('A stream', () => {
  it('may take as long as it likes while it goes on', async () => {
    const clock = new ManualClock()
    const { pump, body } = await openStream(clock)
    const ear = listenTo(body)
    for (let second = 0; second < 20; second++) {
      await clock.advance(1_900)
      pump.push(bytes('x'))
    }
    pump.finish()
    expect(ear.said).toBe(`${'x'.repeat(20)}<end>`)
    expect(clock.waiting).toBe(0)
  })

  it('is broken off when nothing more comes, after the idle time and at most a quarter more', async () => {
    const clock = new ManualClock()
    const { pump, body } = await openStream(clock)
    const ear = listenTo(body)
    pump.push(bytes('x'))
    await clock.advance(1_999)
    expect(ear.heard).toEqual(['x'])
    await clock.advance(501)
    expect(ear.heard).toEqual(['x', '<fail p/m sent nothing more within 2 seconds.>'])
    expect(clock.waiting).toBe(0)
  })

  it('is not broken off because its reader does not read', async () => {
    const clock = new ManualClock()
    const { pump, body } = await openStream(clock)
    const ear = listenTo(body)
    body.pause()
    await clock.advance(60_000)
    body.resume()
    pump.push(bytes('x'))
    pump.finish()
    expect(ear.heard).toEqual(['x', '<end>'])
  })

  it('leaves no timer when it is cancelled or breaks', async () => {
    const clock = new ManualClock()
    const cancelled = await openStream(clock)
    listenTo(cancelled.body)
    cancelled.body.cancel('enough')
    expect(cancelled.source.asked).toEqual(['cancel enough'])
    const broken = await openStream(clock)
    const ear = listenTo(broken.body)
    broken.pump.break(new Error('reset'))
    expect(ear.heard).toEqual(['<fail reset>'])
    expect(clock.waiting).toBe(0)
  })
})
