import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { WebSocket } from 'ws'
import type { Config } from '../../src/config/schema.ts'
import type { RequestReport } from '../../src/core/report.ts'
import { chat, noLists, until } from '../support/ask.ts'
import { type Runtime, runtimes, startBoth } from '../support/both.ts'
import { duringTests } from '../support/during-tests.ts'
import { gatewayStarter, ManualClock } from '../support/gateway.ts'
import { closedOf, connectSocket, openAt, refusalOf } from '../support/socket-client.ts'
import { echo, greet, serveSocketUpstream } from '../support/socket-upstream.ts'

const upstream = serveSocketUpstream()
const configOf = (): Config => ({
  providers: { up: { type: 'openai-compatible', baseURL: `${upstream.url}/v1` } },
  retries: 0,
})
const both = duringTests(() => startBoth('realtime-hostile', configOf()))
const start = gatewayStarter()

const path = '/realtime?model=up/voice'
const open = (runtime: Runtime) => openAt(both, runtime, path)

/** The next session works. */
async function works(runtime: Runtime): Promise<void> {
  upstream.script(echo)
  const client = await open(runtime)
  await client.next()
  client.ws.send('next')
  expect((await client.next()).text).toBe('next')
  client.ws.close()
  await client.closed
}

/** Sends a request for a WebSocket, with other headers, from a bare connection. */
function bare(runtime: Runtime, headers: Record<string, string>, target = `/v1${path}`, method = 'GET'): Socket {
  const socket = connect(Number(new URL(both.addresses[runtime]).port), '127.0.0.1')
  const all: Record<string, string> = {
    ...{ host: 'localhost', authorization: `Bearer ${both.key}`, connection: 'Upgrade', upgrade: 'websocket' },
    ...{ 'sec-websocket-version': '13', 'sec-websocket-key': randomBytes(16).toString('base64') },
    ...headers,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(`${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`)
  return socket
}

/** All that a connection sends until it ends. */
function allOf(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    socket.on('data', (data) => {
      text += data.toString('latin1')
    })
    socket.on('error', () => resolve(text))
    socket.on('close', () => resolve(text))
  })
}

describe('A request for a WebSocket with a bad handshake (node)', () => {
  it.each([
    ['version', { 'sec-websocket-version': '7' }, 426],
    ['key', { 'sec-websocket-key': 'short' }, 400],
  ])('gets the envelope, and no upstream hears of it: %s', async (_, headers, status) => {
    const answer = await allOf(bare('node', headers))
    expect(answer).toContain(`HTTP/1.1 ${status} `)
    expect(answer).toContain('{"error":{"message":')
    if (status === 426) expect(answer.toLowerCase()).toContain('sec-websocket-version: 13')
    expect(upstream.seen).toEqual([])
    await works('node')
  })
})

describe.each(runtimes)('A hostile client of Realtime (%s)', (runtime) => {
  it('that sends a message of more than 32 MB is closed, and so is its upstream', async () => {
    const client = await open(runtime)
    await client.next()
    const closed = closedOf(upstream.sockets[0])
    client.ws.on('error', () => {})
    client.ws.send(Buffer.alloc(33 * 1024 * 1024))
    expect([1006, 1009]).toContain((await client.closed).code)
    expect((await closed).code).toBeGreaterThanOrEqual(1001)
    await works(runtime)
  })

  it('that sends a frame without a mask is closed, and so is its upstream', async () => {
    const socket = bare(runtime, {})
    await until(() => upstream.sockets.length > 0)
    const closed = closedOf(upstream.sockets[0])
    await new Promise((shaken) => socket.once('data', shaken))
    socket.write(Buffer.from([0x8f, 0x05, 1, 2, 3, 4, 5]))
    expect((await closed).code).toBeGreaterThanOrEqual(1001)
    socket.destroy()
    await works(runtime)
  })

  it('that leaves while the upstream is asked does not leave that open', async () => {
    upstream.script({ refuse: (_, socket) => socket.resume().on('end', () => socket.end()) })
    const socket = bare(runtime, {})
    await until(() => upstream.seen.length > 0)
    const gone = new Promise((left) => upstream.seen[0]?.socket.once('close', left))
    socket.resetAndDestroy()
    await gone
    await works(runtime)
  })

  it('that resets its connection in the middle of a message is gone for the upstream too', async () => {
    const socket = bare(runtime, {})
    await until(() => upstream.sockets.length > 0)
    const closed = closedOf(upstream.sockets[0])
    await new Promise((shaken) => socket.once('data', shaken))
    socket.write(Buffer.from([0x81, 0xfe, 0x7f, 0xff, 1, 2, 3, 4, 5, 6]))
    socket.resetAndDestroy()
    expect((await closed).code).toBe(1001)
    await works(runtime)
  })
})

describe.each(runtimes)('A hostile upstream of Realtime (%s)', (runtime) => {
  it('that sends a message of more than 32 MB ends the session in words', async () => {
    upstream.script({
      opened(socket) {
        greet(socket)
        socket.on('message', () => socket.send(Buffer.alloc(33 * 1024 * 1024)))
      },
    })
    const client = await open(runtime)
    await client.next()
    client.ws.send('go')
    expect(JSON.parse((await client.next()).text ?? '')).toMatchObject({ type: 'error', error: { param: null } })
    expect((await client.closed).code).toBe(1011)
    await works(runtime)
  })

  it('that breaks the protocol ends the session in words', async () => {
    const client = await open(runtime)
    await client.next()
    upstream.seen[0]?.socket.write(Buffer.from([0x8f, 0x05, 1, 2, 3, 4, 5]))
    expect(JSON.parse((await client.next()).text ?? '')).toMatchObject({ type: 'error' })
    expect((await client.closed).code).toBe(1011)
    await works(runtime)
  })
})

describe('Requests that offer an upgrade (node)', () => {
  it('to HTTP/2, as Java’s client does, are answered as ever', async () => {
    const headers = { connection: 'Upgrade, HTTP2-Settings, close', upgrade: 'h2c', 'http2-settings': 'AAMAAABk' }
    expect(await allOf(bare('node', headers, '/v1/models'))).toContain('HTTP/1.1 200 ')
    expect(await allOf(bare('node', headers))).toContain('HTTP/1.1 426 ')
  })

  it('to a WebSocket elsewhere, or by another method, are answered as without it', async () => {
    const close = { connection: 'Upgrade, close' }
    expect(await allOf(bare('node', close, '/v1/models'))).toContain('HTTP/1.1 200 ')
    const post = { ...close, 'content-type': 'application/json', 'content-length': '0' }
    expect(await allOf(bare('node', post, `/v1${path}`, 'POST'))).toMatch(/^HTTP\/1.1 40[45] /)
  })

  it('behind another request get their answer after that one', async () => {
    const socket = connect(Number(new URL(both.addresses.node).port), '127.0.0.1')
    const head = `host: localhost\r\nauthorization: Bearer ${both.key}\r\n`
    const body = JSON.stringify(chat('up/m'))
    const first = `POST /v1/chat/completions HTTP/1.1\r\n${head}content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
    const second = `GET /v1${path} HTTP/1.1\r\n${head}connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 7\r\n\r\n`
    const answers = allOf(socket)
    socket.write(first + second)
    expect([...(await answers).matchAll(/HTTP\/1.1 (\d+)/g)].map(([, status]) => status)).toEqual(['404', '426'])
  })
})

describe('A gateway without a key', () => {
  it('opens no session for a page of another site, or by another name', async () => {
    const gateway = await start(configOf(), { services: noLists })
    const from = (headers: Record<string, string>) => connectSocket(gateway.baseURL + path, { headers })
    for (const headers of [{ origin: 'https://evil.test' }, { host: 'evil.test' }]) {
      const refusal = await refusalOf(from(headers))
      expect(refusal.status).toBe(403)
      expect(JSON.parse(refusal.body).error).toMatchObject({ code: 'forbidden' })
    }
    expect(upstream.seen).toEqual([])
    const { ws, closed } = await from({ origin: 'http://localhost:3000' })
    ws.close()
    await closed
  })
})

describe('The wait for an upstream on Node', () => {
  const silent = { refuse() {} }

  it('for its handshake ends after ten seconds, and it is not asked again', async () => {
    const clock = new ManualClock()
    const gateway = await start({ ...configOf(), retries: 2 }, { clock, services: noLists })
    upstream.script(silent)
    const refusal = refusalOf(connectSocket(gateway.baseURL + path))
    await until(() => upstream.seen.length > 0)
    await clock.advance(9_999)
    const early = await Promise.race([refusal, new Promise((turn) => setImmediate(turn, 'none yet'))])
    expect(early).toBe('none yet')
    await clock.advance(1)
    const { status, body } = await refusal
    expect(status).toBe(504)
    expect(JSON.parse(body).error).toMatchObject({
      code: 'upstream_timeout',
      message: "up did not answer the WebSocket's handshake within 10 seconds.",
    })
    expect(upstream.seen).toHaveLength(1)
  })
})

describe('A session on Node', () => {
  it('has no limit of time', async () => {
    const clock = new ManualClock()
    const limits = { connectTimeout: 1, timeout: 1, streamTimeout: 1, idleTimeout: 1, requestTimeout: 1 }
    const gateway = await start({ ...configOf(), ...limits }, { clock, services: noLists })
    const client = await connectSocket(gateway.baseURL + path)
    await client.next()
    // Longer than each of them, and too short for a heartbeat.
    await clock.advance(29_000)
    client.ws.send('still here')
    expect((await client.next()).text).toBe('still here')
    client.ws.close()
    await client.closed
  })

  it('is closed on both sides with 1001 when the gateway stops, and none begins after that', async () => {
    const gateway = await start(configOf(), { services: noLists })
    const client = await connectSocket(gateway.baseURL + path)
    await client.next()
    const closed = closedOf(upstream.sockets[0])
    gateway.breakOff()
    expect(await client.closed).toEqual({ code: 1001, reason: 'The gateway is shutting down.' })
    expect((await closed).code).toBe(1001)
    expect((await refusalOf(connectSocket(gateway.baseURL + path))).status).toBe(503)
  })

  it('is reported once, when it is over', async () => {
    const reports: string[] = []
    const over = ({ operation, trace }: RequestReport) =>
      void reports.push(`${operation} ${trace.attempts[0]?.deployment}`)
    const gateway = await start(configOf(), { services: { ...noLists, observer: { over } } })
    const client = await connectSocket(gateway.baseURL + path)
    await client.next()
    expect(reports).toEqual([])
    client.ws.close()
    await until(() => reports.length > 0)
    await refusalOf(connectSocket(`${gateway.baseURL}/realtime?model=nobody`))
    expect(reports).toEqual(['realtime up/voice', 'realtime undefined'])
  })

  it('ends when a peer shows no sign of life for a minute, and not when it answers pings', async () => {
    const clock = new ManualClock()
    const gateway = await start(configOf(), { clock, services: noLists })
    const client = await connectSocket(gateway.baseURL + path)
    await client.next()
    for (let at = 0; at < 4; at++) {
      const answered = Promise.all([client.ws, upstream.sockets[0]].map((end) => pinged(end)))
      await clock.advance(30_000)
      await answered
      client.ws.send(String(at))
      expect((await client.next()).text).toBe(String(at))
    }
    const closed = closedOf(upstream.sockets[0])
    // What it is sent is not read any more, and so no ping is answered.
    client.ws.pause()
    const asked = pinged(upstream.sockets[0])
    await clock.advance(30_000)
    await asked
    // The answer to this follows the answer to that.
    const answered = new Promise((done) => upstream.sockets[0]?.once('pong', done))
    upstream.sockets[0]?.ping()
    await answered
    await clock.advance(30_000)
    expect((await closed).code).toBe(1001)
  })

  it('holds back an upstream that is faster than its client', async () => {
    const size = 256 * 1024
    const count = 256
    upstream.script({
      opened(socket) {
        greet(socket)
        socket.on('message', () => {
          for (let at = 0; at < count; at++) socket.send(Buffer.alloc(size, at))
        })
      },
    })
    const client = await open('node')
    await client.next()
    client.ws.send('go')
    client.ws.pause()
    const [sending] = upstream.sockets
    let before = -1
    // All that can go has gone once it does not change for long.
    for (let same = 0; same < 20; same += sending?.bufferedAmount === before ? 1 : -same) {
      before = sending?.bufferedAmount ?? 0
      await new Promise((turn) => setTimeout(turn, 10))
    }
    // The systems' buffers take a few megabytes.
    expect(before).toBeGreaterThan((count * size) / 2)
    client.ws.resume()
    for (let at = 0; at < count; at++) expect((await client.next()).bytes[size - 1]).toBe(at)
    client.ws.close()
    await client.closed
  })

  it('holds back a client that is faster than its upstream', async () => {
    const size = 256 * 1024
    const count = 256
    const got: number[] = []
    upstream.script({
      opened(socket) {
        greet(socket)
        socket.on('message', (data: Buffer) => got.push(data[0] as number))
      },
    })
    const client = await open('node')
    await client.next()
    upstream.sockets[0]?.pause()
    for (let at = 0; at < count; at++) client.ws.send(Buffer.alloc(size, at))
    await until(() => client.ws.bufferedAmount < count * size)
    for (let turns = 0; turns < 2_000; turns++) await new Promise((turn) => setImmediate(turn))
    expect(client.ws.bufferedAmount).toBeGreaterThan((count * size) / 2)
    upstream.sockets[0]?.resume()
    await until(() => got.length === count)
    expect(got).toEqual(got.map((_, at) => at))
    client.ws.close()
    await client.closed
  })
})

const pinged = (end: WebSocket | undefined) => new Promise((done) => end?.once('ping', done))
