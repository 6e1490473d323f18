import { spawn } from 'node:child_process'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, chat, contentOf, errorOf, noLists } from '../support/ask.ts'
import { startGateway } from '../support/gateway.ts'
import { chatAnswer, type FakeUpstream, fakeUpstream, json } from '../support/upstream.ts'

const type = 'openai-compatible'

/** A server that takes connections and says nothing, not even to a TLS greeting. */
async function mute(): Promise<{ port: number; greeted: Socket[]; server: Server }> {
  const greeted: Socket[] = []
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => greeted.push(socket))
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return { port: (server.address() as AddressInfo).port, greeted, server }
}

/** A server with a full queue of connections: the system ignores all further ones. */
async function full(): Promise<{ port: number; close(): void }> {
  const program = `const server = require('node:net').createServer()
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      require('node:fs').writeSync(1, server.address().port + '\\n')
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
    })`
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  const port = await new Promise<number>((resolve) => child.stdout.once('data', (line) => resolve(Number(line))))
  const sockets = Array.from({ length: 16 }, () => connect(port, '127.0.0.1').on('error', () => {}))
  // Linux lets in one more than the queue is long.
  await Promise.all(sockets.slice(0, 2).map((socket) => new Promise((done) => socket.once('connect', done))))
  return {
    port,
    close() {
      for (const socket of sockets) socket.destroy()
      child.kill('SIGKILL')
    },
  }
}

describe('A connection that is not made in time', () => {
  let silent: Awaited<ReturnType<typeof mute>>
  let crowded: Awaited<ReturnType<typeof full>>
  let good: FakeUpstream

  beforeAll(async () => {
    silent = await mute()
    crowded = await full()
    good = await fakeUpstream(json(200, chatAnswer('good day')))
  })
  afterAll(async () => {
    silent.server.close()
    for (const socket of silent.greeted) socket.destroy()
    crowded.close()
    await good.close()
  })

  const gatewayTo = (baseURL: string) =>
    startGateway(
      {
        providers: { slow: { type, baseURL }, good: { type, baseURL: good.url } },
        models: {
          hasty: { deployments: ['slow/m'], connectTimeout: 0.05 },
          safe: { deployments: ['slow/m'], fallbacks: ['good/m'] },
        },
        connectTimeout: 0.08,
        retries: 0,
      },
      { services: noLists },
    )

  it.each<[string, () => string]>([
    ['TLS', () => `https://127.0.0.1:${silent.port}`],
    ['TCP', () => `http://127.0.0.1:${crowded.port}`],
  ])('is a failure that names the provider, and the fallback answers: %s', async (_what, address) => {
    const gateway = await gatewayTo(address())
    const [hasty, slow, safe] = [
      await ask(gateway, chat('hasty')),
      await ask(gateway, chat('slow/m', { stream: true })),
      await ask(gateway, chat('safe')),
    ]
    const error = { type: 'server_error', param: null, code: 'upstream_unreachable' }
    expect([hasty.status, slow.status]).toEqual([502, 502])
    expect(errorOf(hasty)).toEqual({ ...error, message: 'slow did not accept a connection within 0.05 seconds.' })
    expect(errorOf(slow)).toEqual({ ...error, message: 'slow did not accept a connection within 0.08 seconds.' })
    expect(contentOf(safe.text)).toBe('good day')
    expect(safe.headers.get('x-samewire-reason')).toBe('upstream_unreachable')
    await gateway.close()
  })

  it('leaves no connection behind', async () => {
    const gateway = await gatewayTo(`https://127.0.0.1:${silent.port}`)
    silent.greeted.length = 0
    expect((await ask(gateway, chat('hasty'))).status).toBe(502)
    expect(silent.greeted).toHaveLength(1)
    const [socket] = silent.greeted
    if (socket && !socket.closed) await new Promise((closed) => socket.once('close', closed))
    await gateway.close()
  })

  it('does not count the time that a model takes once there is one', async () => {
    good.script(async (request, response, socket) => {
      const begun = performance.now()
      // Longer than the connection may take.
      while (performance.now() - begun < 100) await new Promise((turn) => setImmediate(turn))
      json(200, chatAnswer('good day'))(request, response, socket)
    })
    const gateway = await gatewayTo(good.url)
    expect((await ask(gateway, chat('hasty'))).status).toBe(200)
    await gateway.close()
  })
})
