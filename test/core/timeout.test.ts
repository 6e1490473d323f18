import { describe, expect, it } from 'vitest'
import type { Call } from '../../src/core/call.ts'
import { timeout } from '../../src/layers/timeout.ts'
import { GatewayError } from '../../src/wire/errors.ts'
import { ManualClock } from '../support/gateway.ts'
import { answerOf, bytes, callOf, fakeProvider, Listener, pumpOf, someLimits, targetOf } from '../support/sinks.ts'
import { chunk } from '../support/upstream.ts'

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
  const answer = await layered(callOf({ targets, stream: true }))
  return { pump, source, listen: () => new Listener(answer, clock) }
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

const event = chunk({ content: 'x' })

describe('A stream', () => {
  it('may take as long as it likes while it goes on', async () => {
    const clock = new ManualClock()
    const { pump, listen } = await openStream(clock)
    const { ear } = listen()
    for (let second = 0; second < 20; second++) {
      await clock.advance(1_900)
      pump.push(bytes(event))
    }
    pump.finish()
    expect(ear.said).toBe(`${event.repeat(20)}<end>`)
    expect(clock.waiting).toBe(0)
  })

  it('is broken off when nothing more comes, after the idle time and at most a quarter more', async () => {
    const clock = new ManualClock()
    const { pump, listen } = await openStream(clock)
    const { ear } = listen()
    pump.push(bytes(event))
    await clock.advance(1_999)
    expect(ear.heard).toEqual([event])
    await clock.advance(501)
    expect(ear.heard).toEqual([event, '<fail p/m sent nothing more within 2 seconds.>'])
    expect(clock.waiting).toBe(0)
  })

  it.each([
    ['comments', ': still here\n\n', 1],
    ['comments cut anywhere', ': still here, data: 1\n\n', 3],
    ['blank lines', '\n\r\n\r', 1],
    ['empty events', 'data:\n\ndata: \n\n', 2],
    ['events without data', 'event: ping\n\n', 4],
    ['empty deltas', chunk({ content: '' }) + chunk({ role: 'assistant', content: null, tool_calls: [] }), 1],
    ['empty deltas with comments', `: wait\n\n${chunk({})}event: ping\n\n`, 1],
    ['chunks without choices', 'data: {"choices":[],"usage":null}\r\n\r\ndata: {"type":"ping"}\r\n\r\n', 1],
    ['fields that begin like data', 'd: 1\n\ndat: 1\n\ndatum: 1\n\ndata1: 1\n\ndatadata: 1\n\n', 2],
  ])('is broken off all the same when no more than %s come', async (_what, text, cuts) => {
    const clock = new ManualClock()
    const { pump, listen } = await openStream(clock)
    const { ear } = listen()
    pump.push(bytes(event))
    const size = Math.ceil(text.length / cuts)
    for (let second = 0; second < 6 && !ear.said.includes('<fail'); second++) {
      for (let at = 0; at < text.length; at += size) pump.push(bytes(text.slice(at, at + size)))
      await clock.advance(500)
    }
    expect(ear.heard.at(-1)).toBe('<fail p/m sent nothing more within 2 seconds.>')
  })

  it('is alive when its data comes byte by byte, among comments', async () => {
    const clock = new ManualClock()
    const { pump, listen } = await openStream(clock)
    const { ear } = listen()
    for (const byte of `: wait\n\ndata: {"x":1}\n\n`.repeat(4)) {
      pump.push(bytes(byte))
      await clock.advance(100)
    }
    pump.finish()
    expect(ear.heard.at(-1)).toBe('<end>')
  })

  it.each([
    ['content', chunk({ content: 'x' })],
    ['reasoning', chunk({ content: '', reasoning_content: 'hm' })],
    ['a piece of a call', chunk({ tool_calls: [{ index: 0, function: { arguments: '{' } }] })],
    ['a finish', chunk({}, 'stop')],
    ['usage', 'data: {"choices":[],"usage":{"total_tokens":3}}\n\n'],
    ['an empty delta before more', chunk({ content: '' }) + chunk({ content: 'x' })],
    ['what is no JSON', 'data: soon\n\n'],
  ])('is alive while it brings %s', async (_what, text) => {
    const clock = new ManualClock()
    const { pump, listen } = await openStream(clock)
    const { ear } = listen()
    for (let second = 0; second < 6; second++) {
      await clock.advance(1_900)
      pump.push(bytes(text))
    }
    pump.finish()
    expect(ear.heard.at(-1)).toBe('<end>')
  })

  it('is not broken off because its reader does not read', async () => {
    const clock = new ManualClock()
    const { pump, listen } = await openStream(clock)
    const client = listen()
    client.pause()
    await clock.advance(60_000)
    client.resume()
    pump.push(bytes(event))
    pump.finish()
    expect(client.ear.heard).toEqual([event, '<end>'])
  })

  it('leaves no timer when it is cancelled or breaks', async () => {
    const clock = new ManualClock()
    const cancelled = await openStream(clock)
    cancelled.listen().cancel('enough')
    expect(cancelled.source.asked).toEqual(['cancel enough'])
    const broken = await openStream(clock)
    const { ear } = broken.listen()
    broken.pump.break(new Error('reset'))
    expect(ear.heard).toEqual(['<fail reset>'])
    expect(clock.waiting).toBe(0)
  })
})
