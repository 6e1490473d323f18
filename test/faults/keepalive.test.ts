import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ask, chat, errorOf, eventsOf, expectBrokenOff, noLists, open, until, wordsOf } from '../support/ask.ts'
import { ManualClock, type RunningGateway, startGateway } from '../support/gateway.ts'
import {
  chatAnswer,
  chatFrames,
  chunk,
  type FakeUpstream,
  fakeUpstream,
  json,
  silence,
  stream,
} from '../support/upstream.ts'

let slow: FakeUpstream
let good: FakeUpstream
let gateway: RunningGateway
let clock: ManualClock

beforeEach(async () => {
  slow = await fakeUpstream(silence)
  good = await fakeUpstream(stream(chatFrames('good', ' day')))
  clock = new ManualClock()
  const type = 'openai-compatible'
  const config = {
    providers: { slow: { type, baseURL: slow.url }, good: { type, baseURL: good.url } },
    models: { safe: { deployments: ['slow/m'], fallbacks: ['good/m'] } },
    streamTimeout: 30,
    timeout: 100,
  }
  gateway = await startGateway(config, { clock, services: noLists })
})

afterEach(async () => {
  await gateway.close()
  await slow.close()
  await good.close()
})

const waiting = chat('safe', { stream: true })

describe('A stream whose upstream is silent', () => {
  it('opens after ten seconds with a comment, and goes on with the fallback behind it', async () => {
    const reply = open(gateway, waiting)
    await until(() => slow.seen.length === 1)
    await clock.advance(10_000)
    const response = await reply
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(response.headers.get('x-samewire-model')).toBeNull()
    await clock.advance(20_000)
    await slow.seen[0]?.abandoned
    const text = await response.text()
    expect(text.startsWith(': keep-alive\n\n')).toBe(true)
    expect(wordsOf(text)).toBe('good day')
    expect(eventsOf(text).at(-1)?.data).toBe('[DONE]')
    await until(() => clock.waiting === 0)
  })

  it('sends no more comments once the answer has begun', async () => {
    const reply = open(gateway, waiting)
    await until(() => slow.seen.length === 1)
    await clock.advance(30_000)
    const text = await (await reply).text()
    const first = text.indexOf('data:')
    expect(text.slice(0, first)).toContain(': keep-alive')
    expect(text.slice(first)).not.toContain('keep-alive')
  })

  it('ends with an error event when nobody answers: the 200 is out', async () => {
    good.script(json(401, {}))
    const reply = open(gateway, waiting)
    await until(() => slow.seen.length === 1)
    await clock.advance(30_000)
    const response = await reply
    expect(response.status).toBe(200)
    expect(expectBrokenOff(await response.text())).toMatchObject({ type: 'server_error', code: 'upstream_timeout' })
    expect(clock.waiting).toBe(0)
  })

  it('is told its failure by the status when that comes in time', async () => {
    slow.script(json(401, {}))
    good.script(json(403, {}))
    const reply = await ask(gateway, waiting)
    expect([reply.status, errorOf(reply).code]).toEqual([502, 'upstream_credentials_rejected'])
  })

  it('is kept waiting by heartbeats no longer than by silence', async () => {
    slow.script(async (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(`: OPENROUTER PROCESSING\n\n${chunk({ role: 'assistant', content: '' })}`)
    })
    const reply = open(gateway, waiting)
    await until(() => slow.seen.length === 1)
    await clock.advance(30_000)
    await slow.seen[0]?.abandoned
    const text = await (await reply).text()
    expect(wordsOf(text)).toBe('good day')
    expect(text).not.toContain('OPENROUTER')
  })
})

describe('A whole answer whose upstream is silent', () => {
  it('is told as late when there is no fallback, and is waited for once', async () => {
    const reply = ask(gateway, chat('slow/m'))
    await until(() => slow.seen.length === 1)
    await clock.advance(100_000)
    const { status, ...rest } = await reply
    expect([status, errorOf({ status, ...rest })]).toEqual([
      504,
      {
        message: 'slow/m did not answer within 100 seconds.',
        type: 'server_error',
        param: null,
        code: 'upstream_timeout',
      },
    ])
    await slow.seen[0]?.abandoned
    expect(slow.seen).toHaveLength(1)
  })

  it('comes from the fallback once its time is over', async () => {
    good.script(json(200, chatAnswer('here', 'good')))
    const reply = ask(gateway, chat('safe'))
    await until(() => slow.seen.length === 1)
    await clock.advance(99_999)
    expect(good.seen).toEqual([])
    await clock.advance(1)
    const { status, headers } = await reply
    expect(status).toBe(200)
    expect(headers.get('x-samewire-model')).toBe('good/m')
    expect(headers.get('x-samewire-reason')).toBe('upstream_timeout')
  })
})
