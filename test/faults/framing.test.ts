import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { brotliCompressSync, constants, deflateSync, gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ask, chat, contentOf, errorOf, expectBrokenOff, hastyClock, noLists, open } from '../support/ask.ts'
import { type RunningGateway, startGateway } from '../support/gateway.ts'
import { chatAnswer, chatFrames } from '../support/upstream.ts'

/** A server of raw bytes: each connection answers its requests with what the test says. */
let server: Server
let gateway: RunningGateway
let clock: ReturnType<typeof hastyClock>
let requests = 0
let answer: (socket: Socket, request: number, onConnection: number) => void = () => {}

beforeAll(async () => {
  server = createServer((socket) => {
    let onConnection = 0
    socket.on('error', () => {})
    socket.on('data', (data) => {
      if (!data.toString('latin1').startsWith('POST ')) return
      requests++
      onConnection++
      answer(socket, requests, onConnection)
    })
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
})

// One for each test, so that no connection is left from the one before.
beforeEach(async () => {
  requests = 0
  const { port } = server.address() as AddressInfo
  clock = hastyClock()
  gateway = await startGateway(
    { providers: { p: { type: 'openai-compatible', baseURL: `http://127.0.0.1:${port}` } }, retries: 0 },
    { clock, services: noLists },
  )
})

afterEach(() => gateway.close())

afterAll(() => {
  server.close()
})

const body = JSON.stringify(chatAnswer('good day'))

function http(payload: string | Uint8Array, ...headers: string[]): Buffer {
  const head = ['HTTP/1.1 200 OK', `content-length: ${Buffer.byteLength(payload)}`, ...headers, '', ''].join('\r\n')
  return Buffer.concat([Buffer.from(head), Buffer.from(payload)])
}

const jsonType = 'content-type: application/json'

describe('An answer on the wire', () => {
  it.each([
    ['gzip', gzipSync(body)],
    ['x-gzip', gzipSync(body)],
    ['deflate', deflateSync(body)],
    ['br', brotliCompressSync(body)],
    ['GZIP', gzipSync(body)],
    ['identity, gzip', gzipSync(body)],
    ['deflate, Gzip', gzipSync(deflateSync(body))],
    ['Identity', Buffer.from(body)],
  ])('may be compressed although nobody asked for it: %s', async (encoding, payload) => {
    answer = (socket) => socket.write(http(payload, jsonType, `content-encoding: ${encoding}`))
    const reply = await ask(gateway, chat('p/m'))
    expect(contentOf(reply.text)).toBe('good day')
    expect(reply.headers.get('content-encoding')).toBeNull()
  })

  it('may be a compressed stream', async () => {
    const text = chatFrames('good', ' day').join('')
    answer = (socket) => socket.write(http(gzipSync(text), 'content-type: text/event-stream', 'content-encoding: gzip'))
    expect((await ask(gateway, chat('p/m', { stream: true }))).text).toBe(text)
  })

  it.each([
    ['that lies about being compressed', http(body, jsonType, 'content-encoding: gzip')],
    ['that is compressed and cut', http(gzipSync(body).subarray(0, 40), jsonType, 'content-encoding: gzip')],
    ['in an encoding that nobody knows', http(body, jsonType, 'content-encoding: zstd')],
  ])('%s is the upstream’s failure', async (_what, bytes) => {
    answer = (socket) => socket.write(bytes)
    const reply = await ask(gateway, chat('p/m'))
    expect(reply.status).toBe(502)
    errorOf(reply)
  })

  it.each(['constructor', '__proto__', 'toString', 'gzip, valueOf', 'gzip, gzip, gzip'])(
    'in an encoding called “%s” is the upstream’s failure, and no request hangs',
    async (name) => {
      answer = (socket) => socket.write(http(body, jsonType, `content-encoding: ${name}`))
      for (const stream of [false, true]) expect((await ask(gateway, chat('p/m', { stream }))).status).toBe(502)
    },
  )

  it('that lies about being compressed is stopped, so that its connection isn’t kept for ever', async () => {
    const closed: Promise<void>[] = []
    answer = (socket) => {
      closed.push(new Promise((resolve) => socket.once('close', () => resolve())))
      socket.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\n')
      socket.write('content-length: 5000\r\n\r\nthis is not gzip')
    }
    for (const stream of [false, true]) expect((await ask(gateway, chat('p/m', { stream }))).status).toBe(502)
    expect(closed).toHaveLength(2)
    await Promise.all(closed)
  })

  it('that is a compressed stream and cut ends with an error event', async () => {
    const begun = chatFrames('good day').slice(0, 2).join('')
    const zipped = gzipSync(begun, { finishFlush: constants.Z_SYNC_FLUSH })
    const { promise, resolve: cut } = Promise.withResolvers<void>()
    answer = (socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-encoding: gzip\r\n')
      socket.write(Buffer.concat([Buffer.from(`content-length: 5000\r\n\r\n`), zipped]))
      void promise.then(() => socket.destroy())
    }
    const response = await open(gateway, chat('p/m', { stream: true }))
    cut()
    const text = await response.text()
    expect(text.startsWith(begun)).toBe(true)
    expectBrokenOff(text)
  })

  it('may come one byte at a time', async () => {
    answer = (socket) => {
      socket.setNoDelay(true)
      for (const byte of http(body, jsonType)) socket.write(Uint8Array.of(byte))
    }
    expect(contentOf((await ask(gateway, chat('p/m'))).text)).toBe('good day')
  })

  it('may be preceded by an interim one', async () => {
    answer = (socket) =>
      socket.write(Buffer.concat([Buffer.from('HTTP/1.1 103 Early Hints\r\n\r\n'), http(body, jsonType)]))
    expect(contentOf((await ask(gateway, chat('p/m'))).text)).toBe('good day')
  })

  it('may hold headers that no client would take', async () => {
    const strange = Buffer.from('x-ratelimit-limit-tokens: \u65e5\u672c\r\nx-ratelimit-remaining-tokens: 7', 'utf8')
    answer = (socket) => socket.write(http(body, jsonType, strange.toString('latin1')).toString('latin1'), 'latin1')
    const reply = await ask(gateway, chat('p/m'))
    expect(reply.status).toBe(200)
    expect(reply.headers.get('x-ratelimit-remaining-tokens')).toBe('7')
  })
})

describe('A connection that was kept and is dead', () => {
  it.each<[string, (socket: Socket) => void]>([
    ['closed', (socket) => void socket.end()],
    ['reset', (socket) => void socket.resetAndDestroy()],
  ])('costs the client nothing, even without retries: %s', async (_how, kill) => {
    answer = (socket, _request, onConnection) => {
      if (onConnection === 1) socket.write(http(body, jsonType))
      else kill(socket)
    }
    expect((await ask(gateway, chat('p/m'))).status).toBe(200)
    const reply = await ask(gateway, chat('p/m'))
    expect(contentOf(reply.text)).toBe('good day')
    expect(reply.headers.get('x-samewire-attempts')).toBe('1')
    expect(requests).toBe(3)
  })

  it.each<[string, (socket: Socket) => void]>([
    ['closed', (socket) => void socket.end()],
    ['reset', (socket) => void socket.resetAndDestroy()],
  ])(
    'is not to be confused with a server that takes nothing: a fresh one %s is a failure at once',
    async (_how, kill) => {
      answer = kill
      const reply = await ask(gateway, chat('p/m'))
      expect([reply.status, errorOf(reply).code]).toEqual([502, 'upstream_unreachable'])
      expect(requests).toBe(1)
    },
  )

  it('costs nothing either when the request is too large to be written at once', async () => {
    answer = (socket, _request, onConnection) => {
      if (onConnection === 1) socket.write(http(body, jsonType))
      else socket.resetAndDestroy()
    }
    expect((await ask(gateway, chat('p/m'))).status).toBe(200)
    const text = 'x'.repeat(4_000_000)
    const reply = await ask(gateway, { messages: chat('p/m').messages, user: text, model: 'p/m', suffix: text })
    expect(reply.status).toBe(200)
  })

  it('is not replaced by another one that is kept and dead', async () => {
    const both: Socket[] = []
    answer = (socket) => {
      both.push(socket)
      if (both.length === 2) for (const first of both) first.write(http(body, jsonType))
    }
    await Promise.all([ask(gateway, chat('p/m')), ask(gateway, chat('p/m'))])
    // One of the two is busy when the other one dies, and is free and as dead by the time of the next try.
    const busy = Promise.withResolvers<Socket>()
    answer = (socket) => busy.resolve(socket)
    const earlier = ask(gateway, chat('p/m'))
    const one = await busy.promise
    answer = async (socket, _request, onConnection) => {
      if (onConnection === 1) return void socket.write(http(body, jsonType))
      if (socket !== one && !one.destroyed) {
        one.write(http(body, jsonType))
        await earlier
      }
      socket.end()
    }
    const reply = await ask(gateway, chat('p/m'))
    expect(contentOf(reply.text)).toBe('good day')
    expect(reply.headers.get('x-samewire-attempts')).toBe('1')
    expect((await earlier).status).toBe(200)
    expect(requests).toBe(5)
    expect(clock.waits).toEqual([])
  })

  it('is made up for once: a fresh one that dies too is a failure', async () => {
    answer = (socket, request) => {
      if (request === 1) socket.write(http(body, jsonType))
      else socket.end()
    }
    expect((await ask(gateway, chat('p/m'))).status).toBe(200)
    const reply = await ask(gateway, chat('p/m'))
    expect([reply.status, errorOf(reply).code]).toEqual([502, 'upstream_unreachable'])
    expect(requests).toBe(3)
  })

  it.each(['H', 'HTTP/1.1 200 OK\r\ncontent-type: appl', 'HTTP/1.1 103 Early Hints\r\n\r\n'])(
    'is not one that died after the first byte of its answer: %j',
    async (part) => {
      answer = (socket, request) => {
        if (request === 1) socket.write(http(body, jsonType))
        else socket.end(part)
      }
      expect((await ask(gateway, chat('p/m'))).status).toBe(200)
      const reply = await ask(gateway, chat('p/m'))
      expect([reply.status, errorOf(reply).code]).toEqual([502, 'upstream_unreachable'])
      expect(requests).toBe(2)
    },
  )

  it('is replaced by one that carries a stream to its end and is closed then', async () => {
    const frames = chatFrames('good', ' day').join('')
    let closed: Promise<unknown> | undefined
    answer = (socket, request) => {
      if (request === 1) return void socket.write(http(body, jsonType))
      if (request === 2) return void socket.end()
      closed = new Promise((resolve) => socket.once('close', resolve))
      socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n')
      for (const byte of Buffer.from(frames)) socket.write(`1\r\n${String.fromCharCode(byte)}\r\n`, 'latin1')
      socket.write('0\r\n\r\n')
    }
    expect((await ask(gateway, chat('p/m'))).status).toBe(200)
    expect((await ask(gateway, chat('p/m', { stream: true }))).text).toBe(frames)
    await closed
    expect(requests).toBe(3)
  })

  it('is replaced by one that is closed when the client leaves', async () => {
    const third = Promise.withResolvers<Socket>()
    answer = (socket, request) => {
      if (request === 1) socket.write(http(body, jsonType))
      else if (request === 2) socket.end()
      else third.resolve(socket)
    }
    expect((await ask(gateway, chat('p/m'))).status).toBe(200)
    const client = new AbortController()
    const left = ask(gateway, chat('p/m'), { signal: client.signal }).catch(() => 'left')
    const socket = await third.promise
    client.abort()
    expect(await left).toBe('left')
    if (!socket.closed) await new Promise((closed) => socket.once('close', closed))
  })

  it.each([10, 5_000])('is not one that began to answer: a request of %i bytes is sent once', async (size) => {
    answer = (socket) => socket.write('HTTP/1.1 20', () => socket.resetAndDestroy())
    const reply = await ask(gateway, { ...chat('p/m'), user: 'x'.repeat(size) })
    expect([reply.status, errorOf(reply).code]).toEqual([502, 'upstream_unreachable'])
    expect(requests).toBe(1)
  })
})
