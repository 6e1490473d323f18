import { connect } from 'node:net'
import OpenAI, { AzureOpenAI } from 'openai'
import { OpenAIRealtimeWebSocket } from 'openai/realtime/websocket'
import { OpenAIRealtimeWS } from 'openai/realtime/ws'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type Runtime, runtimes, startBoth } from '../support/both.ts'
import { duringTests } from '../support/during-tests.ts'
import { connectSocket, openAt, refusalOf } from '../support/socket-client.ts'
import { refuseWith, serveSocketUpstream } from '../support/socket-upstream.ts'

const upstream = serveSocketUpstream()
const other = serveSocketUpstream()
const both = duringTests(() =>
  startBoth(
    'realtime-opening',
    {
      providers: {
        up: { type: 'openai-compatible', baseURL: `${upstream.url}/v1`, apiKey: 'env:UP_KEY' },
        other: { type: 'openai-compatible', baseURL: `${other.url}/v1` },
        azure: { type: 'openai', baseURL: upstream.url, apiVersion: '2025-04-01-preview', apiKey: 'env:UP_KEY' },
        theirs: { type: 'openai-compatible', baseURL: `${upstream.url}/theirs`, apiKey: 'client' },
        dead: { type: 'openai-compatible', baseURL: 'http://127.0.0.1:9/v1' },
        demo: { type: 'embedded' },
        ollama: { type: 'ollama', baseURL: upstream.url },
      },
      models: {
        voice: 'up/gpt-realtime',
        backed: { deployments: ['up/gpt-realtime'], fallbacks: ['other/second'] },
        impatient: { deployments: ['up/gpt-realtime'], fallbacks: ['other/second'], connectTimeout: 0.1, timeout: 600 },
        unreachable: { deployments: ['dead/x'], fallbacks: ['other/second'] },
      },
      passThrough: ['up', 'other'],
      timeout: 3,
      retries: 0,
    },
    { UP_KEY: 'sk-of-the-upstream' },
  ),
)
afterEach(() => vi.unstubAllGlobals())

const open = (runtime: Runtime, path: string, headers: Record<string, string> = {}) =>
  openAt(both, runtime, path, headers)

/** Opens a session, closes it, and returns the headers of its 101. */
async function served(opening: ReturnType<typeof connectSocket>): Promise<Readonly<Record<string, string>>> {
  const { ws, headers, closed } = await opening
  ws.close()
  await closed
  return headers
}

const errorIn = (body: string) => JSON.parse(body).error as Record<string, unknown>

describe.each(runtimes)('The key of a Realtime session (%s)', (runtime) => {
  const url = () => `${both.addresses[runtime]}/realtime?model=voice`

  it('may come as Authorization, as api-key, as a subprotocol or in the query', async () => {
    const { key } = both
    await served(connectSocket(url(), { headers: { authorization: `Bearer ${key}` } }))
    await served(connectSocket(url(), { headers: { 'api-key': key } }))
    await served(connectSocket(url(), {}, ['realtime', `openai-insecure-api-key.${key}`]))
    await served(connectSocket(`${url()}&api-key=${key}`))
    expect(upstream.seen.length).toBe(4)
    for (const { headers, url: path } of upstream.seen) {
      expect(headers.authorization).toBe('Bearer sk-of-the-upstream')
      expect(path).toBe('/v1/realtime?model=gpt-realtime')
    }
  })

  it('is never repeated in the subprotocol of the answer', async () => {
    const key = `openai-insecure-api-key.${both.key}`
    const { ws, closed } = await connectSocket(url(), {}, [key, 'openai-organization.org-1', 'realtime'])
    expect(ws.protocol).toBe('realtime')
    ws.close()
    await closed
    const beta = await connectSocket(url(), {}, [key, 'openai-beta.realtime-v1'])
    expect(beta.ws.protocol).toBe('openai-beta.realtime-v1')
    expect(upstream.seen[1]?.headers['openai-beta']).toBe('realtime=v1')
    beta.ws.close()
    await beta.closed
  })

  it.each([
    ['none', {}, []],
    ['a wrong one', { authorization: 'Bearer sk-wrong-key-of-somebody' }, []],
    ['a wrong subprotocol', {}, ['realtime', 'openai-insecure-api-key.sk-wrong-key-of-somebody']],
  ])('is required: %s gets 401 in the envelope, and no upstream hears of it', async (_, headers, protocols) => {
    const refusal = await refusalOf(connectSocket(url(), { headers: headers as Record<string, string> }, protocols))
    expect(refusal.status).toBe(401)
    expect(errorIn(refusal.body)).toMatchObject({ type: 'invalid_request_error', param: null })
    expect(refusal.headers['x-request-id']).toMatch(/\w/)
    expect(upstream.seen).toEqual([])
  })

  it('is the client’s own where the provider takes that, with what it belongs to', async () => {
    const headers = { 'api-key': both.key, authorization: 'Bearer sk-of-the-client', 'openai-project': 'proj-1' }
    await served(open(runtime, '/realtime?model=theirs/m', headers))
    expect(upstream.seen[0]?.headers).toMatchObject({
      authorization: 'Bearer sk-of-the-client',
      'openai-project': 'proj-1',
    })
    const refusal = await refusalOf(open(runtime, '/realtime?model=theirs/m'))
    expect(refusal.status).toBe(401)
  })
})

describe.each(runtimes)('The model of a Realtime session (%s)', (runtime) => {
  it('that nobody has gets 404 in the envelope, and none at all 400', async () => {
    const refusal = await refusalOf(open(runtime, '/realtime?model=no-such-model'))
    expect(refusal.status).toBe(404)
    expect(errorIn(refusal.body)).toMatchObject({ code: 'model_not_found' })
    const none = await refusalOf(open(runtime, '/realtime'))
    expect(none.status).toBe(400)
    expect(errorIn(none.body).message).toBe('you must provide a model parameter')
  })

  it('may have any name, and none gets into the headers as more than that', async () => {
    const name = encodeURIComponent('up/é\r\nset-cookie: a=b')
    const { ws, headers, closed } = await open(runtime, `/realtime?model=${name}`, { 'x-samewire-explain': 'true' })
    expect(headers).not.toHaveProperty('set-cookie')
    expect(headers['x-samewire-model']).toBe('up/%C3%A9%0D%0Aset-cookie: a=b')
    ws.close()
    await closed
    const refusal = await refusalOf(open(runtime, `/realtime?model=nobody%0D%0Aset-cookie:a=b`))
    expect(refusal.status).toBe(404)
    expect(refusal.headers).not.toHaveProperty('set-cookie')
    const long = await refusalOf(open(runtime, `/realtime?model=up/${'x'.repeat(600)}`))
    expect(long.status).toBe(400)
    expect(errorIn(long.body)).toMatchObject({ param: 'model', code: 'string_above_max_length' })
  })

  it.each(['demo/tiny-chat', 'ollama/llama3'])('whose provider has no Realtime gets 404: %s', async (model) => {
    const refusal = await refusalOf(open(runtime, `/realtime?model=${encodeURIComponent(model)}`))
    expect(refusal.status).toBe(404)
    expect(errorIn(refusal.body)).toMatchObject({ code: 'wrong_endpoint' })
  })

  it('is replaced by its fallback where the upstream refuses or can’t be reached', async () => {
    upstream.script(refuseWith(503, { error: { message: 'busy', type: 'server_error', code: null } }))
    const headers = await served(open(runtime, '/realtime?model=backed'))
    expect(headers).toMatchObject({ 'x-samewire-model': 'other/second', 'x-samewire-attempts': '2' })
    expect(other.seen.map(({ url }) => url)).toEqual(['/v1/realtime?model=second'])
    expect(await served(open(runtime, '/realtime?model=unreachable'))).toMatchObject({
      'x-samewire-model': 'other/second',
    })
  })

  it('is replaced by its fallback where the upstream’s first words are a refusal', async () => {
    const error = { type: 'invalid_request_error', code: 'model_not_found', message: 'No model gpt-realtime.' }
    upstream.script({
      opened(socket) {
        socket.send(JSON.stringify({ type: 'error', event_id: 'event_1', error }))
        socket.close(4000, 'invalid_request_error.model_not_found')
      },
    })
    expect(await served(open(runtime, '/realtime?model=backed'))).toMatchObject({
      'x-samewire-model': 'other/second',
      'x-samewire-reason': 'model_not_found',
    })
  })

  it('is missing where the upstream closes with such a reason and no word', async () => {
    upstream.script({ opened: (socket) => socket.close(4000, 'invalid_request_error.model_not_found') })
    const refusal = await refusalOf(open(runtime, '/realtime?model=voice'))
    expect(refusal.status).toBe(404)
    expect(errorIn(refusal.body)).toMatchObject({ code: 'model_not_found' })
  })

  it('hides the gateway’s key where the upstream rejects it, by status or by event', async () => {
    const error = {
      type: 'invalid_request_error',
      code: 'invalid_api_key',
      message: 'Incorrect API key provided: sk-of-the-upstream.',
    }
    for (const script of [
      refuseWith(401, { error }),
      { opened: (socket: { send(text: string): void }) => socket.send(JSON.stringify({ type: 'error', error })) },
    ]) {
      upstream.script(script)
      const refusal = await refusalOf(open(runtime, '/realtime?model=voice'))
      expect(refusal.status).toBe(502)
      expect(errorIn(refusal.body)).toMatchObject({ code: 'upstream_credentials_rejected' })
      expect(refusal.body).not.toContain('sk-of')
    }
  })

  it('is served by an upstream that says nothing first', async () => {
    upstream.script({ opened: (socket) => socket.on('message', (data) => socket.send(data as Buffer)) })
    const { ws, next, closed } = await open(runtime, '/realtime?model=voice')
    ws.send('anybody?')
    expect((await next()).bytes.toString()).toBe('anybody?')
    ws.close()
    await closed
  })

  it('times out where the upstream never answers the handshake', async () => {
    upstream.script({ refuse() {} })
    const refusal = await refusalOf(open(runtime, '/realtime?model=voice'))
    expect(refusal.status).toBe(504)
  })

  it('goes to the fallback where the handshake takes longer than `connectTimeout`', async () => {
    const left = new Promise((gone) => {
      upstream.script({
        refuse: (_, socket) =>
          socket
            .resume()
            .on('end', () => socket.end())
            .on('close', gone),
      })
    })
    expect(await served(open(runtime, '/realtime?model=impatient'))).toMatchObject({
      'x-samewire-model': 'other/second',
      'x-samewire-reason': 'upstream_timeout',
    })
    await left
  })

  it.each([
    ['ends the connection', (socket: { end(): void }) => socket.end(), 502],
    ['resets it', (socket: { resetAndDestroy(): void }) => socket.resetAndDestroy(), 502],
    ['writes no HTTP', (socket: { end(text: string): void }) => socket.end('hello\r\n\r\n'), 502],
    [
      'answers 200',
      (socket: { end(text: string): void }) =>
        socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}'),
      502,
    ],
    [
      'answers with another key',
      (socket: { end(text: string): void }) =>
        socket.end(
          'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: AAAA\r\n\r\n',
        ),
      502,
    ],
    [
      'redirects',
      (socket: { end(text: string): void }) =>
        socket.end(`HTTP/1.1 307 Elsewhere\r\nlocation: ${other.url}\r\ncontent-length: 0\r\n\r\n`),
      502,
    ],
  ])('gets the envelope where the upstream %s', async (_, break_, status) => {
    upstream.script({ refuse: (__, socket) => break_(socket) })
    const refusal = await refusalOf(open(runtime, '/realtime?model=voice'))
    expect(refusal.status).toBe(status)
    expect(Object.keys(errorIn(refusal.body)).sort()).toEqual(['code', 'message', 'param', 'type'])
    expect(other.seen).toEqual([])
  })
})

describe.each(runtimes)('The address of a Realtime session (%s)', (runtime) => {
  it('is Azure’s for Azure, and Azure’s clients find theirs', async () => {
    await served(open(runtime, '/realtime?model=azure/my%20voice'))
    expect(upstream.seen[0]?.url).toBe('/openai/realtime?api-version=2025-04-01-preview&deployment=my+voice')
    expect(upstream.seen[0]?.headers['api-key']).toBe('sk-of-the-upstream')
    const azure = both.addresses[runtime].replace('/v1', '/openai/realtime?api-version=2024-10-01&deployment=voice')
    await served(connectSocket(azure, { headers: { 'api-key': both.key } }))
    expect(upstream.seen[1]?.url).toBe('/v1/realtime?model=gpt-realtime')
  })

  it('needs no model for a transcription or a call: it leads to the provider for all the rest', async () => {
    await served(open(runtime, '/realtime?intent=transcription'))
    await served(open(runtime, '/realtime?call_id=rtc_1'))
    await served(open(runtime, '/realtime?intent=transcription', { 'x-samewire-provider': 'other' }))
    expect(upstream.seen.map(({ url }) => url)).toEqual([
      '/v1/realtime?intent=transcription',
      '/v1/realtime?call_id=rtc_1',
    ])
    expect(other.seen.map(({ url }) => url)).toEqual(['/v1/realtime?intent=transcription'])
  })

  it('may be that of a translation', async () => {
    await served(open(runtime, '/realtime/translations?model=voice'))
    const azure = both.addresses[runtime].replace('/v1', '/openai/v1/realtime/translations?model=azure/x')
    await served(connectSocket(azure, { headers: { 'api-key': both.key } }))
    expect(upstream.seen.map(({ url }) => url)).toEqual([
      '/v1/realtime/translations?model=gpt-realtime',
      '/openai/realtime/translations?api-version=2025-04-01-preview&deployment=x',
    ])
    const refusal = await refusalOf(open(runtime, '/realtime/translations'))
    expect([refusal.status, errorIn(refusal.body).message]).toEqual([400, 'you must provide a model parameter'])
  })

  it('answers 426 to what is no WebSocket, and leaves the routes below it alone', async () => {
    const headers = { authorization: `Bearer ${both.key}` }
    const plain = await fetch(`${both.addresses[runtime]}/realtime?model=voice`, { headers })
    expect(plain.status).toBe(426)
    expect(errorIn(await plain.text())).toMatchObject({ code: 'upgrade_required' })
    // The upstream has no such route: it was asked.
    const below = await fetch(`${both.addresses[runtime]}/realtime/client_secrets`, { method: 'POST', headers })
    expect(below.headers.get('x-samewire-provider')).toBe('up')
  })
})

describe.each(runtimes)('OpenAI’s own client (%s)', (runtime) => {
  /** The client's address is to be `wss`, and the gateway's isn't. */
  const baseURL = () => both.addresses[runtime].replace('http:', 'https:')
  const port = () => Number(new URL(both.addresses[runtime]).port)

  it('has a session by `ws`', async () => {
    const client = new OpenAI({ apiKey: both.key, baseURL: baseURL() })
    const options = { createConnection: () => connect(port(), '127.0.0.1') }
    const session = new OpenAIRealtimeWS({ model: 'voice', options }, client)
    await sessionWorks(session)
  })

  it('has a session by a browser’s WebSocket', async () => {
    vi.stubGlobal('WebSocket', plainly(WebSocket))
    const client = new OpenAI({ apiKey: both.key, baseURL: baseURL(), organization: 'org-1' })
    await sessionWorks(new OpenAIRealtimeWebSocket({ model: 'voice' }, client))
    expect(upstream.seen[0]?.headers).not.toHaveProperty('openai-organization')
  })

  it('has a session in Azure’s way', async () => {
    const client = new AzureOpenAI({
      ...{ apiKey: both.key, apiVersion: '2024-10-01', deployment: 'voice' },
      baseURL: baseURL().replace('/v1', '/openai'),
    })
    const options = { createConnection: () => connect(port(), '127.0.0.1') }
    await sessionWorks(await OpenAIRealtimeWS.azure(client, { options }))
  })

  it('is told why there is no session', async () => {
    const client = new OpenAI({ apiKey: both.key, baseURL: baseURL() })
    const options = { createConnection: () => connect(port(), '127.0.0.1') }
    const session = new OpenAIRealtimeWS({ model: 'no-such-model', options }, client)
    const error = await new Promise<Error>((resolve) => session.on('error', resolve))
    expect(error.message).toContain('404')
  })
})

/** A session of either class. */
interface Session {
  on(event: 'session.created' | 'error' | 'event', listener: (event: never) => void): unknown
  send(event: never): void
  close(props?: { code: number; reason: string }): void
  readonly socket: unknown
}

async function sessionWorks(session: Session): Promise<void> {
  const closed = new Promise<number>((resolve) => {
    const socket = session.socket as WebSocket
    socket.addEventListener('close', ({ code }) => resolve(code))
  })
  const event = await new Promise<{ session: { id: string } }>((resolve, reject) => {
    session.on('error', reject)
    session.on('session.created', resolve)
  })
  expect(event.session.id).toBe('sess_1')
  const echoed = new Promise<object>((resolve) => session.on('event', resolve))
  session.send({ type: 'response.create', response: { instructions: 'Say hello.' } } as never)
  expect(await echoed).toMatchObject({ type: 'response.create' })
  session.close({ code: 1000, reason: 'OK' })
  expect(await closed).toBe(1000)
}

/** A class of WebSockets that leaves out the encryption. */
function plainly(Base: typeof WebSocket): typeof WebSocket {
  return class extends Base {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(String(url).replace('wss:', 'ws:'), protocols)
    }
  }
}
