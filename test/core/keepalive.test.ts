import { describe, expect, it } from 'vitest'
import type { Answer } from '../../src/core/answer.ts'
import { keepAlive } from '../../src/layers/keepalive.ts'
import { GatewayError } from '../../src/wire/errors.ts'
import { eventsOf, expectBrokenOff } from '../support/ask.ts'
import { ManualClock } from '../support/gateway.ts'
import { answerOf, bytes, callOf, Listener, pumpOf, turns } from '../support/sinks.ts'

interface Pending {
  readonly clock: ManualClock
  readonly answered: Promise<Answer>
  readonly answer: (answer: Answer) => Promise<void>
  readonly fail: (error: unknown) => Promise<void>
}

function pending(stream = true): Pending {
  const clock = new ManualClock()
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const call = callOf({ stream })
  const answered = keepAlive({ clock, random: Math.random, ms: 10_000, log() {} })(() => promise)(call)
  answered.catch(() => {})
  return {
    clock,
    answered,
    answer(answer) {
      call.trace.attempts.push({ deployment: 'p/late', at: 0, ms: 1 })
      resolve(answer)
      return turns()
    },
    fail(error) {
      reject(error)
      return turns()
    },
  }
}

const opened = async ({ answered, clock }: Pending): Promise<Listener> => new Listener(await answered, clock)

describe('A client that waits for a stream', () => {
  it('gets the answer as it is when it comes in time', async () => {
    const waiting = pending()
    await waiting.clock.advance(9_999)
    const { pump } = pumpOf()
    const answer = answerOf(pump)
    await waiting.answer(answer)
    expect(await waiting.answered).toMatchObject({ status: 200, headers: {} })
    expect(waiting.clock.waiting).toBe(0)
  })

  it('gets the failure as it is when it comes in time', async () => {
    const waiting = pending()
    await waiting.fail(new GatewayError('auth', 'no'))
    await expect(waiting.answered).rejects.toMatchObject({ kind: 'auth' })
    expect(waiting.clock.waiting).toBe(0)
  })

  it('hears a comment every ten seconds, then the stream behind it', async () => {
    const waiting = pending()
    await waiting.clock.advance(10_000)
    const answer = await waiting.answered
    expect(answer).toMatchObject({ status: 200, headers: { 'content-type': 'text/event-stream; charset=utf-8' } })
    const { ear } = new Listener(answer, waiting.clock)
    await waiting.clock.advance(20_000)
    expect(ear.said).toBe(': keep-alive\n\n'.repeat(3))
    const { pump } = pumpOf()
    await waiting.answer(answerOf(pump))
    pump.push(bytes('data: 1\n\n'))
    pump.finish()
    expect(eventsOf(ear.said.replace('<end>', ''))).toEqual([{ data: '1' }])
    expect(ear.said).toContain(': x-samewire-model: p/late\n\n')
    expect(ear.heard.at(-1)).toBe('<end>')
    expect(waiting.clock.waiting).toBe(0)
  })

  it('hears of a failure in an error event once the 200 is out', async () => {
    const waiting = pending()
    await waiting.clock.advance(10_000)
    const { ear } = await opened(waiting)
    await waiting.fail(new GatewayError('rate_limit', 'too much'))
    expect(ear.heard.at(-1)).toBe('<end>')
    expect(expectBrokenOff(ear.said.replace('<end>', ''))).toMatchObject({ code: 'rate_limit_exceeded' })
    expect(waiting.clock.waiting).toBe(0)
  })

  it('hears nothing of what went wrong inside the gateway', async () => {
    const waiting = pending()
    await waiting.clock.advance(10_000)
    const { ear } = await opened(waiting)
    await waiting.fail(new TypeError('secret detail'))
    expect(ear.said).toContain('internal_error')
    expect(ear.said).not.toContain('secret detail')
  })

  it('stops the beat and the stream when it leaves', async () => {
    const waiting = pending()
    await waiting.clock.advance(10_000)
    const client = await opened(waiting)
    const { pump, source } = pumpOf()
    await waiting.answer(answerOf(pump))
    client.cancel('left')
    expect(source.asked).toEqual(['cancel left'])
    expect(waiting.clock.waiting).toBe(0)
    const other = pending()
    await other.clock.advance(10_000)
    ;(await opened(other)).cancel('left')
    expect(other.clock.waiting).toBe(0)
  })

  it('slows the stream behind the comments down when it reads slowly', async () => {
    const waiting = pending()
    await waiting.clock.advance(10_000)
    const client = await opened(waiting)
    client.pause()
    const { pump, source } = pumpOf()
    await waiting.answer(answerOf(pump))
    pump.push(bytes('a'))
    expect(source.asked).toEqual(['pause'])
    client.resume()
    pump.finish()
    expect(source.asked).toEqual(['pause', 'resume'])
    expect(client.ear.said.endsWith('a<end>')).toBe(true)
  })
})

describe('A client that waits for a whole answer', () => {
  it('hears no comments: there is no place for them', async () => {
    const waiting = pending(false)
    await waiting.clock.advance(100_000)
    await waiting.answer(answerOf(bytes('{}')))
    expect((await waiting.answered).body).toEqual(bytes('{}'))
  })
})
