import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ask, chat, noLists, open, until } from '../support/ask.ts'
import { ManualClock, type RunningGateway, startGateway } from '../support/gateway.ts'
import { chatAnswer, chatFrames, type FakeUpstream, fakeUpstream, json, silence, stream } from '../support/upstream.ts'

const type = 'openai-compatible'
const begun = chatFrames('good', ' day').slice(0, 3)

let upstream: FakeUpstream
let gateway: RunningGateway
let clock: ManualClock

beforeEach(async () => {
  upstream = await fakeUpstream()
  clock = new ManualClock()
  const config = {
    providers: { p: { type, baseURL: upstream.url } },
    models: { m: { deployments: ['p/m'], fallbacks: ['p/n'] } },
  }
  gateway = await startGateway(config, { clock, services: noLists, random: () => 0.5 })
})

afterEach(async () => {
  await gateway.close()
  await upstream.close()
})

/** Sends a request that the test abandons; resolves with what came of it at the client. */
function leaving(body: object) {
  const client = new AbortController()
  const reply = open(gateway, body, { signal: client.signal })
  reply.catch(() => {})
  return { reply, leave: () => client.abort() }
}

async function expectUsable(): Promise<void> {
  upstream.script(json(200, chatAnswer('still here')))
  expect((await ask(gateway, chat('m'))).status).toBe(200)
}

describe('A client that leaves stops its upstream at once', () => {
  it.each([false, true])('before the upstream has said anything (stream: %s)', async (streams) => {
    upstream.script(silence)
    const { leave } = leaving(chat('m', { stream: streams }))
    await until(() => upstream.seen.length === 1)
    leave()
    await upstream.seen[0]?.abandoned
    await until(() => clock.waiting === 0)
    // Nobody waits any more: no fallback is asked, nothing is logged as a failure.
    expect(upstream.seen).toHaveLength(1)
    expect(gateway.logged).toEqual([])
    await expectUsable()
  })

  it('while the gate still holds the stream', async () => {
    upstream.script(stream(begun.slice(0, 1), 'silence'))
    const { leave } = leaving(chat('m', { stream: true }))
    await until(() => upstream.seen.length === 1)
    leave()
    await upstream.seen[0]?.abandoned
    await until(() => clock.waiting === 0)
    await expectUsable()
  })

  it('in the middle of a stream', async () => {
    upstream.script(stream(begun, 'silence'))
    const { reply, leave } = leaving(chat('m', { stream: true }))
    const reader = (await reply).body?.getReader()
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toContain('data: ')
    leave()
    await upstream.seen[0]?.abandoned
    await until(() => clock.waiting === 0)
    await expectUsable()
  })

  it('in the middle of a whole answer', async () => {
    upstream.script((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('{"choices":[')
    })
    const { leave } = leaving(chat('m'))
    await until(() => upstream.seen.length === 1)
    leave()
    await upstream.seen[0]?.abandoned
    await expectUsable()
  })

  it('while it is kept waiting with comments', async () => {
    upstream.script(silence)
    const { reply, leave } = leaving(chat('m', { stream: true }))
    await until(() => upstream.seen.length === 1)
    await clock.advance(10_000)
    const reader = (await reply).body?.getReader()
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe(': keep-alive\n\n')
    leave()
    await upstream.seen[0]?.abandoned
    await until(() => clock.waiting === 0)
    await expectUsable()
  })

  it('while the gateway waits before another try', async () => {
    upstream.script(json(503, {}))
    const { leave } = leaving(chat('m'))
    await until(() => upstream.seen.length === 1 && gateway.logged.length === 1)
    leave()
    await until(() => clock.waiting === 0)
    expect(upstream.seen).toHaveLength(1)
    await expectUsable()
  })
})

describe('Clients that leave', () => {
  it('leave nothing behind: 200 of them, at every stage', async () => {
    const sockets = new Set<Socket>()
    let requests = 0
    const server = createServer((request, response) => {
      requests++
      const stage = requests % 3
      request.resume()
      if (stage === 0) return
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(stage === 1 ? begun[0] : begun.join(''))
    })
    server.on('connection', (socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
    })
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    const { port } = server.address() as AddressInfo
    const config = { providers: { p: { type, baseURL: `http://127.0.0.1:${port}` } } }
    const crowded = await startGateway(config, { clock, services: noLists })
    const client = new AbortController()
    const all = Array.from({ length: 200 }, () =>
      open(crowded, chat('p/m', { stream: true }), { signal: client.signal }).then(
        (response) => response.text().catch(() => 'left'),
        () => 'left',
      ),
    )
    await until(() => requests === 200)
    client.abort()
    expect(new Set(await Promise.all(all))).toEqual(new Set(['left']))
    await until(() => sockets.size === 0)
    await until(() => clock.waiting === 0)
    expect(crowded.logged).toEqual([])
    server.removeAllListeners('request').on('request', (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(chatAnswer('x')))
    })
    expect((await ask(crowded, chat('p/m'))).status).toBe(200)
    await crowded.close()
    server.close()
  })

  it('slowly reading are not leaving: the upstream waits for them', async () => {
    let written = 0
    const piece = `: ${'x'.repeat(64 * 1024)}\n\n`
    const total = 600
    upstream.script(async (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(begun.join(''))
      for (; written < total; written++) {
        if (!response.write(piece)) await new Promise((drained) => response.once('drain', drained))
      }
      response.end(chatFrames().slice(-2).join(''))
    })
    const response = await open(gateway, chat('m', { stream: true }))
    await until(() => written > 3)
    // Many turns of the loop: without backpressure all 40 MB would be on their way by then.
    for (let turn = 0; turn < 2_000; turn++) await new Promise((next) => setImmediate(next))
    expect(written).toBeLessThan(total)
    const text = await response.text()
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true)
    expect(text.length).toBeGreaterThan(total * piece.length)
  })
})
