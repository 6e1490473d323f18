import { describe, expect, it } from 'vitest'
import { ask, chat, eventsOf, expectEnvelope } from '../support/ask.ts'
import { serveNode } from '../support/gateway.ts'
import { chatAnswer, chatFrames, json, stream } from '../support/upstream.ts'

const ids = ['org/model', 'llama3:8b', 'org/model:tag', 'plain']
const list = { object: 'list', data: ids.map((id) => ({ id, object: 'model', created: 5, owned_by: 'me' })) }
const completion = {
  id: 'cmpl-x',
  object: 'text_completion',
  created: 1,
  model: 'm',
  choices: [{ text: 'x', index: 0, logprobs: null, finish_reason: 'stop' }],
}

const { upstream, gateway } = serveNode(
  (url) => ({
    providers: { p: { type: 'openai-compatible', baseURL: url } },
    models: { mine: 'p/plain', 'with/slash': 'p/plain', __proto__x: 'p/plain' },
  }),
  {
    script(request, ...rest) {
      if (request.path === '/models') return json(200, list)(request, ...rest)
      if (request.path === '/completions') return json(200, completion)(request, ...rest)
      if (request.body.includes('"stream":true')) return stream(chatFrames('x'))(request, ...rest)
      return json(200, chatAnswer('x'))(request, ...rest)
    },
    services: {},
  },
)
const urlOf = (path: string) => `http://127.0.0.1:${gateway.port}${path}`

const post = (path: string, body: unknown) =>
  fetch(urlOf(path), { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })

const sentModel = () => (JSON.parse(upstream.seen.at(-1)?.body ?? '') as { model: string }).model

describe('A client finds the chat route', () => {
  it.each([
    '/v1/chat/completions',
    '/chat/completions',
    '/v1//chat/completions',
    '//v1/chat//completions',
    '/v1/chat/completions/',
    '/v1/chat/completions?x=1&y=/z',
    '/v1/chat/completions/?api-version=2024-01-01',
  ])('%s', async (path) => {
    const response = await post(path, chat('p/plain'))
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual(chatAnswer('x'))
  })

  it.each(['/v1/completions', '/completions', '/v1//completions/'])('and the old one: %s', async (path) => {
    expect(await (await post(path, { model: 'p/plain', prompt: 'x' })).json()).toEqual(completion)
  })
})

describe('A client names the model in the path', () => {
  it.each([
    ['p%2Forg%2Fmodel', 'org/model'],
    ['p/org/model', 'org/model'],
    ['p%2Forg%2Fmodel%3Atag', 'org/model:tag'],
    ['p/llama3:8b', 'llama3:8b'],
    ['mine', 'plain'],
    ['with/slash', 'plain'],
    ['with%2Fslash', 'plain'],
    ['llama3:8b', 'llama3:8b'],
  ])('%s', async (id, model) => {
    for (const path of [`/v1/engines/${id}/completions`, `/engines/${id}/completions/?x=1`]) {
      expect((await post(path, { prompt: 'x' })).status).toBe(200)
      expect(sentModel()).toBe(model)
    }
    expect((await post(`/v1/engines/${id}/chat/completions`, chat('another'))).status).toBe(200)
    expect(sentModel()).toBe(model)
    expect(upstream.seen.at(-1)?.path).toBe('/chat/completions')
  })

  it.each(['%zz', 'nope', 'p%00x%', `${'x'.repeat(10_000)}`])('and is told when there is none: %.20s', async (id) => {
    const response = await post(`/v1/engines/${id}/completions`, { prompt: 'x' })
    expect(response.status).toBe(404)
    const text = await response.text()
    expectEnvelope(JSON.parse(text))
    expect(text.length).toBeLessThan(500)
    expect(JSON.parse(text)).toMatchObject({ error: { code: 'model_not_found' } })
  })
})

describe('A client lists models', () => {
  it.each(['/v1/models', '/models', '/v1/models/', '/v1//models?limit=5', '/v1/engines', '/engines'])(
    '%s',
    async (path) => {
      const response = await fetch(urlOf(path))
      const body = (await response.json()) as { object: string; data: { id: string }[] }
      expect(response.status).toBe(200)
      expect(Object.keys(body)).toEqual(['object', 'data'])
      expect(body.object).toBe('list')
      expect(body.data.map(({ id }) => id)).toEqual(['mine', 'with/slash', '__proto__x', ...ids.map((id) => `p/${id}`)])
      for (const entry of body.data) {
        // `root` is what a configured name stands for.
        const named = { id: entry.id, name: entry.id, ...(!entry.id.startsWith('p/') && { root: expect.any(String) }) }
        expect(entry).toEqual({ ...named, object: 'model', created: expect.any(Number), owned_by: 'p' })
      }
    },
  )

  it.each([
    ['p/org/model', 'p/org/model'],
    ['p%2Forg%2Fmodel:tag', 'p/org/model:tag'],
    ['p/llama3%3A8b', 'p/llama3:8b'],
    ['llama3:8b', 'llama3:8b'],
    ['mine', 'mine'],
    ['with/slash/', 'with/slash'],
  ])('and one of them: %s', async (id, found) => {
    for (const route of ['models', 'engines']) {
      const response = await fetch(urlOf(`/v1/${route}/${id}`))
      expect(response.status).toBe(200)
      expect(await response.json()).toMatchObject({ id: found, object: 'model', owned_by: 'p' })
    }
  })

  it.each(['nope', 'p/nope', '%zz', '%zz%ff', '%C3%28', '50%', '__proto__', 'constructor'])(
    'and is told when there is none: %s',
    async (id) => {
      const now = await fetch(urlOf(`/v1/models/${id}`))
      expect(now.status).toBe(404)
      const body = (await now.json()) as { error: { message: string; code: string } }
      expectEnvelope(body)
      expect(body.error).toMatchObject({ code: 'model_not_found', message: expect.stringContaining(`\`${id}\``) })
      const then = (await (await fetch(urlOf(`/v1/engines/${id}`))).json()) as { error: { message: string } }
      expect(then.error.message).toBe(`The model: \`${id}\` does not exist`)
    },
  )
})

describe('A client is told what a route is not', () => {
  it.each([
    ['GET', '/v1/chat/completions', 'POST, OPTIONS'],
    ['PUT', '/v1/completions', 'POST, OPTIONS'],
    ['DELETE', '/v1/models', 'GET, HEAD, OPTIONS'],
    ['POST', '/v1/models', 'GET, HEAD, OPTIONS'],
    ['POST', '/v1/models/p/plain', 'GET, HEAD, OPTIONS'],
    ['PATCH', '/v1/engines', 'GET, HEAD, OPTIONS'],
    ['GET', '/v1/engines/mine/completions', 'POST, OPTIONS'],
    ['GET', '/v1/engines/mine/chat/completions', 'POST, OPTIONS'],
    ['DELETE', '/health', 'GET, HEAD, OPTIONS'],
  ])('for a method: %s %s', async (method, path, allow) => {
    const response = await fetch(urlOf(path), { method })
    expect(response.status).toBe(405)
    expect(response.headers.get('allow')).toBe(allow)
    const body = (await response.json()) as { error: { message: string; code: string } }
    expectEnvelope(body)
    expect(body.error).toMatchObject({
      code: 'method_not_supported',
      message: expect.stringContaining(`Not allowed to ${method} on ${path}.`),
    })
  })

  it.each([
    ['POST', '/v1/nope'],
    ['GET', '/v2/models'],
    ['POST', '/v1/engines/mine/nope'],
    ['GET', '/%zz'],
    ['GET', `/${'x'.repeat(8_000)}`],
  ])('that is none: %s %.40s', async (method, path) => {
    const response = await fetch(urlOf(path), { method })
    expect(response.status).toBe(404)
    const body = (await response.json()) as { error: { message: string } }
    expectEnvelope(body)
    expect(body.error.message).toBe(`Invalid URL (${method} ${path.slice(0, 200)})`)
  })

  it.each([
    ['DELETE', '/v1/models/ft:gpt-4o-mini:acme::1'],
    ['DELETE', '/models/p/plain'],
    ['GET', '/v1/files'],
    ['GET', '/v1/chat/completions/chatcmpl-1'],
    ['DELETE', '/v1/chat/completions/chatcmpl-1'],
    ['POST', '/v1/realtime?model=x'],
    ['DELETE', '/v1/audio/voices/v'],
  ])('that needs `passThrough`, and hears of it: %s %s', async (method, path) => {
    const response = await fetch(urlOf(path), { method })
    expect(response.status).toBe(404)
    const body = (await response.json()) as { error: { message: string; code: string } }
    expectEnvelope(body)
    expect(body.error.code).toBe('unknown_url')
    expect(body.error.message).toContain(`Invalid URL (${method} ${path.split('?')[0]}). This gateway passes such`)
    expect(body.error.message).toMatch(/`passThrough`.*x-samewire-provider/)
  })

  it('that lists stored answers, for which `passThrough` is needed, or that the method is another', async () => {
    const response = await fetch(urlOf('/v1/chat/completions?limit=2'))
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST, OPTIONS'])
    const body = (await response.json()) as { error: { message: string } }
    expect(body.error.message).toMatch(/different HTTP method\?\).*`passThrough`/)
    const other = (await (await fetch(urlOf('/v1/audio/speech'))).json()) as { error: { message: string } }
    expect(other.error.message).not.toContain('passThrough')
  })

  it.each(['/health', '/', '/v1', '/v1/'])('but hears that the gateway is well: %s', async (path) => {
    expect(await (await fetch(urlOf(path))).json()).toMatchObject({ status: 'ok' })
  })
})

describe('HEAD', () => {
  it.each([
    ['/v1/models', 200],
    ['/v1/models/mine', 200],
    ['/v1/models/nope', 404],
    ['/v1/chat/completions', 405],
    ['/nope', 404],
  ])('has the status of GET and no body: %s', async (path, status) => {
    const response = await fetch(urlOf(path), { method: 'HEAD' })
    expect([response.status, await response.text()]).toEqual([status, ''])
    expect(response.headers.get('content-type')).toBe('application/json')
  })
})

describe('A stream', () => {
  it('is sent as one, unbuffered and with its end', async () => {
    const { headers, text } = await ask(gateway, chat('p/plain', { stream: true }))
    expect(headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(headers.get('cache-control')).toContain('no-cache')
    expect(headers.get('x-accel-buffering')).toBe('no')
    expect(headers.get('content-encoding')).toBeNull()
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true)
    expect(eventsOf(text)).toHaveLength(4)
  })
})
