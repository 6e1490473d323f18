import { createHash, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/schema.ts'
import { errorOf, eventsOf, noLists, type Reply } from '../support/ask.ts'
import { type Runtime, runtimes, serveBoth } from '../support/both.ts'
import { gatewayStarter } from '../support/gateway.ts'
import { json, type Script, stream } from '../support/upstream.ts'

const providers = (url: string): Config['providers'] => ({
  main: { type: 'openai-compatible', baseURL: `${url}/main/v1`, apiKey: 'env:UPSTREAM_KEY' },
  other: { type: 'openai-compatible', baseURL: `${url}/other/v1` },
  azure: { type: 'openai', baseURL: url, apiVersion: '2026-01-01', apiKey: 'env:UPSTREAM_KEY' },
  theirs: { type: 'openai-compatible', baseURL: `${url}/theirs`, apiKey: 'client' },
  demo: { type: 'embedded' },
})
const env = { UPSTREAM_KEY: 'sk-of-the-upstream' }

const { upstream, both } = serveBoth(
  'pass-through',
  (url) => ({
    providers: providers(url),
    models: {
      smart: { deployments: [{ model: 'other/big' }, { model: 'main/gpt-5' }] },
      alias: 'smart',
      emb: 'other/embedder',
      'mini-*': 'main/gpt-5-*',
      'local-*': 'other/*',
    },
    passThrough: ['main', 'other', 'azure', 'theirs', 'demo'],
    idleTimeout: 2,
  }),
  { env },
)

interface Sent {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string | Uint8Array<ArrayBuffer> | FormData
}

function send(runtime: Runtime, path: string, { method = 'GET', headers = {}, body }: Sent = {}): Promise<Response> {
  const authorization = `Bearer ${both.key}`
  return fetch(both.addresses[runtime] + path, {
    method,
    headers: { authorization, ...headers },
    ...(body !== undefined && { body }),
  })
}

async function read(response: Response): Promise<Reply> {
  return { status: response.status, headers: response.headers, text: await response.text() }
}

/** Sends events until nobody takes them: workerd notices that a client has left when it writes. */
const endless: Script = async (_, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  while (!response.destroyed) {
    response.write('data: 1\n\n')
    await new Promise((turn) => setImmediate(turn))
  }
}

describe.each(runtimes)('On %s, a route of OpenAI that the gateway does not serve itself', (runtime) => {
  it.each([
    ['GET', '/files?purpose=batch&limit=2'],
    ['DELETE', '/models/ft:gpt-4o-mini:acme::1'],
    ['GET', '/fine_tuning/jobs/ftjob-1/events'],
    ['GET', '/chat/completions?limit=1'],
    ['GET', '/a_family_of_2027/x%2Fy'],
    ['DELETE', '/models/accounts%2Facme%2Fprojects%20of%20%C3%A4'],
    ['GET', '/vector_stores/v/files/100%25%20sure;v=1..2.%2525'],
    ['GET', '/files/organization/content'],
  ])('goes to the provider with its method, path and query: %s %s', async (method, path) => {
    upstream.script(json(200, { object: 'list', data: [] }))
    const reply = await read(await send(runtime, path, { method }))
    expect(reply).toMatchObject({ status: 200, text: '{"object":"list","data":[]}' })
    expect(reply.headers.get('x-samewire-provider')).toBe('main')
    expect(upstream.seen.at(-1)).toMatchObject({ method, path: `/main/v1${path}`, body: '' })
  })

  it('carries JSON both ways byte for byte, with the provider’s key and never the client’s', async () => {
    const body = '{ "name":"x",  "n": 12345678901234567890 }'
    upstream.script(json(200, '{"id" : "asst_1"}', { 'x-ratelimit-remaining-requests': '7', 'set-cookie': 'a=b' }))
    const headers = { 'content-type': 'application/json', 'openai-beta': 'assistants=v2', cookie: 'c=d', 'x-mine': '1' }
    const reply = await read(await send(runtime, '/assistants', { method: 'POST', headers, body }))
    expect(reply.text).toBe('{"id" : "asst_1"}')
    expect(reply.headers.get('x-ratelimit-remaining-requests')).toBe('7')
    expect(reply.headers.get('set-cookie')).toBeNull()
    const seen = upstream.seen.at(-1)
    expect(seen?.body).toBe(body)
    expect(seen?.headers).toMatchObject({
      authorization: 'Bearer sk-of-the-upstream',
      'openai-beta': 'assistants=v2',
      'content-type': 'application/json',
    })
    expect(seen?.headers).not.toHaveProperty('cookie')
    expect(seen?.headers).not.toHaveProperty('x-mine')
  })

  it('carries a multipart upload byte for byte, with its length where the client gave one', async () => {
    const bytes = randomBytes(3 * 1024 * 1024)
    const sum = createHash('sha256')
    let size = 0
    const count: Script = (request, response) => {
      size = Buffer.byteLength(request.body, 'latin1')
      json(200, { id: 'file-1', length: request.headers['content-length'] ?? null })(
        request,
        response,
        response.socket as never,
      )
    }
    upstream.script(count)
    const head = '--b\r\ncontent-disposition: form-data; name="file"; filename="x.bin"\r\n\r\n'
    const body = Buffer.concat([Buffer.from(head), bytes, Buffer.from('\r\n--b--\r\n')])
    sum.update(body)
    const headers = { 'content-type': 'multipart/form-data; boundary=b' }
    const reply = await read(await send(runtime, '/files', { method: 'POST', headers, body: new Uint8Array(body) }))
    expect(JSON.parse(reply.text)).toEqual({ id: 'file-1', length: String(body.length) })
    expect(upstream.seen.at(-1)?.headers['content-type']).toBe('multipart/form-data; boundary=b')
    expect(size).toBeGreaterThan(0)
  })

  it('streams events as they come, untouched', async () => {
    const events = ['event: thread.run.created\ndata: {"id":"run_1"}\n\n', 'event: done\ndata: [DONE]\n\n']
    upstream.script(stream(events))
    const body = '{"stream":true}'
    const response = await send(runtime, '/threads/thread_1/runs', { method: 'POST', body })
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    expect(await response.text()).toBe(events.join(''))
  })

  it('ends events that fall silent with an error, also within an event', async () => {
    upstream.script(stream(['data: {"delta":"a"}\n\n', 'data: {"delta":"b'], 'silence'))
    const text = await (
      await send(runtime, '/threads/thread_1/runs', { method: 'POST', body: '{"stream":true}' })
    ).text()
    const error = { type: 'server_error', param: null, code: 'upstream_timeout' }
    const message = 'main sent nothing more within 2 seconds.'
    expect(eventsOf(text).map(({ data }) => JSON.parse(data))).toEqual([
      { delta: 'a' },
      { delta: 'b', error: { message, ...error } },
    ])
  })

  it('breaks where the provider breaks it off, and where a file falls silent', async () => {
    for (const script of [
      stream(['data: {"delta":"a"}\n\n'], 'reset'),
      stream(['half a file'], 'silence', 'application/octet-stream'),
    ]) {
      upstream.script(script)
      const response = await send(runtime, '/files/file-1/content')
      await expect(response.text()).rejects.toThrow()
    }
  })

  it('passes a refusal on as the provider words it, whatever the status', async () => {
    const refusal = '{"error":{"message":"No such file: x","type":"invalid_request_error","param":"id","code":null}}'
    upstream.script(json(409, refusal, { 'x-request-id': 'req_1', 'retry-after': '7' }))
    const reply = await read(await send(runtime, '/files/file-x'))
    expect(reply).toMatchObject({ status: 409, text: refusal })
    expect(Object.fromEntries(reply.headers)).toMatchObject({
      'content-type': 'application/json',
      'x-samewire-provider': 'main',
      'x-samewire-upstream-request-id': 'req_1',
      'retry-after': '7',
    })
  })

  it.each([401, 407])('answers 502 when the provider rejects the gateway’s key with a %i', async (status) => {
    upstream.script(json(status, { error: { message: 'Incorrect API key provided: sk-of-the-upstream' } }))
    const reply = await read(await send(runtime, '/files'))
    expect(reply.status).toBe(502)
    expect(errorOf(reply).code).toBe('upstream_credentials_rejected')
    expect(reply.text).not.toContain('sk-of')
  })

  it.each([
    ['GET', '/files/x', 403],
    ['GET', '/files/x', 409],
    ['DELETE', '/models/x', 418],
    ['POST', '/batches', 429],
    ['GET', '/files/x', 500],
  ])('hides the gateway’s key where an error quotes it: %s %s with a %i', async (method, path, status) => {
    const message = 'Incorrect API key provided: Bearer sk-of-the-upstream, nor sk-another-0123456789abcdef'
    upstream.script(json(status, { error: { message, type: 'x sk-of-the-upstream', code: 'c', param: 'p' } }))
    const reply = await read(await send(runtime, path, { method }))
    expect(reply.status).toBe(status)
    expect(errorOf(reply)).toEqual({
      message: 'Incorrect API key provided: Bearer ***, nor sk-***',
      type: 'x ***',
      code: 'c',
      param: 'p',
    })
  })

  it('hides the caller’s own key too, and says with which status it was rejected', async () => {
    upstream.script(json(401, { error: { message: 'Wrong: sk-their-own', code: 'invalid_api_key' } }))
    const headers = { 'x-samewire-provider': 'theirs', 'api-key': both.key, authorization: 'Bearer sk-their-own' }
    const reply = await read(await send(runtime, '/files', { headers }))
    expect(reply.status).toBe(401)
    expect(errorOf(reply)).toMatchObject({ message: 'Wrong: ***', code: 'invalid_api_key' })
  })

  const raw =
    (status: number, type: string | undefined, body: string): Script =>
    (_, response) =>
      void response.writeHead(status, type === undefined ? {} : { 'content-type': type }).end(body)

  it.each([
    [
      500,
      'text/html',
      '<html><b>sk-of-the-upstream</b></html>',
      'main failed: it answered with a web page instead of JSON',
    ],
    [502, undefined, '', 'main failed: HTTP 502'],
    [503, 'application/json', '{"error":"boom"}', 'main failed: boom'],
    [404, 'text/plain', 'no sk-of-the-upstream here', 'main failed: no *** here'],
    [
      400,
      'application/json',
      '{"detail":[{"loc":["body","x"],"msg":"Field required"}]}',
      'main failed: x: Field required',
    ],
    [400, 'application/json', '{"error":{}}', 'main failed: HTTP 400'],
  ])('makes an envelope for an error without one: %i %s %s', async (status, type, body, message) => {
    upstream.script(raw(status, type, body))
    const reply = await read(await send(runtime, '/files'))
    expect(reply.status).toBe(status)
    expect(errorOf(reply).message).toBe(message)
  })

  it('says what an error of 429 without words means', async () => {
    upstream.script(raw(429, undefined, ''))
    expect(errorOf(await read(await send(runtime, '/files')))).toMatchObject({ code: 'rate_limit_exceeded' })
  })

  it('reads no more of an endless error than it needs', async () => {
    upstream.script((_, response) => {
      response.writeHead(500, { 'content-type': 'text/plain' })
      const pour = () => {
        while (!response.destroyed && response.write('no '.repeat(10_000)));
      }
      response.on('drain', pour)
      pour()
    })
    const reply = await read(await send(runtime, '/files'))
    expect(reply.status).toBe(500)
    expect(errorOf(reply).message.length).toBeLessThan(3_000)
    await upstream.seen.at(-1)?.abandoned
  })

  it('tells what was wrong before a large upload is over', async () => {
    upstream.script(json(413, { error: { message: 'too large', type: 'invalid_request_error' } }))
    const headers = { 'content-type': 'multipart/form-data; boundary=b' }
    const reply = await read(
      await send(runtime, '/files', { method: 'POST', headers, body: new Uint8Array(8 * 1024 * 1024) }),
    )
    expect(reply.status).toBe(413)
    expect(errorOf(reply).message).toBe('too large')
  })

  it('has no body for HEAD where it is refused, but the status', async () => {
    upstream.script(raw(404, 'application/json', ''))
    const response = await send(runtime, '/files/x', { method: 'HEAD' })
    expect([response.status, await response.text()]).toEqual([404, ''])
  })

  it('goes to the provider in x-samewire-provider, and later requests about what it made follow', async () => {
    const headers = { 'x-samewire-provider': 'other', 'content-type': 'application/json' }
    upstream.script(json(200, { id: `batch_${runtime}`, input_file_id: 'file-9' }))
    await read(await send(runtime, '/batches', { method: 'POST', headers, body: '{}' }))
    expect(upstream.seen.at(-1)?.path).toBe('/other/v1/batches')
    await read(await send(runtime, `/batches/batch_${runtime}/cancel`, { method: 'POST' }))
    expect(upstream.seen.at(-1)?.path).toBe(`/other/v1/batches/batch_${runtime}/cancel`)
    const body = JSON.stringify({ batch: `batch_${runtime}` })
    await read(await send(runtime, '/evals', { method: 'POST', headers: { 'content-type': 'application/json' }, body }))
    expect(upstream.seen.at(-1)?.path).toBe('/other/v1/evals')
    await read(await send(runtime, '/batches/batch_unknown'))
    expect(upstream.seen.at(-1)?.path).toBe('/main/v1/batches/batch_unknown')
  })

  it('finds the path that Azure has for it', async () => {
    upstream.script(json(200, {}))
    await read(await send(runtime, '/files?limit=1', { headers: { 'x-samewire-provider': 'azure' } }))
    expect(upstream.seen.at(-1)?.path).toBe('/openai/files?limit=1&api-version=2026-01-01')
  })

  it.each([
    ['/organization/admin_api_keys', 'main', 403, 'forbidden'],
    ['/%6Frganization/projects', 'main', 403, 'forbidden'],
    ['/Projects/1', 'main', 403, 'forbidden'],
    ['/v1/organization/users', 'main', 403, 'forbidden'],
    ['/openai/v1/organization', 'main', 403, 'forbidden'],
    ['/organization.json', 'main', 403, 'forbidden'],
    ['/organizations:search', 'main', 403, 'forbidden'],
    ['/organization%2fusers', 'main', 403, 'forbidden'],
    ['/organization%252fusers', 'main', 400, null],
    ['/organization%00/a', 'main', 400, null],
    ['/%0Aprojects', 'main', 400, null],
    ['/projects%20', 'main', 400, null],
    ['/projects%e2%80%8b', 'main', 400, null],
    ['/;/organization', 'main', 400, null],
    ['/%20/organization', 'main', 400, null],
    ['/organization;x=1/users', 'main', 400, null],
    ['/organization%3Bx/users', 'main', 400, null],
    ['/organization%3Fx', 'main', 400, null],
    ['/organization%23', 'main', 400, null],
    ['/%EF%BD%8Frganization', 'main', 400, null],
    ['/files/..;/organization', 'main', 400, null],
    ['/files/%252e%252e%252forganization', 'main', 400, null],
    ['/files/..%00/organization', 'main', 400, null],
    ['/files/.%20./organization', 'main', 400, null],
    ['/files/..%5Corganization', 'main', 400, null],
    ['/files/%25c0%25ae%25c0%25ae/organization', 'main', 400, null],
    ['/files/%25u002e%25u002e/organization', 'main', 400, null],
    [`/files/%${'25'.repeat(50)}2e`, 'main', 400, null],
    ['/files', 'nobody', 400, null],
    ['/files', 'demo', 404, 'wrong_endpoint'],
    ['/files/..%2Forganization', 'main', 400, null],
    ['/files/%zz', 'main', 400, null],
  ])('is refused where it must not go: %s at %s', async (path, provider, status, code) => {
    const before = upstream.seen.length
    const reply = await read(await send(runtime, path, { headers: { 'x-samewire-provider': provider } }))
    expect(reply.status).toBe(status)
    expect(errorOf(reply).code).toBe(code)
    expect(upstream.seen.length).toBe(before)
  })

  it('goes on with the caller’s own key where the provider is configured so, organizations included', async () => {
    upstream.script(json(200, {}))
    const headers = { 'x-samewire-provider': 'theirs', 'api-key': both.key, authorization: 'Bearer sk-their-own' }
    await read(await send(runtime, '/organization/costs', { headers }))
    expect(upstream.seen.at(-1)).toMatchObject({
      path: '/theirs/organization/costs',
      headers: { authorization: 'Bearer sk-their-own' },
    })
  })

  it('is a 502 when the provider can’t be reached, and the next request works', async () => {
    upstream.script((_, __, socket) => socket.resetAndDestroy(), json(200, {}))
    const reply = await read(await send(runtime, '/files', { method: 'POST', body: 'x'.repeat(100_000) }))
    expect(reply.status).toBe(502)
    expect(errorOf(reply).code).toBe('upstream_unreachable')
    expect((await read(await send(runtime, '/files'))).status).toBe(200)
  })

  const asJson = { 'content-type': 'application/json' }

  it.each([
    ['smart', 'gpt-5'],
    ['alias', 'gpt-5'],
    ['main/gpt-4o', 'gpt-4o'],
    ['mini-2027', 'gpt-5-2027'],
    ['gpt-4o', 'gpt-4o'],
    ['local-x', 'local-x'],
    ['ft:gpt-4o:acme::1', 'ft:gpt-4o:acme::1'],
  ])(
    'has the provider’s own name for a model of the configuration, and no other byte changed: %s',
    async (model, own) => {
      upstream.script(json(200, { id: 'resp_1' }))
      for (const path of ['/conversations', '/agents?beta=true']) {
        for (const input of ['hi', 'x'.repeat(300_000)]) {
          const body = (name: string) => `{ "input":"${input}",  "model" : "${name}", "n":12345678901234567890 }`
          const reply = await read(await send(runtime, path, { method: 'POST', headers: asJson, body: body(model) }))
          expect(reply.status).toBe(200)
          expect(upstream.seen.at(-1)?.body === body(own)).toBe(true)
          expect(upstream.seen.at(-1)?.path).toBe(`/main/v1${path}`)
        }
      }
    },
  )

  it('has the name that a model has at the provider in x-samewire-provider', async () => {
    upstream.script(json(200, {}))
    const headers = { ...asJson, 'x-samewire-provider': 'other' }
    await read(await send(runtime, '/conversations', { method: 'POST', headers, body: '{"model":"smart"}' }))
    expect(upstream.seen.at(-1)).toMatchObject({ path: '/other/v1/conversations', body: '{"model":"big"}' })
  })

  it.each(['emb', 'other/x'])('is a 404 for a model that is elsewhere: %s', async (model) => {
    const before = upstream.seen.length
    const body = JSON.stringify({ model, input: 'hi' })
    const reply = await read(await send(runtime, '/conversations?x=1', { method: 'POST', headers: asJson, body }))
    expect(reply.status).toBe(404)
    expect(errorOf(reply)).toMatchObject({
      code: 'wrong_endpoint',
      param: 'model',
      message: `/conversations isn't served for the model \`${model}\`: such requests go to main, and the model is at other.`,
    })
    expect(upstream.seen.length).toBe(before)
  })

  it.each(['{', '[]', '{"model":7}', '{"model":"emb","model":"emb"}', ''])(
    'goes on where it is no such JSON: %s',
    async (body) => {
      upstream.script(json(200, {}))
      const reply = await read(await send(runtime, '/conversations', { method: 'POST', headers: asJson, body }))
      expect([reply.status, upstream.seen.at(-1)?.body]).toEqual([200, body])
    },
  )

  it('is ended upstream when the client leaves', async () => {
    upstream.script(endless)
    const abort = new AbortController()
    const response = await fetch(`${both.addresses[runtime]}/threads/t/runs`, {
      method: 'POST',
      headers: { authorization: `Bearer ${both.key}` },
      signal: abort.signal,
    })
    await response.body?.getReader().read()
    abort.abort()
    await upstream.seen.at(-1)?.abandoned
  })

  it('needs a key like every other', async () => {
    const reply = await read(await fetch(`${both.addresses[runtime]}/files`))
    expect(reply.status).toBe(401)
    errorOf(reply)
  })
})

describe('A route of OpenAI where nothing is passed on', () => {
  const start = gatewayStarter()
  const byHeader = { headers: { 'x-samewire-provider': 'main' } }

  it('is a 404 that says what would pass it on', async () => {
    const { baseURL } = await start({ providers: providers(upstream.url) }, { services: noLists })
    const reply = await read(await fetch(`${baseURL}/files`))
    expect(reply.status).toBe(404)
    expect(errorOf(reply).message).toContain('passes such requests on to the provider that `passThrough`')
  })

  it('is a mere 404 with `passThrough: false`, whatever the header says', async () => {
    const seen = upstream.seen.length
    const { baseURL } = await start({ providers: providers(upstream.url), passThrough: false }, { services: noLists })
    const reply = await read(await fetch(`${baseURL}/files`, byHeader))
    expect(reply.status).toBe(404)
    expect(errorOf(reply).message).toBe('Invalid URL (GET /v1/files)')
    expect(upstream.seen.length).toBe(seen)
  })
})
