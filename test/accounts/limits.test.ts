import { describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/schema.ts'
import type { KeyLimits } from '../../src/state/key.ts'
import { keptInMemory } from '../support/accounting.ts'
import { ask, chat, errorOf, noLists, open, wordsOf } from '../support/ask.ts'
import { gatewayStarter, ManualClock, serveUpstreams } from '../support/gateway.ts'
import { inTime } from '../support/paying.ts'
import { chatAnswer, chatFrames, json, silence, stream } from '../support/upstream.ts'

const usage = { prompt_tokens: 100, completion_tokens: 50, total_tokens: 150 }
const answer = json(200, { ...(chatAnswer('hello') as object), usage })
const usageFrame = `data: ${JSON.stringify({ ...(chatAnswer('x') as object), object: 'chat.completion.chunk', choices: [], usage })}\n\n`
const counted = stream([...chatFrames('hel', 'lo').slice(0, -1), usageFrame, 'data: [DONE]\n\n'])
const { up } = serveUpstreams({ up: answer })
const serve = gatewayStarter()

const secret = `sk-sw-${'a'.repeat(43)}`
const headers = { authorization: `Bearer ${secret}` }
/** In dollars per million: a token of input costs 1,000 nano-dollars, one of output 10,000. */
const price = { input: 1, output: 10 }

const gemini = { contents: [{ role: 'user', parts: [{ text: 'hi' }] }] }

/** `keys`: the variables of those in the configuration. */
async function start(limits: KeyLimits, more: Partial<Config> = {}, keys: Record<string, string> = {}) {
  const clock = new ManualClock()
  const kept = await keptInMemory(clock)
  kept.put(secret, { limits })
  const config: Config = {
    providers: { up: { type: 'openai-compatible', baseURL: up.url } },
    models: {
      priced: { deployments: [{ model: 'up/m', price, maxOutput: 1000 }] },
      unpriced: { deployments: ['up/other'] },
      both: {
        deployments: [
          { model: 'up/other', order: 1 },
          { model: 'up/m', price, order: 2 },
        ],
      },
      backed: { deployments: ['up/gone'], fallbacks: ['unpriced', 'priced'] },
    },
    ...more,
  }
  const env = { SAMEWIRE_ADMIN_KEY: 'the-admin-key-of-this-test', ...keys }
  const gateway = await serve(config, { clock, services: noLists, env, accounting: kept.accounting })
  return { gateway, clock, ...kept, ask: (body: object) => ask(gateway, body, { headers }) }
}

const spent = async ({ meters }: Awaited<ReturnType<typeof start>>, window = 0) =>
  await meters.read({ subject: 'key:key_1', window })

describe('A key that is not in the configuration', () => {
  it('lets its owner in, and nobody with another one', async () => {
    const { gateway, ask: asked } = await start({})
    expect((await asked(chat('unpriced'))).status).toBe(200)
    const wrong = await ask(gateway, chat('unpriced'), { headers: { authorization: `Bearer ${secret}b` } })
    expect(wrong.status).toBe(401)
    expect((await ask(gateway, chat('unpriced'))).status).toBe(401)
    expect(up.seen[0]?.headers.authorization).toBeUndefined()
  })

  it('says to its owner that it is disabled, or when it expired', async () => {
    const { put, clock, ask: asked } = await start({})
    put(secret, { disabled: true })
    expect(errorOf(await asked(chat('unpriced')))).toMatchObject({ code: 'invalid_api_key', message: /is disabled/ })
    put(secret, { expiresAt: clock.now() })
    expect(errorOf(await asked(chat('unpriced'))).message).toMatch(/expired at 2023-11-14T22:13:20/)
    expect(up.seen).toHaveLength(0)
  })
})

describe('A key for some models', () => {
  it('is refused others in words that say nothing of whether there are such', async () => {
    const { ask: asked } = await start({ models: ['priced'] })
    expect((await asked(chat('priced'))).status).toBe(200)
    const [there, not] = [await asked(chat('unpriced')), await asked(chat('nothing'))]
    expect([there.status, not.status]).toEqual([403, 403])
    expect(errorOf(there)).toMatchObject({
      code: 'model_not_found',
      message: /`unpriced` does not exist or you do not have access/,
    })
    expect(errorOf(not).message.replace('nothing', 'unpriced')).toBe(errorOf(there).message)
  })

  it('sees only those on the list of models', async () => {
    const { gateway } = await start({ models: ['pri*'] })
    const list = (await (await fetch(`${gateway.baseURL}/models`, { headers })).json()) as { data: { id: string }[] }
    expect(list.data.map(({ id }) => id)).toEqual(['priced'])
    expect((await fetch(`${gateway.baseURL}/models/unpriced`, { headers })).status).toBe(404)
  })

  it('falls back to none but those, and the plan says so', async () => {
    const { gateway } = await start({ models: ['backed', 'priced'] })
    up.script(json(404, { error: { message: 'The model `gone` does not exist', code: 'model_not_found' } }), answer)
    const reply = await ask(gateway, chat('backed'), { headers })
    expect([reply.status, reply.headers.get('x-samewire-model')]).toEqual([200, 'up/m'])
    const plan = await ask(gateway, chat('backed'), { headers, path: '/explain' })
    expect(JSON.parse(plan.text).skipped).toContainEqual(
      expect.objectContaining({ name: 'unpriced', reason: 'not_allowed' }),
    )
  })

  it('gets nothing that is passed on untouched, since nobody knows which model that is for', async () => {
    const { gateway } = await start({ models: ['priced'] }, { passThrough: 'up' })
    const reply = await fetch(`${gateway.baseURL}/files`, { headers })
    expect(reply.status).toBe(403)
    expect(up.seen).toHaveLength(0)
  })
})

describe('A key with requests a minute', () => {
  it('is told with each answer what is left, and with a refusal when to come again', async () => {
    const { ask: asked, clock, rows } = await start({ rpm: 2 })
    const first = await asked(chat('unpriced'))
    expect(first.headers.get('x-ratelimit-limit-requests')).toBe('2')
    expect(first.headers.get('x-ratelimit-remaining-requests')).toBe('1')
    expect(first.headers.get('x-ratelimit-reset-requests')).toBe('30s')
    await asked(chat('unpriced'))
    const third = await asked(chat('unpriced'))
    expect(third.status).toBe(429)
    expect(errorOf(third)).toEqual({
      message:
        'Rate limit reached for key test on requests per min (RPM): Limit 2, Used 2, Requested 1. Please try again in 30s.',
      type: 'requests',
      param: null,
      code: 'rate_limit_exceeded',
    })
    expect([third.headers.get('retry-after'), third.headers.get('retry-after-ms')]).toEqual(['30', '30000'])
    expect(third.headers.get('x-should-retry')).toBeNull()
    expect(third.headers.get('x-ratelimit-remaining-requests')).toBe('0')
    await clock.advance(30_000)
    expect((await asked(chat('unpriced'))).status).toBe(200)
    expect(rows.map(({ status, cost }) => [status, cost])).toEqual([
      [200, null],
      [200, null],
      [429, 0],
      [200, null],
    ])
  })

  it('has limits for single models and for each end user besides', async () => {
    const { ask: asked } = await start({ modelLimits: { priced: { rpm: 1 } }, userLimits: { rpm: 1 } })
    expect((await asked(chat('priced', { user: 'a' }))).status).toBe(200)
    expect((await asked(chat('priced', { user: 'b' }))).status).toBe(429)
    expect((await asked(chat('unpriced', { user: 'b' }))).status).toBe(200)
    expect((await asked(chat('unpriced', { user: 'b' }))).status).toBe(429)
  })

  it('is limited by the name that it asks for, and can be kept to that', async () => {
    const free = await start({ modelLimits: { priced: { rpm: 1 } } })
    const kept = await start({ modelLimits: { priced: { rpm: 1 } }, models: ['priced'] })
    const statuses = async ({ ask: asked }: typeof free) => {
      const names = ['priced', 'priced', 'up/m', 'priced:latest', 'both']
      return await Promise.all(names.map(async (name) => (await asked(chat(name))).status))
    }
    expect(await statuses(free)).toEqual([200, 429, 200, 200, 200])
    expect(await statuses(kept)).toEqual([200, 429, 403, 403, 403])
  })

  it('asks a model’s address within limits, and at prices, that are configured for it', async () => {
    const models = { m: { deployments: [{ model: 'up/m', price }] }, 'up/m': { deployments: ['up/m'], rpm: 1 } }
    const { ask: asked, rows } = await start({ budget: 1_000_000_000 }, { models })
    expect([(await asked(chat('up/m'))).status, (await asked(chat('up/m'))).status]).toEqual([200, 429])
    expect(rows[0]).toMatchObject({ model: 'up/m', cost: 600_000 })
  })

  it('shares the limit of a model with all others', async () => {
    const models = { few: { deployments: ['up/m'], rpm: 1 } }
    const { ask: asked, put, gateway } = await start({}, { models })
    put('sk-sw-other', { id: 'key_2' })
    expect((await asked(chat('few'))).status).toBe(200)
    const reply = await ask(gateway, chat('few'), { headers: { authorization: 'Bearer sk-sw-other' } })
    expect([reply.status, errorOf(reply).message]).toEqual([429, expect.stringContaining('the model few')])
  })
})

describe('A key with tokens a minute', () => {
  it('gives back what an answer did not use', async () => {
    const { ask: asked } = await start({ tpm: 4000 })
    const body = chat('priced', { max_tokens: 1000 })
    const [first, second] = [await asked(body), await asked(body)]
    // 150 each, while both might have used more than 1,500.
    expect(first.headers.get('x-ratelimit-remaining-tokens')).toBe('3850')
    expect(second.headers.get('x-ratelimit-remaining-tokens')).toBe('3700')
  })

  it('is refused while others may use too much, and takes all there is for what is too long for it', async () => {
    const { gateway, ask: asked } = await start({ tpm: 1000 })
    up.script(silence)
    const stop = new AbortController()
    const first = open(gateway, chat('priced', { max_tokens: 5000 }), { headers, signal: stop.signal })
    await expect.poll(() => up.seen.length).toBe(1)
    const second = await asked(chat('priced', { max_tokens: 100 }))
    expect([second.status, errorOf(second).type, errorOf(second).message]).toEqual([
      429,
      'tokens',
      expect.stringContaining('tokens per min (TPM): Limit 1000, Used 1000'),
    ])
    stop.abort()
    await expect(first).rejects.toThrow()
  })
})

describe('A key with requests at once', () => {
  it('has one refused while the other is answered, and not after', async () => {
    const { gateway, ask: asked } = await start({ parallel: 1 })
    up.script(silence)
    const stop = new AbortController()
    const first = open(gateway, chat('unpriced'), { headers, signal: stop.signal })
    await expect.poll(() => up.seen.length).toBe(1)
    const second = await asked(chat('unpriced'))
    expect([second.status, errorOf(second).code]).toEqual([429, 'rate_limit_exceeded'])
    stop.abort()
    await expect(first).rejects.toThrow()
    up.script(answer)
    await expect.poll(async () => (await asked(chat('unpriced'))).status).toBe(200)
  })
})

describe('A key with a budget', () => {
  const dollar = 1_000_000_000

  it('pays what an answer cost, and gets back the rest of what it might have', async () => {
    const started = await start({ budget: dollar })
    expect((await started.ask(chat('priced', { max_tokens: 100 }))).status).toBe(200)
    // 100 × 1,000 and 50 × 10,000.
    expect(await spent(started)).toEqual({ spent: 600_000, held: 0, lost: 0 })
    expect(started.rows).toMatchObject([
      {
        cost: 600_000,
        booked: 600_000,
        usageSource: 'reported',
        priceSource: 'configured',
        input: 100,
        output: 50,
        keyName: 'test',
      },
    ])
  })

  it('is refused what may cost more than is left, in a way that no client repeats', async () => {
    const started = await start({ budget: 1_600_000, budgetReset: 'daily' })
    const body = chat('priced', { max_tokens: 90 })
    expect((await started.ask(body)).status).toBe(200)
    const reply = await started.ask(body)
    expect(reply.status).toBe(429)
    expect(errorOf(reply)).toMatchObject({
      type: 'insufficient_quota',
      code: 'insufficient_quota',
      message: expect.stringMatching(
        /You exceeded your current quota.*\$0\.0016, \$0\.001 are left.*anew at 2023-11-15T00:00:00/,
      ),
    })
    expect(reply.headers.get('x-should-retry')).toBe('false')
    expect(up.seen).toHaveLength(1)
    await started.clock.advance(24 * 60 * 60 * 1000)
    expect((await started.ask(body)).status).toBe(200)
  })

  it.each([
    ['/chat/completions', chat('priced'), 429, { code: 'insufficient_quota' }],
    ['/responses', { model: 'priced', input: 'hi' }, 429, { code: 'insufficient_quota' }],
    ['/messages', chat('priced', { max_tokens: 1000 }), 402, { type: 'billing_error' }],
    ['beta/models/priced:generateContent', gemini, 429, { status: 'RESOURCE_EXHAUSTED' }],
  ])('is told at %s that it is used up, in the words of that API', async (path, body, status, error) => {
    const { gateway } = await start({ budget: 1 })
    const reply = await ask(gateway, body, { headers, path })
    expect(reply.status).toBe(status)
    expect(JSON.parse(reply.text)).toMatchObject({ error })
    expect(up.seen).toHaveLength(0)
  })

  it('has a limit set for answers that ask for none, which the model never exceeds', async () => {
    const { ask: asked } = await start({ budget: dollar })
    await asked(chat('priced'))
    expect(JSON.parse(up.seen[0]?.body ?? '')).toMatchObject({ max_tokens: 1000 })
  })

  it('never pays for what has no price: another deployment does, or it is told', async () => {
    const { ask: asked } = await start({ budget: dollar })
    const reply = await asked(chat('both'))
    expect([reply.status, reply.headers.get('x-samewire-model')]).toEqual([200, 'up/m'])
    const refused = await asked(chat('unpriced'))
    expect([refused.status, errorOf(refused).code]).toEqual([403, 'model_unpriced'])
  })

  it('has the log name what has no price, as no other key does', async () => {
    const missing = 'The price of up/other is not known. Set `price` of its deployment.'
    const without = await start({ rpm: 10, tpm: 100_000 })
    await without.ask(chat('unpriced'))
    expect(without.gateway.logged).not.toContain(missing)
    const budgeted = await start({ budget: dollar })
    await budgeted.ask(chat('unpriced'))
    expect(budgeted.gateway.logged).toContain(missing)
  })

  it('is refused what nobody can bound, unless it is allowed that', async () => {
    const tools = { tools: [{ type: 'web_search_preview' }] }
    const reply = await (await start({ budget: dollar })).ask(chat('priced', tools))
    expect([reply.status, errorOf(reply)]).toEqual([
      400,
      expect.objectContaining({ param: 'tools', code: 'unbounded_cost' }),
    ])
    const allowed = await start({ budget: dollar, allowUnbounded: true })
    expect((await allowed.ask(chat('priced', tools))).status).toBe(200)
  })

  it('pays the most there can be for an exchange that failed after it had begun, and takes that first', async () => {
    const started = await start({ budget: dollar })
    up.script(json(500, { error: { message: 'oops' } }), answer)
    await inTime(started.clock, started.ask(chat('priced', { max_tokens: 100 })))
    const { spent: paid } = await spent(started)
    const most = started.rows[0]?.booked
    expect(paid).toBe(most)
    expect(paid).toBeGreaterThan(600_000 + 100 * 10_000)
    expect(started.rows).toMatchObject([{ usageSource: 'bounded', cost: 600_000 }])
  })

  it('ends a request whose next try it can no longer pay', async () => {
    const started = await start({ budget: 2_500_000 })
    up.script(json(500, { error: { message: 'oops' } }), answer)
    const reply = await inTime(started.clock, started.ask(chat('priced', { max_tokens: 100 })))
    expect(up.seen).toHaveLength(1)
    expect(reply.status).toBe(429)
    const { spent: paid, held } = await spent(started)
    expect([held, paid <= 2_500_000]).toEqual([0, true])
  })

  it('pays nothing for what was refused before any model worked on it', async () => {
    const started = await start({ budget: dollar })
    up.script(json(400, { error: { message: 'no', type: 'invalid_request_error' } }))
    expect((await started.ask(chat('priced'))).status).toBe(400)
    expect(await spent(started)).toEqual({ spent: 0, held: 0, lost: 0 })
    expect(started.rows).toMatchObject([{ status: 400, cost: 0, booked: 0, usageSource: 'none' }])
  })
})

describe('A stream that is paid for', () => {
  const body = chat('priced', { stream: true, max_tokens: 100 })

  it('has its tokens asked for, which a client that did not ask never sees', async () => {
    const started = await start({ budget: 1_000_000_000 })
    up.script(counted)
    const reply = await started.ask(body)
    expect(wordsOf(reply.text)).toBe('hello')
    expect(reply.text).not.toContain('prompt_tokens')
    expect(reply.text).toMatch(/data: \[DONE\]\n\n$/)
    expect(JSON.parse(up.seen[0]?.body ?? '')).toMatchObject({ stream_options: { include_usage: true } })
    expect(await spent(started)).toEqual({ spent: 600_000, held: 0, lost: 0 })
  })

  it('has them for a client that asks', async () => {
    const started = await start({ budget: 1_000_000_000 })
    up.script(counted)
    const reply = await started.ask({ ...body, stream_options: { include_usage: true } })
    expect(reply.text).toContain('"prompt_tokens":100')
  })

  it('is estimated by its length where the upstream tells of no tokens', async () => {
    const started = await start({ budget: 1_000_000_000 })
    up.script(stream(chatFrames('hel', 'lo')))
    await started.ask(body)
    expect(started.rows).toMatchObject([{ usageSource: 'estimated', outcome: 'done', output: 100 }])
    expect((await spent(started)).spent).toBe(started.rows[0]?.booked)
  })

  it('costs the most there can be where its client leaves, and holds nothing afterwards', async () => {
    const started = await start({ budget: 1_000_000_000 })
    up.script((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(chatFrames('hel', 'lo')[0])
      response.write(chatFrames('hel', 'lo')[1])
    })
    const stop = new AbortController()
    const response = await open(started.gateway, body, { headers, signal: stop.signal })
    await response.body?.getReader().read()
    stop.abort()
    await expect.poll(() => started.rows.length).toBe(1)
    expect(started.rows).toMatchObject([{ outcome: 'gone', usageSource: 'bounded', output: 100 }])
    expect(await spent(started)).toEqual({ spent: started.rows[0]?.booked, held: 0, lost: 0 })
    await up.seen[0]?.abandoned
  })
})

describe('A key of the configuration', () => {
  const keys = { TEAM: 'the-key-of-the-team', ALL: 'the-key-for-all' }
  const as = (key: string) => ({ headers: { authorization: `Bearer ${key}` } })

  it('keeps to limits of its own', async () => {
    const limited = { key: 'env:TEAM', name: 'team', rpm: 1, models: ['priced'] }
    const { gateway, rows } = await start({}, { keys: [limited, 'env:ALL'] }, keys)
    expect((await ask(gateway, chat('priced'), as(keys.TEAM))).status).toBe(200)
    const refused = await ask(gateway, chat('priced'), as(keys.TEAM))
    expect([refused.status, errorOf(refused).message]).toEqual([429, expect.stringContaining('key team')])
    expect((await ask(gateway, chat('unpriced'), as(keys.TEAM))).status).toBe(403)
    expect((await ask(gateway, chat('unpriced'), as(keys.ALL))).status).toBe(200)
    expect(rows.map(({ keyName, status }) => [keyName, status])).toEqual([
      ['team', 200],
      ['team', 429],
      ['team', 403],
      ['ALL', 200],
    ])
  })
})
