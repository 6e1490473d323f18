import { createHash, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/schema.ts'
import { errorOf, eventsOf, type Reply } from '../support/ask.ts'
import { type Runtime, runtimes, serveBoth } from '../support/both.ts'
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
  (url) => ({ providers: providers(url), passThrough: ['main', 'other', 'azure', 'theirs', 'demo'], idleTimeout: 2 }),
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
    upstream.script(json(409, refusal))
    const reply = await read(await send(runtime, '/files/file-x'))
    expect(reply).toMatchObject({ status: 409, text: refusal })
  })

  it('answers 502 when the provider rejects the gateway’s key, without the words that quote it', async () => {
    upstream.script(json(401, { error: { message: 'Incorrect API key provided: sk-of-the-upstream' } }))
    const reply = await read(await send(runtime, '/files'))
    expect(reply.status).toBe(502)
    expect(errorOf(reply).code).toBe('upstream_credentials_rejected')
    expect(reply.text).not.toContain('sk-of')
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
