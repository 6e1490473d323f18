import { describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/schema.ts'
import type { Clock } from '../../src/core/clock.ts'
import { ask, chat, contentOf, errorOf, hastyClock, noLists, type Reply } from '../support/ask.ts'
import { gatewayStarter, ManualClock, type RunningGateway, serveUpstreams } from '../support/gateway.ts'
import { chatAnswer, chatFrames, json, type Script, stream } from '../support/upstream.ts'

const type = 'openai-compatible'
const failing = json(500, { error: { message: 'oops' } })
const refusing = (status: number, code: string, headers: Record<string, string> = {}): Script =>
  json(status, { error: { message: code, code, type: 'x', param: null } }, headers)

const { first, second } = serveUpstreams({ first: failing, second: json(200, chatAnswer('second')) })
const serve = gatewayStarter()

async function start<C extends Clock = ManualClock>(more: Config = {}, clock = new ManualClock() as Clock as C) {
  const config: Config = {
    providers: { a: { type, baseURL: first.url, apiKey: 'env:A' }, b: { type, baseURL: second.url, apiKey: 'env:A' } },
    models: { m: { deployments: ['a/m'], fallbacks: ['b/m'] }, alone: 'a/m' },
    retries: 0,
    ...more,
  }
  const gateway = await serve(config, { clock, random: () => 0.5, services: noLists, env: { A: 'sk-a' } })
  return { gateway, clock }
}

async function askOften(gateway: RunningGateway, times: number, model = 'm', more = {}): Promise<Reply[]> {
  const replies: Reply[] = []
  for (let time = 0; time < times; time++) replies.push(await ask(gateway, chat(model, more)))
  return replies
}

describe('A deployment that keeps failing', () => {
  it('is no longer asked, and its fallback answers at the first attempt', async () => {
    const { gateway } = await start()
    const replies = await askOften(gateway, 8)
    expect(replies.map(({ status }) => status)).toEqual(Array(8).fill(200))
    expect(first.seen).toHaveLength(5)
    expect(replies.map(({ headers }) => headers.get('x-samewire-attempts'))).toEqual([
      ...Array(5).fill('2'),
      '1',
      '1',
      '1',
    ])
  })

  it('is asked once when its time is over, and again by everybody when that went well', async () => {
    const { gateway, clock } = await start()
    await askOften(gateway, 5)
    await clock.advance(5_000)
    await askOften(gateway, 2)
    expect(first.seen).toHaveLength(6)
    first.script(json(200, chatAnswer('first')))
    await clock.advance(9_999)
    await askOften(gateway, 1)
    expect(first.seen).toHaveLength(6)
    await clock.advance(1)
    const replies = await askOften(gateway, 3)
    expect(replies.map(({ text }) => contentOf(text))).toEqual(['first', 'first', 'first'])
  })

  it('is asked all the same if there is no other', async () => {
    const { gateway } = await start()
    const replies = await askOften(gateway, 7, 'alone')
    expect(replies.map(({ status }) => status)).toEqual(Array(7).fill(502))
    expect(first.seen).toHaveLength(7)
    first.script(json(200, chatAnswer('back')))
    expect(contentOf((await ask(gateway, chat('alone'))).text)).toBe('back')
  })

  it('is not asked, and the client is told when to come back, where the configuration says `reject`', async () => {
    const { gateway } = await start({ onExhausted: 'reject' })
    await askOften(gateway, 5, 'alone')
    const reply = await ask(gateway, chat('alone'))
    expect([reply.status, errorOf(reply).code]).toEqual([503, 'capacity_exhausted'])
    expect(reply.headers.get('retry-after')).toBe('5')
    expect(reply.headers.get('x-should-retry')).toBe('false')
    expect(first.seen).toHaveLength(5)
  })

  it('is asked for ever where the configuration wants no cooldown', async () => {
    const { gateway } = await start({ cooldown: false })
    await askOften(gateway, 9)
    expect(first.seen).toHaveLength(9)
  })

  it('is left alone after as many failures as the configuration allows', async () => {
    const { gateway } = await start({ cooldown: { allowedFails: 1, cooldownTime: 60 } })
    await askOften(gateway, 3)
    expect(first.seen).toHaveLength(1)
  })

  it('counts streams that break after their first content', async () => {
    const [role = '', hello = ''] = chatFrames('hello')
    const { gateway } = await start({ cooldown: { allowedFails: 2 } })
    first.script(stream([role, hello]))
    second.script(stream(chatFrames('second')))
    await askOften(gateway, 4, 'm', { stream: true })
    expect(first.seen).toHaveLength(2)
  })
})

describe('A deployment that says why it refuses', () => {
  it.each<[string, Script, number]>([
    ['too many requests: for as long as it asks', refusing(429, 'rate_limit_exceeded', { 'retry-after': '30' }), 30],
    ['too many requests, without a time', refusing(429, 'rate_limit_exceeded'), 5],
    ['a used-up quota: for minutes', refusing(429, 'insufficient_quota'), 300],
    ['wrong credentials: for minutes', refusing(401, 'invalid_api_key'), 300],
  ])('is left alone after one attempt: %s', async (_what, script, seconds) => {
    const { gateway, clock } = await start()
    first.script(script)
    await askOften(gateway, 2)
    expect(first.seen).toHaveLength(1)
    await clock.advance(seconds * 1000 - 1)
    await askOften(gateway, 1)
    expect(first.seen).toHaveLength(1)
    await clock.advance(1)
    await askOften(gateway, 1)
    expect(first.seen).toHaveLength(2)
  })

  it('isn’t retried meanwhile if another deployment is there', async () => {
    const { gateway } = await start({ retries: 3 })
    first.script(refusing(429, 'rate_limit_exceeded', { 'retry-after': '1' }))
    const [reply] = await askOften(gateway, 1)
    expect(reply?.headers.get('x-samewire-attempts')).toBe('2')
  })

  it.each<[string, Script]>([
    ['the caller’s own fault', json(400, { error: { message: 'temperature must be below 2' } })],
    ['a missing model', refusing(404, 'model_not_found')],
    ['a prompt that is too long', refusing(400, 'context_length_exceeded')],
    ['a model that is loading', json(503, { error: { message: 'Loading model', code: 503 } })],
  ])('is asked again at once after %s', async (_what, script) => {
    const { gateway } = await start()
    first.script(script)
    await askOften(gateway, 12)
    expect(first.seen).toHaveLength(12)
  })
})

describe('A fallback for one kind of failure', () => {
  const models: Config['models'] = {
    m: {
      deployments: ['a/m'],
      contextWindowFallbacks: ['b/long'],
      contentPolicyFallbacks: ['b/free'],
    },
  }

  it.each([
    ['context_length_exceeded', 'b/long'],
    ['content_policy_violation', 'b/free'],
  ])('answers after %s', async (code, served) => {
    const { gateway } = await start({ models })
    first.script(refusing(400, code))
    const reply = await ask(gateway, chat('m'))
    expect([reply.status, reply.headers.get('x-samewire-model')]).toEqual([200, served])
  })

  it('is not asked after another failure', async () => {
    const { gateway } = await start({ models })
    expect((await ask(gateway, chat('m'))).status).toBe(502)
    expect(second.seen).toEqual([])
  })

  it('a refusal goes to none of the other fallbacks', async () => {
    const { gateway } = await start({ models: { m: { deployments: ['a/m', 'b/m'], fallbacks: ['b/other'] } } })
    first.script(refusing(400, 'content_policy_violation'))
    second.script(refusing(400, 'content_policy_violation'))
    const reply = await ask(gateway, chat('m'))
    expect([reply.status, errorOf(reply).code]).toEqual([400, 'content_policy_violation'])
    expect(first.seen.length + second.seen.length).toBe(1)
  })

  describe('for long requests', () => {
    const layered: Config['models'] = {
      m: { deployments: ['a/m', 'a/same'], fallbacks: ['a/f'], contextWindowFallbacks: ['b/long'] },
    }
    const asked = () => first.seen.map(({ body }) => (JSON.parse(body) as { model: string }).model)

    it('comes before the others, which would most likely refuse it too', async () => {
      const { gateway } = await start({ models: layered })
      first.script(refusing(400, 'context_length_exceeded'))
      const reply = await ask(gateway, chat('m'))
      expect([reply.headers.get('x-samewire-model'), first.seen.length]).toEqual(['b/long', 1])
    })

    it('is no reason to leave the others out when it fails', async () => {
      const { gateway } = await start({ models: layered })
      first.script(refusing(400, 'context_length_exceeded'), json(200, chatAnswer('x')))
      second.script(failing)
      const reply = await ask(gateway, chat('m'))
      expect([reply.status, second.seen.length, asked().length]).toEqual([200, 1, 2])
    })

    it('comes after a model that the request names', async () => {
      const { gateway } = await start({ models: layered })
      first.script(refusing(400, 'context_length_exceeded'))
      const reply = await ask(gateway, chat('m', { models: ['a/named'] }))
      expect([asked(), reply.headers.get('x-samewire-model')]).toEqual([[expect.any(String), 'named'], 'b/long'])
    })
  })

  it('for long requests answers also when the length is known before anybody is asked', async () => {
    const small = { model: 'a/m', contextWindow: 10 }
    const model = { deployments: [small], fallbacks: ['a/f'], contextWindowFallbacks: ['b/long'] }
    const { gateway } = await start({ models: { m: model } })
    const reply = await ask(gateway, chat('m', { messages: [{ role: 'user', content: 'word '.repeat(500) }] }))
    expect([reply.status, reply.headers.get('x-samewire-model')]).toEqual([200, 'b/long'])
    expect(first.seen).toEqual([])
  })
})

describe('A request has a budget', () => {
  it('of attempts, on all its targets together', async () => {
    second.script(failing)
    const { gateway } = await start({ maxAttempts: 3, retries: 9 }, hastyClock())
    const reply = await ask(gateway, chat('m'))
    expect([reply.status, first.seen.length + second.seen.length]).toEqual([502, 3])
  })

  it('of time, after which nothing more is tried', async () => {
    second.script(failing)
    const { gateway } = await start({ requestTimeout: 0.3, retries: 9, cooldown: false }, hastyClock())
    const reply = await ask(gateway, chat('m'))
    // The first wait is 0.25 s, the second would be 0.5 s.
    expect([reply.status, first.seen.length, second.seen.length]).toEqual([502, 2, 1])
  })
})
