import { describe, expect, it } from 'vitest'
import { type AskOptions, ask, chat, noLists, open } from '../support/ask.ts'
import { gatewayStarter, ManualClock, serveUpstreams } from '../support/gateway.ts'
import { unrepeating } from '../support/unrepeating.ts'
import { chatFrames, json, type Script } from '../support/upstream.ts'

const { lab } = serveUpstreams({ lab: unrepeating() })
const start = gatewayStarter()

const env = { KEY_A: 'sk-a-secret', KEY_B: 'sk-b-secret' }

async function gatewayWith(more: object = {}, clock?: ManualClock) {
  const providers = { lab: { type: 'openai-compatible', baseURL: lab.url } }
  const config = { providers, keys: ['env:KEY_A', 'env:KEY_B'], retries: 0, cooldown: false, ...more }
  return await start(config as never, { env, services: noLists, ...(clock && { clock }) })
}

function under(key: string, secret = env.KEY_A): AskOptions {
  return { headers: { authorization: `Bearer ${secret}`, 'idempotency-key': key } }
}

const isReplayed = (reply: { readonly headers: Headers }) => reply.headers.get('idempotent-replayed')

describe('A request that is sent again under the same key', () => {
  it.each([
    ['whole', chat('lab/m')],
    ['as a stream', chat('lab/m', { stream: true })],
  ])('gets the answer that it got, byte for byte, %s', async (_, body) => {
    const gateway = await gatewayWith()
    const first = await ask(gateway, body, under('k1'))
    const second = await ask(gateway, body, under('k1'))
    expect(second.text).toBe(first.text)
    expect([isReplayed(first), isReplayed(second)]).toEqual([null, 'true'])
    expect(second.headers.get('content-type')).toBe(first.headers.get('content-type'))
    expect(second.headers.get('x-samewire-model')).toBe('lab/m')
    expect(second.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'))
    expect(lab.seen).toHaveLength(1)
  })

  it('gets it in the words of its API', async () => {
    const gateway = await gatewayWith()
    const body = { model: 'lab/m', max_tokens: 5, messages: [{ role: 'user', content: 'hi' }] }
    const first = await ask(gateway, body, { ...under('k1'), path: '/messages' })
    const second = await ask(gateway, body, { ...under('k1'), path: '/messages' })
    expect([isReplayed(second), second.text]).toEqual(['true', first.text])
    expect(JSON.parse(first.text).type).toBe('message')
  })

  it('is refused if it is another request, with no status that old clients repeat', async () => {
    const gateway = await gatewayWith()
    await ask(gateway, chat('lab/m'), under('k1'))
    const other = await ask(gateway, chat('lab/m', { seed: 1 }), under('k1'))
    expect(other.status).toBe(400)
    expect(JSON.parse(other.text).error).toMatchObject({
      code: 'idempotency_key_reused',
      type: 'invalid_request_error',
    })
    expect(lab.seen).toHaveLength(1)
  })

  it('is a new one from another client, under another key, or without any', async () => {
    const gateway = await gatewayWith()
    const asks = [
      under('k1'),
      under('k1', env.KEY_B),
      under('k2'),
      { headers: { authorization: 'Bearer sk-a-secret' } },
    ]
    const texts: string[] = []
    for (const options of asks) texts.push((await ask(gateway, chat('lab/m'), options)).text)
    expect(new Set(texts).size).toBe(4)
  })

  it('is tried again if it failed', async () => {
    lab.script(json(500, { error: { message: 'no' } }), unrepeating())
    const gateway = await gatewayWith()
    expect((await ask(gateway, chat('lab/m'), under('k1'))).status).toBe(502)
    const second = await ask(gateway, chat('lab/m'), under('k1'))
    expect([second.status, isReplayed(second)]).toEqual([200, null])
  })

  it('is tried again if its stream broke off', async () => {
    const broken: Script = (_, response, socket) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(chatFrames('a').slice(0, 2).join(''), () => socket.resetAndDestroy())
    }
    lab.script(broken, unrepeating())
    const gateway = await gatewayWith()
    const body = chat('lab/m', { stream: true })
    expect((await ask(gateway, body, under('k1'))).text).toContain('"error"')
    expect((await ask(gateway, body, under('k1'))).text).toContain('answe')
  })

  it('is a new one after ten minutes', async () => {
    const clock = new ManualClock()
    const gateway = await gatewayWith({}, clock)
    await ask(gateway, chat('lab/m'), under('k1'))
    await clock.advance(599_000)
    expect(isReplayed(await ask(gateway, chat('lab/m'), under('k1')))).toBe('true')
    await clock.advance(1_000)
    expect(isReplayed(await ask(gateway, chat('lab/m'), under('k1')))).toBe(null)
  })

  it('joins the one that is under way, also when its client has lost that', async () => {
    const frames = chatFrames('one', 'two')
    const told = Promise.withResolvers<void>()
    lab.script(async (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(frames.slice(0, 2).join(''))
      await told.promise
      response.end(frames.slice(2).join(''))
    })
    const gateway = await gatewayWith()
    const body = chat('lab/m', { stream: true })
    const lost = new AbortController()
    await open(gateway, body, { ...under('k1'), signal: lost.signal })
    lost.abort()
    for (let turns = 0; turns < 200; turns++) await new Promise((turn) => setImmediate(turn))
    const again = await open(gateway, body, under('k1'))
    expect(isReplayed(again)).toBe('true')
    told.resolve()
    expect(await again.text()).toBe(frames.join(''))
    expect(lab.seen).toHaveLength(1)
  })

  it('ends at its upstream if its client does not come back', async () => {
    const clock = new ManualClock()
    lab.script((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(chatFrames('one').slice(0, 2).join(''))
    })
    const gateway = await gatewayWith({}, clock)
    const lost = new AbortController()
    await open(gateway, chat('lab/m', { stream: true }), { ...under('k1'), signal: lost.signal })
    lost.abort()
    for (let turns = 0; turns < 200; turns++) await new Promise((turn) => setImmediate(turn))
    await clock.advance(10_000)
    await lab.seen[0]?.abandoned
  })

  it('gets the answer also where answers are kept anyway', async () => {
    const gateway = await gatewayWith({ cache: { ttl: 60 } })
    const first = await ask(gateway, chat('lab/m'), under('k1'))
    const kept = await ask(gateway, chat('lab/m'), under('k2'))
    expect([kept.headers.get('x-samewire-cache'), kept.text]).toEqual(['hit', first.text])
    const again = await ask(gateway, chat('lab/m'), under('k1'))
    expect([isReplayed(again), again.text]).toEqual(['true', first.text])
  })

  it('may not have a key of any length', async () => {
    const gateway = await gatewayWith()
    const reply = await ask(gateway, chat('lab/m'), under('k'.repeat(256)))
    expect([reply.status, JSON.parse(reply.text).error.code]).toEqual([400, 'idempotency_key_too_long'])
  })
})
