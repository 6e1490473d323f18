import { beforeEach, describe, expect, it } from 'vitest'
import { ask, chat, errorOf, hastyClock } from '../support/ask.ts'
import { serveNode } from '../support/gateway.ts'
import { chatAnswer, json } from '../support/upstream.ts'

const clock = hastyClock()
const limited = {
  error: {
    message: 'Rate limit reached.',
    type: 'tokens',
    param: null,
    code: 'rate_limit_exceeded',
  },
}

const { upstream, gateway } = serveNode((baseURL) => ({ providers: { p: { type: 'openai-compatible', baseURL } } }), {
  clock,
  random: () => 0.5,
})

beforeEach(() => {
  upstream.seen.length = 0
  clock.waits.length = 0
})

describe('An upstream over its rate limit', () => {
  it('is asked again after waits that grow', async () => {
    upstream.script(json(429, limited), json(429, limited), json(200, chatAnswer('x')))
    const reply = await ask(gateway, chat('p/m'))
    expect(reply.status).toBe(200)
    expect(reply.headers.get('x-samewire-attempts')).toBe('3')
    expect(reply.headers.get('x-samewire-reason')).toBe('rate_limit_exceeded')
    expect(clock.waits).toEqual([250, 500])
  })

  it.each<[string, Record<string, string>, number]>([
    ['in seconds', { 'retry-after': '2' }, 2000],
    ['in parts of a second', { 'retry-after': '1.5' }, 1500],
    ['in milliseconds', { 'retry-after-ms': '700', 'retry-after': '9' }, 700],
    ['in Hugging Face’s way', { ratelimit: '"api";r=0;t=3' }, 3000],
  ])('is asked again when it said, %s', async (_how, headers, wait) => {
    upstream.script(json(429, limited, headers), json(200, chatAnswer('x')))
    expect((await ask(gateway, chat('p/m'))).status).toBe(200)
    expect(clock.waits).toEqual([wait])
  })

  it('is asked again when it said, as a date', async () => {
    const date = new Date(Math.ceil(clock.now() / 1000) * 1000 + 4000).toUTCString()
    upstream.script(json(429, limited, { 'retry-after': date }), json(200, chatAnswer('x')))
    expect((await ask(gateway, chat('p/m'))).status).toBe(200)
    expect(clock.waits).toHaveLength(1)
    expect(clock.waits[0]).toBeGreaterThan(3000)
    expect(clock.waits[0]).toBeLessThanOrEqual(5000)
  })

  it.each<[string, string, number]>([
    ['OpenAI', 'Rate limit reached for x. Please try again in 1.5s. Visit your account.', 1500],
    ['OpenAI', 'Limit 500, Used 500, Requested 1. Please try again in 620ms.', 620],
    ['Azure', 'Requests have exceeded the call rate limit. Please retry after 2 seconds.', 2000],
    ['Google', 'Quota exceeded. Please retry in 3.25s.', 3250],
  ])('is asked again when its message said, as that of %s: %s', async (_server, message, wait) => {
    upstream.script(json(429, { error: { ...limited.error, message } }), json(200, chatAnswer('x')))
    expect((await ask(gateway, chat('p/m'))).status).toBe(200)
    expect(clock.waits).toEqual([wait])
  })

  it('is not asked again when it says itself that this is of no use', async () => {
    for (const status of [429, 500]) {
      upstream.script(json(status, limited, { 'x-should-retry': 'false' }))
      upstream.seen.length = 0
      const reply = await ask(gateway, chat('p/m'), { headers: { 'x-samewire-num-retries': '3' } })
      expect([upstream.seen.length, reply.headers.get('x-should-retry')]).toEqual([1, 'false'])
    }
  })

  it.each<[string, Record<string, string>, string, string]>([
    ['nothing', {}, '1', '1000'],
    ['a long time', { 'retry-after': '33' }, '33', '33000'],
    ['a long time in milliseconds', { 'retry-after-ms': '12345.6' }, '13', '12346'],
    ['no time', { 'retry-after': '0' }, '1', '1'],
    ['nonsense', { 'retry-after': 'soon' }, '1', '1000'],
    ['no number at all', { 'retry-after': 'Infinity' }, '1', '1000'],
    ['a time below none', { 'retry-after': '-5' }, '1', '1000'],
    ['a number of 400 digits', { 'retry-after': '9'.repeat(400) }, '86400', '86400000'],
    ['milliseconds without end', { 'retry-after-ms': '1e400' }, '86400', '86400000'],
    ['milliseconds below none', { 'retry-after-ms': '-1e9' }, '1', '1000'],
    ['in a thousand years', { 'retry-after': 'Fri, 01 Jan 3021 00:00:00 GMT' }, '86400', '86400000'],
    ['in a year, as Hugging Face does', { ratelimit: '"api";r=0;t=31536000' }, '86400', '86400000'],
    ['a time that is over', { 'retry-after': 'Tue, 01 Jan 2019 00:00:00 GMT' }, '1', '1'],
  ])(
    'and says %s: the client hears when to come again, in whole seconds and at least one',
    async (_what, headers, seconds, ms) => {
      upstream.script(json(429, limited, headers))
      const reply = await ask(gateway, chat('p/m'))
      expect(reply.status).toBe(429)
      expect(errorOf(reply)).toEqual(limited.error)
      expect(reply.headers.get('retry-after')).toBe(seconds)
      expect(reply.headers.get('retry-after-ms')).toBe(ms)
    },
  )

  it('is not asked again when it wants a long time, and the client may come by itself', async () => {
    upstream.script(json(429, limited, { 'retry-after': '33' }))
    const reply = await ask(gateway, chat('p/m'))
    expect(upstream.seen).toHaveLength(1)
    expect(reply.headers.get('x-should-retry')).toBeNull()
  })

  it('tells the client not to come again once the gateway has tried enough', async () => {
    upstream.script(json(429, limited))
    const reply = await ask(gateway, chat('p/m'))
    expect(upstream.seen).toHaveLength(3)
    expect(reply.headers.get('x-should-retry')).toBe('false')
  })
})

describe('An upstream that failed once', () => {
  it('leaves a client that wants no retries of the gateway to its own', async () => {
    upstream.script(json(500, { error: { message: 'oops' } }))
    const own = await ask(gateway, chat('p/m'), { headers: { 'x-samewire-num-retries': '0' } })
    expect([own.status, own.headers.get('x-should-retry'), upstream.seen.length]).toEqual([502, null, 1])
    const reply = await ask(gateway, chat('p/m'))
    expect([reply.status, reply.headers.get('x-should-retry'), upstream.seen.length]).toEqual([502, 'false', 4])
  })
})

describe('What waiting can’t cure', () => {
  it.each([
    [429, 'You exceeded your current quota, please check your plan', 'insufficient_quota'],
    [400, "This model's maximum context length is 10 tokens", 'context_length_exceeded'],
  ])('is told so: %d %s', async (status, message, code) => {
    upstream.script(json(status, { error: { message, type: code, param: null, code } }))
    const reply = await ask(gateway, chat('p/m'))
    expect([reply.status, errorOf(reply).code]).toEqual([status, code])
    expect(reply.headers.get('x-should-retry')).toBe('false')
    expect(upstream.seen).toHaveLength(1)
  })
})
