import { describe, expect, it } from 'vitest'
import { runtimes } from '../support/both.ts'
import { expectTold, servePair } from '../support/said.ts'
import { json } from '../support/upstream.ts'

const pair = servePair('said-waits')

const error = (message: string, more: object = {}) => ({ error: { message, code: 429, ...more } })
const limited = error('Rate limit exceeded')
const inSeconds = (seconds: number) => Math.round(Date.now() / 1000) + seconds
const used = { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-remaining-tokens': '90' }

/** Who says it, its body and headers, and after how many seconds the client may come. */
const sayings: readonly [string, unknown, Record<string, string>, number][] = [
  ['Azure, in a header of its own', limited, { 'x-ms-retry-after-ms': '20500' }, 21],
  // google-gemini/gemini-cli#8437
  [
    'Google, in a detail',
    error('Resource has been exhausted.', {
      details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '31.5s' }],
    }),
    {},
    32,
  ],
  ['Groq, in minutes', error('Rate limit reached. Please try again in 6m0s. Need more tokens?'), {}, 360],
  ['Groq, in hours', error('Rate limit reached. Please try again in 1h2m3.5s.'), {}, 3724],
  ['Azure, in words', error('Please retry after 22 seconds.'), {}, 22],
  // github/gh-models#65
  [
    'GitHub Models',
    error('Rate limit of 50 per 86400s exceeded for UserByModelByDay. Please wait 43123 seconds before retrying.'),
    {},
    43123,
  ],
  ['a proxy, in a field', { ...limited, retry_after: 25 }, {}, 25],
  ['a proxy, in milliseconds', error('Rate limit exceeded', { retry_after_ms: 25_000 }), {}, 25],
  [
    'OpenRouter, inside its own provider’s words',
    error('Provider returned error', {
      metadata: { raw: '{"error":{"message":"Slow down.","details":[{"retryDelay":"40s"}]}}' },
    }),
    {},
    40,
  ],
  [
    'OpenAI, for what is used up',
    limited,
    { ...used, 'x-ratelimit-reset-requests': '1m0s', 'x-ratelimit-reset-tokens': '9h' },
    60,
  ],
  [
    'an upstream that doesn’t say which limit it was',
    limited,
    { 'x-ratelimit-reset-requests': '50', 'x-ratelimit-reset-tokens': '40' },
    40,
  ],
  ['the draft', limited, { 'ratelimit-reset': '33' }, 33],
  ['nobody: a time of more than a day', { ...limited, retry_after: 1e8 }, {}, 86_400],
]

describe.each(runtimes)('A wait that an upstream asks for, on %s', (runtime) => {
  it.each(sayings)('is passed to the client after one try: %s', async (_server, body, headers, seconds) => {
    const outcome = await pair.alone(runtime, json(429, body, headers))
    expectTold(outcome, 429, 'rate_limit_exceeded')
    expect(outcome.reply.headers.get('retry-after')).toBe(String(seconds))
    expect(outcome.reply.headers.get('x-should-retry')).toBeNull()
  })

  it.each([
    ['in seconds', () => inSeconds(60)],
    ['in milliseconds', () => inSeconds(60) * 1000],
    ['as a date', () => new Date(inSeconds(60) * 1000).toISOString()],
  ])('may be a point in time, %s, in the headers that OpenRouter tells of', async (_how, at) => {
    const headers = { 'X-RateLimit-Limit': '20', 'X-RateLimit-Remaining': '0', 'X-RateLimit-Reset': String(at()) }
    const outcome = await pair.alone(runtime, json(429, error('Rate limit exceeded', { metadata: { headers } })))
    expectTold(outcome, 429, 'rate_limit_exceeded')
    const seconds = Number(outcome.reply.headers.get('retry-after'))
    expect(seconds).toBeGreaterThan(50)
    expect(seconds).toBeLessThanOrEqual(61)
  })

  it('is Hugging Face’s estimate for a model that it loads', async () => {
    const outcome = await pair.alone(
      runtime,
      json(503, { error: 'Model x is currently loading', estimated_time: 20.1 }),
    )
    expect([outcome.reply.status, outcome.asked]).toEqual([503, 1])
    expect(outcome.reply.headers.get('retry-after')).toBe('21')
  })

  it.each([
    ['past', limited, { 'x-ratelimit-reset': '1500000000' }],
    ['of what is left', limited, { 'x-ratelimit-reset-tokens': '6h', 'x-ratelimit-remaining-tokens': '80' }],
    ['without a unit', error('Please try again in 20 or so.'), {}],
    ['below nothing', { ...limited, retry_after: -5 }, {}],
    [
      'that isn’t one',
      { ...limited, retry_after: { at: 'noon' }, estimated_time: 'soon' },
      { 'x-ratelimit-reset': 'soon' },
    ],
  ])('is none when it is %s', async (_what, body, headers: Record<string, string>) => {
    const { reply } = await pair.alone(runtime, json(429, body, headers))
    expect([reply.status, reply.headers.get('retry-after')]).toEqual([429, '1'])
  })
})
