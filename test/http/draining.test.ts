import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { drainOf } from '../../src/runtime/draining.ts'
import { createNodeServer } from '../../src/runtime/node-server.ts'
import { expectEnvelope, until } from '../support/ask.ts'
import { ManualClock } from '../support/gateway.ts'
import { answersIn } from '../support/raw-answers.ts'

const size = 20_000_000

const get = (path: string) => `GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`

/** A client's connection, and what it has heard there. */
class Client {
  readonly #socket
  #text = ''
  closed = false

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1')
    this.#socket.on('data', (data) => {
      this.#text += data.toString('latin1')
    })
    this.#socket.on('error', (error) => {
      this.#text += `<${error.message}>`
    })
    this.#socket.on('close', () => {
      this.closed = true
    })
  }

  get text(): string {
    return this.#text
  }

  send(bytes: string): void {
    this.#socket.write(bytes)
  }

  /** Status, body, and whether the connection ends with it. */
  get answers(): readonly [number, string, boolean][] {
    return answersIn(this.#text).map(({ status, body, head }) => [status, body, /^connection: close/im.test(head)])
  }

  async heard(count: number): Promise<typeof this.answers> {
    await until(() => this.answers.length >= count)
    return this.answers
  }
}

describe('A gateway that is told to stop', () => {
  let server: Server
  let clock: ManualClock
  let port: number
  let clients: Client[]
  let connections: number
  /** Lets the answers to `/held/…` end. */
  let release: () => void
  let asked: string[]
  let drain: ReturnType<typeof drainOf>

  beforeEach(async () => {
    const held = Promise.withResolvers<void>()
    release = held.resolve
    asked = []
    clients = []
    connections = 0
    clock = new ManualClock()
    server = createNodeServer(async ({ url }) => {
      const { pathname } = new URL(url)
      asked.push(pathname)
      if (pathname.startsWith('/held')) await held.promise
      return new Response(pathname)
    }, Math.random)
    server.on('connection', () => connections++)
    drain = drainOf(server, clock)
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    port = (server.address() as AddressInfo).port
  })
  afterEach(() => {
    release()
    server.closeAllConnections()
  })

  async function client(): Promise<Client> {
    const made = new Client(port)
    clients.push(made)
    await until(() => connections === clients.length)
    return made
  }

  async function idle(): Promise<Client> {
    const made = await client()
    made.send(get('/before'))
    await made.heard(1)
    return made
  }

  async function busy(...paths: string[]): Promise<Client> {
    const made = await client()
    made.send(paths.map(get).join(''))
    await until(() => paths.every((path) => asked.includes(path)))
    return made
  }

  /** Tells it to stop. Resolves when nobody is let in any more, with a wait for its end. */
  async function told(replaced = false): Promise<{ end(): Promise<void> }> {
    let over = false
    void drain({ grace: Number.POSITIVE_INFINITY, breakOff() {}, replaced }).then(() => {
      over = true
    })
    await until(() => !server.listening)
    return {
      async end() {
        while (!over) {
          await clock.advance(50)
          await new Promise((turn) => setImmediate(turn))
        }
      },
    }
  }

  it('breaks off once what outlasts the time of grace, and then waits a second for its last words to be taken', async () => {
    const [, silent] = [await busy('/held'), await client()]
    let broken = 0
    let over = false
    void drain({ grace: 500, breakOff: () => broken++, replaced: false }).then(() => {
      over = true
    })
    await until(() => !server.listening)
    await clock.advance(499)
    expect(broken).toBe(0)
    await clock.advance(1)
    expect(broken).toBe(1)
    silent.send(get('/first'))
    expect((await silent.heard(1))[0]?.[0]).toBe(503)
    await clock.advance(999)
    expect([broken, over]).toEqual([1, false])
    await clock.advance(1)
    expect([broken, over]).toEqual([1, true])
  })

  it('keeps idle connections while an answer runs, to refuse what comes on them in words', async () => {
    const [running, late, silent] = [await busy('/held'), await idle(), await idle()]
    const { end } = await told()
    await clock.advance(1_000)
    late.send(get('/late'))
    const [, refusal] = await late.heard(2)
    expect(refusal).toEqual([503, expect.stringContaining('The gateway is shutting down.'), true])
    expectEnvelope(JSON.parse(refusal?.[1] ?? ''))
    expect(late.text).toMatch(/\r\nretry-after: 1\r\n/)
    await until(() => late.closed)
    expect([silent.closed, asked.includes('/late')]).toEqual([false, false])

    release()
    await running.heard(1)
    await until(() => running.closed)
    await end()
    await until(() => silent.closed)
    expect(silent.answers).toHaveLength(1)
  })

  it('closes idle connections at once when no answer runs', async () => {
    const client = await idle()
    await (await told()).end()
    await until(() => client.closed)
  })

  it('says with the answers that run that their connections end with them', async () => {
    const running = await busy('/held')
    const { end } = await told()
    release()
    expect(await running.heard(1)).toEqual([[200, '/held', true]])
    await until(() => running.closed)
    await end()
  })

  it('answers all that was asked on a connection before, in order', async () => {
    const running = await busy('/held/1', '/held/2', '/held/3')
    const { end } = await told()
    release()
    const answers = await running.heard(3)
    expect(answers.map(([status, body]) => [status, body])).toEqual([
      [200, '/held/1'],
      [200, '/held/2'],
      [200, '/held/3'],
    ])
    await end()
    await until(() => running.closed)
  })

  it('answers a first request that was half there, and no other one after it', async () => {
    const client = await connected()
    const half = get('/half')
    client.send(half.slice(0, 20))
    await until(() => bytesRead === 20)
    const { end } = await told()
    await clock.advance(5_000)
    client.send(half.slice(20) + get('/more'))
    expect(await client.heard(1)).toEqual([[200, '/half', true]])
    await until(() => client.closed)
    expect(client.answers).toHaveLength(1)
    expect(asked).not.toContain('/more')
    await end()
  })

  it('refuses a second request that was half there', async () => {
    const client = await connected()
    const half = get('/half')
    client.send(get('/before') + half.slice(0, 20))
    await client.heard(1)
    await until(() => bytesRead === get('/before').length + 20)
    const { end } = await told()
    client.send(half.slice(20))
    expect((await client.heard(2)).map(([status]) => status)).toEqual([200, 503])
    await until(() => client.closed)
    await end()
  })

  it('serves what comes late while another process takes over, and refuses it once none does', async () => {
    const [running, kept, late] = [await busy('/held'), await idle(), await idle()]
    const { end } = await told(true)
    kept.send(get('/late'))
    expect((await kept.heard(2))[1]).toEqual([200, '/late', true])
    await until(() => kept.closed)
    await told()
    late.send(get('/later'))
    expect((await late.heard(2))[1]?.[0]).toBe(503)
    release()
    await running.heard(1)
    await end()
  })

  it('waits half a second for a connection that has said nothing yet', async () => {
    const [prompt, silent] = [await client(), await client()]
    const { end } = await told()
    await clock.advance(400)
    prompt.send(get('/first'))
    expect(await prompt.heard(1)).toEqual([[200, '/first', true]])
    await until(() => prompt.closed)
    expect(silent.closed).toBe(false)
    await clock.advance(100)
    await end()
    await until(() => silent.closed)
    expect(silent.text).toBe('')
  })

  let bytesRead = 0

  /** A connection whose server side counts what it has read. */
  async function connected(): Promise<Client> {
    bytesRead = 0
    server.once('connection', (socket) => {
      const count = () => {
        bytesRead = socket.bytesRead
        if (!socket.destroyed) setImmediate(count)
      }
      count()
    })
    return client()
  }
})

it('A gateway that is told to stop sends a large answer to its end, however slowly the client reads', async () => {
  let answered = () => {}
  const underWay = new Promise<void>((resolve) => {
    answered = resolve
  })
  const server = createServer((_, response) => {
    response.end(Buffer.alloc(size))
    answered()
  })
  const drain = drainOf(server, systemClock)
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  client.pause()
  client.write(get('/'))
  await underWay
  const drained = drain({ grace: 10_000, breakOff() {}, replaced: false })
  let received = 0
  client.on('data', (bytes) => {
    received += bytes.length
  })
  client.resume()
  await drained
  expect(received).toBeGreaterThan(size)
})
