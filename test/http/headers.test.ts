import { describe, expect, it } from 'vitest'
import { ask, chat, hastyClock, noLists } from '../support/ask.ts'
import { serveNode, startGateway } from '../support/gateway.ts'
import { chatAnswer, chatFrames, fakeUpstream, json, stream } from '../support/upstream.ts'

const { upstream, gateway } = serveNode(
  (url) => ({
    providers: { p: { type: 'openai-compatible', baseURL: url } },
    keys: ['env:KEY'],
    models: { m: 'p/m' },
    bodyLimit: 1000,
  }),
  {
    script(request, ...rest) {
      if (request.body.includes('"n":9')) return json(500, {})(request, ...rest)
      if (request.body.includes('"stream":true')) return stream(chatFrames('x'))(request, ...rest)
      return json(200, chatAnswer('x'))(request, ...rest)
    },
    clock: hastyClock(),
    env: { KEY: 'sk-gateway-key' },
  },
)
const urlOf = (path: string) => `http://127.0.0.1:${gateway.port}${path}`

interface Kind {
  readonly name: string
  readonly status: number
  readonly path?: string
  readonly method?: string
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

const path = '/v1/chat/completions'
const kinds: readonly Kind[] = [
  { name: 'an answer', status: 200, body: chat('m') },
  { name: 'a stream', status: 200, body: chat('m', { stream: true }) },
  { name: 'the list', status: 200, method: 'GET', path: '/v1/models' },
  { name: 'one model', status: 200, method: 'GET', path: '/v1/models/m' },
  { name: 'HEAD', status: 200, method: 'HEAD', path: '/v1/models' },
  { name: 'health', status: 200, method: 'GET', path: '/health' },
  { name: 'a missing model', status: 404, body: chat('nope') },
  { name: 'a missing route', status: 404, path: '/nope' },
  { name: 'a wrong method', status: 405, method: 'GET' },
  { name: 'a wrong key', status: 401, body: chat('m'), headers: { authorization: 'Bearer sk-wrong' } },
  {
    name: 'a wrong key for the list',
    status: 401,
    method: 'GET',
    path: '/v1/models',
    headers: { authorization: 'Bearer no' },
  },
  { name: 'bad JSON', status: 400, body: '{' },
  { name: 'a bad type', status: 415, body: '{}', headers: { 'content-type': 'text/plain' } },
  { name: 'a body too large', status: 413, body: 'x'.repeat(2000) },
  { name: 'a failing upstream', status: 502, body: chat('m', { n: 9 }) },
  { name: 'a failing upstream of a stream', status: 502, body: chat('m', { n: 9, stream: true }) },
  { name: 'a preflight', status: 204, method: 'OPTIONS', headers: { authorization: '' } },
]

function send({ path: to = path, method = 'POST', body, headers = {} }: Kind): Promise<Response> {
  return fetch(urlOf(to), {
    method,
    headers: { authorization: 'Bearer sk-gateway-key', 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
}

describe('Every answer says who it is and lets browsers read it', () => {
  it.each(kinds)('$name ($status)', async (kind) => {
    const response = await send(kind)
    await response.text()
    expect(response.status).toBe(kind.status)
    const { headers } = response
    expect(headers.get('x-request-id')).toMatch(/^req_[0-9a-f]{32}$/)
    expect(headers.get('openai-processing-ms')).toMatch(/^\d+$/)
    expect(headers.get('openai-version')).toBe('2020-10-01')
    expect(headers.get('access-control-allow-origin')).toBe('*')
    const exposed = headers.get('access-control-expose-headers')?.split(', ') ?? []
    const needed = ['x-request-id', 'retry-after', 'retry-after-ms', 'openai-processing-ms', 'x-should-retry']
    expect(exposed).toEqual(expect.arrayContaining([...needed, 'x-ratelimit-remaining-tokens', 'x-samewire-model']))
    expect(exposed.join()).not.toContain('*')
  })

  it('with an id of its own each', async () => {
    const seen = new Set<string | null>()
    for (const kind of [...kinds, ...kinds]) {
      const response = await send(kind)
      await response.text()
      seen.add(response.headers.get('x-request-id'))
    }
    expect(seen.size).toBe(kinds.length * 2)
  })
})

describe('A browser may ask first', () => {
  it.each(['/v1/chat/completions', '/v1/models', '/v1/engines/x/completions', '/', '/nope'])('%s', async (to) => {
    const requested = 'authorization, content-type, x-stainless-lang, x-stainless-retry-count'
    const response = await fetch(urlOf(to), {
      method: 'OPTIONS',
      headers: {
        origin: 'https://app.test',
        'access-control-request-method': 'POST',
        'access-control-request-headers': requested,
      },
    })
    expect([response.status, await response.text()]).toEqual([204, ''])
    expect(response.headers.get('access-control-allow-headers')).toBe(requested)
    expect(response.headers.get('access-control-allow-methods')).toBe('GET, POST, PUT, PATCH, DELETE, OPTIONS, HEAD')
    expect(Number(response.headers.get('access-control-max-age'))).toBeGreaterThan(0)
    expect(response.headers.get('access-control-allow-credentials')).toBeNull()
  })
})

describe('A client may send headers that nobody knows', () => {
  it('and none of them goes on', async () => {
    upstream.seen.length = 0
    const headers = {
      'x-stainless-lang': 'js',
      'openai-organization': 'org-1',
      'x-codex-turn': '1',
      cookie: 'a=b',
      'cf-ray': 'x',
      'user-agent': '',
      forwarded: 'for=1.2.3.4',
    }
    expect((await send({ name: '', status: 200, body: chat('m'), headers })).status).toBe(200)
    const own = ['accept', 'connection', 'content-length', 'content-type', 'host', 'user-agent', 'x-samewire-hops']
    expect(Object.keys(upstream.seen[0]?.headers ?? {}).sort()).toEqual(own)
  })
})

describe('An upstream’s headers reach the client', () => {
  const answer = async (headers: Record<string, string>) => {
    const told = await fakeUpstream(json(200, chatAnswer('x'), headers))
    const providers = { p: { type: 'openai-compatible', baseURL: told.url } }
    const open = await startGateway({ providers }, { services: noLists })
    const reply = await ask(open, chat('p/m'))
    await Promise.all([open.close(), told.close()])
    expect(reply.status).toBe(200)
    return reply.headers
  }

  it.each([
    ['x-ratelimit-limit-requests', '10000'],
    ['x-ratelimit-remaining-tokens', '149984'],
    ['x-ratelimit-reset-tokens', '6m0s'],
    ['x-ratelimit-reset-requests', '20ms'],
    ['x-ratelimit-reset', '2026-01-01T00:00:00Z'],
    ['x-ratelimit-remaining', '-1'],
    ['x-ratelimit-limit-tokens-per-minute', '1.5'],
    ['anthropic-ratelimit-requests-limit', '50'],
    ['anthropic-ratelimit-input-tokens-remaining', '49000'],
    ['anthropic-ratelimit-tokens-reset', '2026-01-01T00:00:00Z'],
    ['openai-organization', 'user-abc_123'],
  ])('when they tell of limits: %s: %s', async (name, value) => {
    expect((await answer({ [name]: value })).get(name)).toBe(value)
  })

  it.each(['x-request-id', 'request-id'])('under a name of its own when it is the request’s: %s', async (name) => {
    const headers = await answer({ [name]: 'req_011CS-x:y/z=' })
    expect(headers.get('x-samewire-upstream-request-id')).toBe('req_011CS-x:y/z=')
  })

  it.each([
    ['x-ratelimit-limit-requests', '9'.repeat(1000)],
    ['x-ratelimit-limit-requests', 'sk-of-the-provider-0123456789'],
    ['x-ratelimit-reset-tokens', '1s<script>'],
    ['x-ratelimit-key', '1'],
    ['anthropic-ratelimit-key', '1'],
    ['anthropic-ratelimit-tokens-remaining', 'sk-ant-of-the-provider'],
    [`x-ratelimit-limit-${'x'.repeat(100)}`, '1'],
    ['openai-organization', 'x'.repeat(1000)],
    ['openai-organization', 'two words'],
    ['x-internal-host', '10.0.0.5'],
    ['set-cookie', 'a=b'],
  ])('or else not at all: %.40s: %.40s', async (name, value) => {
    expect((await answer({ [name]: value })).get(name)).toBeNull()
  })

  it('no more than there are limits', async () => {
    const many = Array.from({ length: 200 }, (_, at) => [`x-ratelimit-limit-${at}`, '1'] as const)
    const told = [...(await answer(Object.fromEntries(many))).keys()].filter((name) => name.startsWith('x-ratelimit'))
    expect(told).toHaveLength(16)
  })

  it('not the id of a request that is none', async () => {
    expect((await answer({ 'x-request-id': 'a b' })).get('x-samewire-upstream-request-id')).toBeNull()
  })
})
