import { describe, expect, it } from 'vitest'
import { until } from '../support/ask.ts'
import { runtimes, startBoth } from '../support/both.ts'
import { duringTests } from '../support/during-tests.ts'
import { closedOf, openAt } from '../support/socket-client.ts'
import { greet, greeting, serveSocketUpstream } from '../support/socket-upstream.ts'

const upstream = serveSocketUpstream()
const both = duringTests(() =>
  startBoth(
    'realtime-sessions',
    {
      providers: { up: { type: 'openai-compatible', baseURL: `${upstream.url}/v1`, apiKey: 'env:UP_KEY' } },
      models: {
        voice: 'up/gpt-realtime',
        'drops-late': { deployments: ['up/drops-late'], fallbacks: ['up/spare'] },
        'breaks-off': { deployments: ['up/breaks-off'], fallbacks: ['up/spare'] },
      },
      retries: 0,
    },
    { UP_KEY: 'sk-of-the-upstream' },
  ),
)

describe.each(runtimes)('A Realtime session (%s)', (runtime) => {
  const open = (path = '/realtime?model=voice') => openAt(both, runtime, path)

  it('carries messages both ways as they are, text as text and bytes as bytes', async () => {
    const client = await open()
    expect((await client.next()).text).toBe(greeting)
    const text = '{ "type":"input",  "n": 12345678901234567890, "é": "\\u00e9 🎙" }'
    client.ws.send(text)
    expect((await client.next()).text).toBe(text)
    const bytes = Buffer.from([0, 255, 128, 1])
    client.ws.send(bytes)
    expect(await client.next()).toEqual({ bytes, text: undefined })
    client.ws.close(1000)
    expect(await client.closed).toEqual({ code: 1000, reason: '' })
  })

  it('carries a message of 16 MB', async () => {
    const client = await open()
    await client.next()
    const bytes = Buffer.alloc(16 * 1024 * 1024, 7)
    client.ws.send(bytes)
    expect((await client.next()).bytes.equals(bytes)).toBe(true)
    client.ws.close()
    await client.closed
  })

  it('keeps the order of many messages', async () => {
    const client = await open()
    await client.next()
    for (let at = 0; at < 2_000; at++) client.ws.send(String(at))
    for (let at = 0; at < 2_000; at++) expect((await client.next()).text).toBe(String(at))
    client.ws.close()
    await client.closed
  })

  it.each([
    [1000, 'done'],
    [1001, ''],
    [1008, 'policy'],
    [3000, 'invalid_request_error.session_expired'],
    [4999, 'é'.repeat(60)],
  ])('ends for the client as the upstream ends it: %d', async (code, reason) => {
    const client = await open()
    await client.next()
    await until(() => upstream.sockets.length > 0)
    upstream.sockets[0]?.close(code, reason)
    expect(await client.closed).toEqual({ code, reason })
  })

  it.each([
    [1000, 'OK'],
    [1001, ''],
    [4000, 'mine'],
  ])('ends for the upstream as the client ends it: %d', async (code, reason) => {
    const client = await open()
    await client.next()
    const closed = closedOf(upstream.sockets[0])
    client.ws.close(code, reason)
    expect(await closed).toEqual({ code, reason })
    expect(await client.closed).toEqual({ code, reason })
  })

  it('ends without a code if one side gives none', async () => {
    const first = await open()
    await first.next()
    const closed = closedOf(upstream.sockets[0])
    first.ws.close()
    expect(await closed).toEqual({ code: 1005, reason: '' })
    const second = await open()
    await second.next()
    upstream.sockets[1]?.close()
    expect((await second.closed).code).toBe(1005)
  })

  it('delivers what the upstream says right before it closes', async () => {
    upstream.script({
      opened(socket) {
        greet(socket)
        socket.send('last')
        socket.close(1000, 'bye')
      },
    })
    const client = await open()
    expect((await client.next()).text).toBe(greeting)
    expect((await client.next()).text).toBe('last')
    expect(await client.closed).toEqual({ code: 1000, reason: 'bye' })
  })

  it('ends with an error event and 1011 when the upstream breaks', async () => {
    const client = await open()
    await client.next()
    upstream.sockets[0]?.terminate()
    expect(JSON.parse((await client.next()).text ?? '')).toEqual({
      type: 'error',
      event_id: expect.stringMatching(/^event_\w{21}$/),
      error: {
        type: 'server_error',
        code: 'upstream_stream_truncated',
        message: 'The upstream broke off the connection.',
        param: null,
        event_id: null,
      },
    })
    expect((await client.closed).code).toBe(1011)
  })

  it('closes the upstream at once when the client is gone', async () => {
    const client = await open()
    await client.next()
    const closed = closedOf(upstream.sockets[0])
    client.ws.terminate()
    expect((await closed).code).toBe(1001)
  })

  it('passes by nothing of the gateway’s key, cookies and origin, and tells who serves it', async () => {
    const client = await openAt(both, runtime, `/realtime?model=voice&api-key=${both.key}&x=a%20b`, {
      cookie: 'a=b',
      origin: 'https://page.test',
      'openai-beta': 'realtime=v1',
      'openai-organization': 'org-mine',
      'openai-safety-identifier': 'user-7',
    })
    const [seen] = upstream.seen
    expect(seen?.url).toBe('/v1/realtime?x=a+b&model=gpt-realtime')
    expect(seen?.headers).toMatchObject({
      authorization: 'Bearer sk-of-the-upstream',
      'openai-beta': 'realtime=v1',
      'openai-safety-identifier': 'user-7',
    })
    expect(JSON.stringify(seen?.rawHeaders)).not.toContain(both.key)
    for (const name of ['cookie', 'origin', 'openai-organization', 'sec-websocket-protocol'])
      expect(seen?.headers).not.toHaveProperty(name)
    expect(client.headers).toMatchObject({
      'x-samewire-model': 'up/gpt-realtime',
      'x-samewire-attempts': '1',
      'x-request-id': expect.stringMatching(/\w/),
    })
    client.ws.close()
    await client.closed
  })

  it('that breaks counts for its deployment, and not one that ends without the last of the handshake', async () => {
    upstream.script({
      opened(socket, { url }) {
        greet(socket)
        if (url?.includes('breaks-off')) socket.on('message', () => socket.terminate())
        // Before `ws` answers the closing.
        else socket.on('message', () => socket.pause())
      },
    })
    const modelOf = async (name: string): Promise<string | undefined> => {
      const client = await open(`/realtime?model=${name}`)
      await client.next()
      const connection = upstream.seen.at(-1)?.socket
      client.ws.send('x')
      if (name === 'drops-late') {
        client.ws.close(1000)
        await client.closed
        connection?.destroy()
      }
      await (client.headers['x-samewire-model'] === 'up/spare' ? client.ws.close() : client.closed)
      return client.headers['x-samewire-model']
    }
    let breaks = 0
    while ((await modelOf('breaks-off')) === 'up/breaks-off') breaks++
    expect(breaks).toBeGreaterThan(0)
    for (let at = 0; at <= breaks * 2; at++) expect(await modelOf('drops-late')).toBe('up/drops-late')
  })

  it('answers pings, and passes none on', async () => {
    const client = await open()
    await client.next()
    let pings = 0
    upstream.sockets[0]?.on('ping', () => pings++)
    const pong = new Promise((answered) => client.ws.once('pong', answered))
    client.ws.ping('x')
    expect(String(await pong)).toBe('x')
    client.ws.send('still here')
    expect((await client.next()).text).toBe('still here')
    expect(pings).toBe(0)
    client.ws.close()
    await client.closed
  })
})
