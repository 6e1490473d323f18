import { describe, expect, it } from 'vitest'
import { chat, errorOf, wordsOf } from '../support/ask.ts'
import { serveUpstreams } from '../support/gateway.ts'
import { dollar, inTime, payingStarter } from '../support/paying.ts'
import { chatAnswer, chatFrames, json, stream } from '../support/upstream.ts'

const usage = { prompt_tokens: 100, completion_tokens: 50, total_tokens: 150 }
const answered = (more: object = {}) => json(200, { ...(chatAnswer('hello') as object), usage, ...more })
const { up, other } = serveUpstreams({ up: answered(), other: answered() })
const start = payingStarter()

/** A token of input costs 1,000 nano-dollars, one of output 10,000. */
const price = { input: 1, output: 10 }
const config = (more: object = {}) => ({
  providers: {
    up: { type: 'openai-compatible' as const, baseURL: up.url },
    other: { type: 'openai-compatible' as const, baseURL: other.url },
  },
  models: {
    m: { deployments: [{ model: 'up/m', price, ...more }], retries: 0 },
    both: {
      deployments: [
        { model: 'up/m', price, weight: 1 },
        { model: 'other/m', price: { ...price, serviceTiers: { priority: 2 } }, weight: 0 },
      ],
    },
  },
})
const body = (more: object = {}) => chat('m', { max_tokens: 100, ...more })

describe('A service tier without a price', () => {
  const paths: readonly (readonly [string, object])[] = [
    ['/chat/completions', body()],
    ['/chat/completions', body({ stream: true })],
    ['/completions', { model: 'm', prompt: 'hi', max_tokens: 100 }],
    ['/responses', { model: 'm', input: 'hi', store: false }],
    ['/embeddings', { model: 'm', input: 'hi' }],
    ['/messages', { model: 'm', max_tokens: 100, messages: [{ role: 'user', content: 'hi' }] }],
  ]

  it.each(paths)('is refused by its name under a budget, at %s', async (path, asked) => {
    const { ask, spent } = await start(config(), { budget: dollar })
    const reply = await ask({ ...asked, service_tier: 'priority' }, { path })
    expect(reply.status).toBe(403)
    expect(reply.text).toContain('in the service tier `priority` isn')
    expect([up.seen.length, await spent()]).toEqual([0, 0])
  })

  it.each(['x', '', 'DEFAULT', 'Priority'])('is refused whatever it is called: "%s"', async (service_tier) => {
    const { ask } = await start(config(), { budget: dollar })
    const reply = await ask(body({ service_tier }))
    expect([reply.status, errorOf(reply)]).toEqual([
      403,
      expect.objectContaining({ code: 'model_unpriced', param: 'service_tier' }),
    ])
  })

  it('is refused where the configuration asks for it', async () => {
    const { ask } = await start(config({ overrides: { service_tier: 'priority' } }), { budget: dollar })
    expect((await ask(body())).status).toBe(403)
  })

  it('has another deployment answer that has one', async () => {
    const { ask } = await start(config(), { budget: dollar })
    const reply = await ask({ ...body({ service_tier: 'priority' }), model: 'both' })
    expect([reply.status, reply.headers.get('x-samewire-model')]).toEqual([200, 'other/m'])
  })

  it('is for keys that are allowed what has no bound, which pay the most of the prices that are known', async () => {
    up.script(answered({ service_tier: 'priority' }))
    const { ask, rows, spent, held } = await start(config(), { budget: dollar, allowUnbounded: true })
    expect((await ask(body({ service_tier: 'priority' }))).status).toBe(200)
    expect(rows).toMatchObject([{ cost: null, usageSource: 'bounded', priceSource: 'configured' }])
    expect([await spent(), await held()]).toEqual([rows[0]?.booked, 0])
    expect(await spent()).toBeGreaterThan(100 * 10_000)
    const poor = await start(config(), { budget: 1, allowUnbounded: true })
    expect((await poor.ask(body({ service_tier: 'priority' }))).status).toBe(429)
  })

  it('is no hindrance to who has no budget', async () => {
    const { ask } = await start(config(), {})
    expect((await ask(body({ service_tier: 'priority' }))).status).toBe(200)
  })
})

describe('A model that is free', () => {
  const demo = { providers: { demo: { type: 'embedded' as const } } }
  const asked = (more: object = {}) => chat('demo/tiny-chat', { max_tokens: 4, ...more })

  it.each([
    ['whole', false],
    ['as a stream', true],
  ])('answers in any service tier under a budget, for nothing: %s', async (_, isStream) => {
    const { ask, clock, rows, spent, held } = await start(demo, { budget: 1 })
    // It lets others have their turn, by the clock, and takes its time to load.
    const reply = await inTime(clock, ask(asked({ stream: isStream, service_tier: 'priority' })), 0)
    expect(reply.status).toBe(200)
    expect(isStream ? wordsOf(reply.text) : JSON.parse(reply.text).choices[0].message.content).toMatch(/\w/)
    await expect.poll(() => rows.length).toBe(1)
    expect(rows).toMatchObject([{ cost: 0, booked: 0, priceSource: 'free' }])
    expect([await spent(), await held()]).toEqual([0, 0])
  })

  it('answers in place of one without a price for that tier', async () => {
    const { ask, clock, spent } = await start(
      {
        providers: { ...config().providers, ...demo.providers },
        models: { m: { deployments: [{ model: 'up/m', price }, 'demo/tiny-chat'] } },
      },
      { budget: dollar },
    )
    const reply = await inTime(clock, ask(body({ max_tokens: 4, service_tier: 'priority' })), 0)
    expect([reply.status, reply.headers.get('x-samewire-model')]).toEqual([200, 'demo/tiny-chat'])
    expect([up.seen.length, await spent()]).toEqual([0, 0])
  })
})

describe('An answer that says it came by a service tier without a price', () => {
  const usageFrame = `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', choices: [], usage, service_tier: 'priority' })}\n\n`
  const words = chatFrames('hel', 'lo')

  it.each([
    ['whole', answered({ service_tier: 'priority' }), {}],
    ['as a stream', stream([...words.slice(0, -1), usageFrame, 'data: [DONE]\n\n']), { stream: true }],
  ])('costs the most that was held for it: %s', async (_, script, more) => {
    up.script(script)
    const { ask, rows, spent, held } = await start(config(), { budget: dollar })
    expect((await ask(body(more))).status).toBe(200)
    await expect.poll(() => rows.length).toBe(1)
    expect(rows).toMatchObject([{ cost: null, usageSource: 'bounded', priceSource: 'configured', input: 100 }])
    expect([await spent(), await held()]).toEqual([rows[0]?.booked, 0])
    expect(await spent()).toBeGreaterThan(100 * 10_000)
  })

  it('leaves no budget that lasts for ever', async () => {
    up.script(...Array.from({ length: 20 }, () => answered({ service_tier: 'priority' })))
    const limit = 5_000_000
    const { ask, spent } = await start(config(), { budget: limit })
    const all: number[] = []
    for (let n = 0; n < 20; n++) all.push((await ask(body())).status)
    expect(all).toContain(200)
    expect(all.at(-1)).toBe(429)
    expect(await spent()).toBeLessThanOrEqual(limit)
  })
})

it('A request that failed has in its row where the price is from that it was booked at', async () => {
  up.script(json(500, { error: { message: 'oops' } }))
  const { ask, rows } = await start(config(), { budget: dollar })
  await ask(body())
  expect(rows).toMatchObject([{ usageSource: 'bounded', priceSource: 'configured' }])
})
