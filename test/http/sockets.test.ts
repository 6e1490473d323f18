import { type ChildProcess, spawn } from 'node:child_process'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, chat, expectEnvelope, noLists, raw } from '../support/ask.ts'
import { compiled } from '../support/compile-cache.ts'
import { type RunningGateway, startGateway } from '../support/gateway.ts'
import { chatAnswer, type FakeUpstream, fakeUpstream, json } from '../support/upstream.ts'

const entry = fileURLToPath(new URL('../../src/node.js', import.meta.url))
const quiet = { PATH: process.env.PATH ?? '', OLLAMA_HOST: 'http://127.0.0.1:1', ...compiled() }

function launch(...args: string[]): ChildProcess {
  return spawn(process.execPath, [entry, ...args], { env: quiet, stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Runs the entry to its end. */
async function outcomeOf(...args: string[]): Promise<{ code: number | null; said: string }> {
  const child = launch(...args)
  let said = ''
  child.stdout?.on('data', (data) => {
    said += data
  })
  child.stderr?.on('data', (data) => {
    said += data
  })
  const code = await new Promise<number | null>((ended) => child.once('close', ended))
  return { code, said }
}

describe('The gateway does not start', () => {
  it.each<[string, string[], RegExp, number?]>([
    [
      'open to the world',
      ['--host', '0.0.0.0', '--port', '0'],
      /0\.0\.0\.0 can be reached from elsewhere and no key is set; set SAMEWIRE_KEY/,
    ],
    ['open to the world over IPv6', ['--host', '::', '--port', '0'], /:: can be reached from elsewhere/],
    ['on a port that is none', ['--port', '99999'], /--port can't be used:\n.*allowed: 0 to 65535/, 2],
    ['with an option that is none', ['--prot', '1'], /unknown option '--prot'\n\(Did you mean --port\?\)/, 2],
    ['with a file that is not there', ['--config', '/nowhere/x.yaml'], /\/nowhere\/x\.yaml can't be used/],
  ])('%s, and says why', async (_what, args, expected, exit = 1) => {
    const { code, said } = await outcomeOf(...args)
    expect(code).toBe(exit)
    expect(said).toMatch(expected)
    expect(said).not.toMatch(/^\s+at /m)
  })
})

describe('The running gateway', () => {
  let child: ChildProcess
  let port = 0

  beforeAll(async () => {
    child = launch('--port', '0')
    port = await new Promise<number>((resolve) => {
      let said = ''
      child.stdout?.on('data', (data) => {
        said += data
        const match = /listens on http:\/\/127\.0\.0\.1:(\d+)\/v1/.exec(said)
        if (match) resolve(Number(match[1]))
      })
    })
  })

  afterAll(async () => {
    const ended = new Promise((resolve) => child.once('close', resolve))
    child.kill('SIGTERM')
    await ended
  })

  it.each<[string, string | Uint8Array, string]>([
    ['garbage', 'garbage\r\n\r\n', '400'],
    ['bytes', Uint8Array.from({ length: 200 }, (_, at) => (at * 37) % 256), '400'],
    ['a TLS greeting', Uint8Array.of(0x16, 0x03, 0x01, 0x00, 0x05, 0x01, 0x00, 0x00, 0x01, 0x00), '400'],
    ['a header with a line end in it', 'GET / HTTP/1.1\r\nhost: localhost\r\nx: a\rb\r\n\r\n', '400'],
    [
      'two lengths',
      'POST /v1/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx',
      '400',
    ],
    [
      'a length and chunks',
      'POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      '400',
    ],
    [
      'a chunk of no size',
      'POST /v1/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
      '400',
    ],
    ['headers without end', `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'a'.repeat(100_000)}\r\n\r\n`, '431'],
  ])('answers %s in the envelope, and the next one as ever', async (_what, bytes, status) => {
    const received = await raw(port, bytes)
    expect(received).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(received.toLowerCase()).toContain('content-type: application/json')
    expectEnvelope(JSON.parse(received.slice(received.indexOf('\r\n\r\n') + 4)))
    expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200)
  })

  it('answers with the model that comes along when there is nothing else', async () => {
    const response = await fetch(`http://127.0.0.1:${port}/v1/models`)
    expect(((await response.json()) as { data: { id: string }[] }).data.map(({ id }) => id)).toContain('demo/tiny-chat')
  })

  it('does not start twice on one port', async () => {
    const { code, said } = await outcomeOf('--port', String(port))
    expect(code).toBe(1)
    expect(said).toContain(`http://127.0.0.1:${port} can't be listened on`)
  })
})

describe('A body over the limit', () => {
  let upstream: FakeUpstream
  let gateway: RunningGateway

  beforeAll(async () => {
    upstream = await fakeUpstream(json(200, chatAnswer('x')))
    const config = { providers: { p: { type: 'openai-compatible', baseURL: upstream.url } }, bodyLimit: 100_000 }
    gateway = await startGateway(config, { services: noLists })
  })

  afterAll(async () => {
    await gateway.close()
    await upstream.close()
  })

  const head = 'POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n'

  it('is refused when it says how long it is, before it comes', async () => {
    const received = await raw(gateway.port, `${head}content-length: 100001\r\n\r\n{`)
    expect(received).toMatch(/^HTTP\/1\.1 413 /)
    expectEnvelope(JSON.parse(received.slice(received.indexOf('\r\n\r\n') + 4)))
  })

  it('is refused while it comes, when it would never end', async () => {
    const received = await new Promise<string>((resolve) => {
      let text = ''
      const socket = connect(gateway.port, '127.0.0.1', () => {
        socket.write(`${head}transfer-encoding: chunked\r\n\r\n`)
        const chunk = `2710\r\n${' '.repeat(10_000)}\r\n`
        const feed = () => {
          if (socket.destroyed) return
          socket.write(chunk)
          setImmediate(feed)
        }
        feed()
      })
      socket.on('data', (data) => {
        text += data
      })
      socket.on('error', () => {})
      socket.on('close', () => resolve(text))
    })
    expect(received).toMatch(/^HTTP\/1\.1 413 /)
    expectEnvelope(JSON.parse(received.slice(received.indexOf('\r\n\r\n') + 4)))
    expect((await ask(gateway, chat('p/m'))).status).toBe(200)
  })

  it('is served when it is at the limit', async () => {
    const body = JSON.stringify(chat('p/m'))
    expect((await ask(gateway, body.padEnd(100_000))).status).toBe(200)
    expect((await ask(gateway, body.padEnd(100_001))).status).toBe(413)
  })

  it.each([
    ['bad JSON', '/v1/chat/completions', '{', {}, 400],
    ['a bad type', '/v1/chat/completions', 'x'.repeat(90_000), { 'content-type': 'text/plain' }, 403],
    ['a missing route', '/v1/nope', 'x'.repeat(90_000), {}, 404],
    ['a wrong method', '/v1/models', 'x'.repeat(90_000), {}, 405],
  ] as const)('and a refusal of %s leave the connection usable', async (_what, path, body, headers, status) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const send = (to: string, text: string, more: object) =>
      new Promise<{ status: number | undefined; reused: boolean }>((resolve, reject) => {
        const options = { agent, method: 'POST', headers: { 'content-type': 'application/json', ...more } }
        const sent = request(`http://127.0.0.1:${gateway.port}${to}`, options, (response) => {
          response.resume().once('end', () => resolve({ status: response.statusCode, reused: sent.reusedSocket }))
        })
        sent.once('error', reject).end(text)
      })
    expect((await send(path, body, headers)).status).toBe(status)
    const next = await send('/v1/chat/completions', JSON.stringify(chat('p/m')), {})
    expect(next).toEqual({ status: 200, reused: true })
    agent.destroy()
  })

  it('that ends too early harms nobody', async () => {
    const socket = connect(gateway.port, '127.0.0.1', () => {
      socket.write(`${head}content-length: 500\r\n\r\n{"mod`, () => socket.resetAndDestroy())
    })
    await new Promise((closed) => socket.once('close', closed))
    expect((await ask(gateway, chat('p/m'))).status).toBe(200)
    expect(gateway.logged).toEqual([])
  })
})
