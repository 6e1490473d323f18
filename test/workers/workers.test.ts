import { connect, type Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { chat, until, wordsOf } from '../support/ask.ts'
import { configFile, launch, type Program } from '../support/program.ts'
import { chatFrames, type FakeUpstream, fakeUpstream, json, type Script } from '../support/upstream.ts'

/** A client's kept-alive connection. */
interface Connection {
  /** Asks for the gateway's health and resolves with the status. Rejects when the connection closes instead. */
  ask(): Promise<number>
  readonly socket: Socket
  readonly closed: Promise<void>
}

function open(port: number): Connection {
  const socket = connect(port, '127.0.0.1')
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.on('error', () => {})
  return {
    socket,
    closed,
    ask: () =>
      new Promise((resolve, reject) => {
        socket.once('data', (data) => resolve(Number(data.toString('latin1', 9, 12))))
        void closed.then(() => reject(new Error('closed')))
        socket.write('GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n')
      }),
  }
}

/** A stream that stays open until the test lets it end. */
function heldStream(): { script: Script; release(): void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  const frames = chatFrames('Hello', ' there')
  const script: Script = async ({ method }, response) => {
    if (method === 'GET') return response.writeHead(404).end()
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(frames.slice(0, 2).join(''))
    await promise
    response.end(frames.slice(2).join(''))
  }
  return { script, release: resolve }
}

/** Opens a stream and resolves when its first content is there. */
async function openStream(port: number): Promise<{ rest(): Promise<string> }> {
  const response = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(chat('lab/m', { stream: true })),
  })
  const decoder = new TextDecoder()
  const reader = response.body!.getReader()
  let text = ''
  const read = async () => {
    const { done, value } = await reader.read()
    text += decoder.decode(value, { stream: true })
    return !done
  }
  while (!text.includes('Hello') && (await read()));
  return {
    async rest() {
      while (await read());
      return text
    },
  }
}

/** Resolves when nobody listens there any more. */
async function untilRefused(port: number): Promise<void> {
  let refused = false
  while (!refused) {
    refused = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1')
      socket.once('connect', () => socket.destroy()).once('error', () => resolve(true))
      socket.once('close', () => resolve(false))
    })
  }
}

/** Waits for the start; resolves with the port and the workers' process ids. */
async function startOf(program: Program): Promise<{ port: number; pids: number[] }> {
  await program.until(/curl .*\n/)
  const [, port] = await program.until(/listens on http:\/\/127\.0\.0\.1:(\d+)\/v1/)
  const [, pids = ''] = await program.until(/processes: (.*)/)
  return { port: Number(port), pids: pids.split(', ').map(Number) }
}

describe('Two workers', () => {
  let program: Program
  let port: number
  let pids: number[]

  beforeAll(async () => {
    program = launch(['--workers', '2'])
    const started = await startOf(program)
    port = started.port
    pids = started.pids
  })

  afterAll(async () => {
    program.signal('SIGTERM')
    expect(await program.ended).toBe(0)
  })

  it('tell of their start once, by their process ids', () => {
    expect(new Set(pids).size).toBe(2)
    expect(program.printed().match(/samewire listens on/g)).toHaveLength(1)
  })

  it('answer a client that has no more to say', async () => {
    for (const connection of [open(port), open(port)]) {
      const answered = connection.ask()
      connection.socket.end()
      expect(await answered).toBe(200)
      await connection.closed
    }
  })

  it('have as many connections as each other, and another takes the place of one that dies', async () => {
    const connections = Array.from({ length: 16 }, () => open(port))
    for (const { ask } of connections) expect(await ask()).toBe(200)
    const [victim = 0] = pids
    let closed = 0
    for (const connection of connections) void connection.closed.then(() => closed++)
    process.kill(victim, 'SIGKILL')
    await program.until(new RegExp(`Z warn  worker ${victim} was ended by SIGKILL; another takes its place\n`))
    await until(() => closed >= 8)

    const outcomes = await Promise.allSettled(connections.map(({ ask }) => ask()))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(8)
    const meanwhile = open(port)
    expect(await meanwhile.ask()).toBe(200)
    for (const { socket } of [...connections, meanwhile]) socket.destroy()

    const [, pid] = await program.until(/worker (\d+) answers/)
    expect(pids).not.toContain(Number(pid))
    pids = [Number(pid), ...pids.slice(1)]
    for (const connection of [open(port), open(port)]) {
      expect(await connection.ask()).toBe(200)
      connection.socket.destroy()
    }
  })

  it('take over the connections that a worker which hangs and dies has not taken', async () => {
    const [victim = 0] = pids
    process.kill(victim, 'SIGSTOP')
    const connections = Array.from({ length: 8 }, () => open(port))
    const outcomes = connections.map(({ ask }) => ask())
    let answered = 0
    for (const outcome of outcomes) void outcome.then(() => answered++)
    await until(() => answered === 4)
    process.kill(victim, 'SIGKILL')
    expect(await Promise.all(outcomes)).toEqual(Array(8).fill(200))
    for (const { socket } of connections) socket.destroy()
  })
})

describe('A gateway with workers that is told to stop', () => {
  let upstream: FakeUpstream
  let config: { path: string; remove(): Promise<void> }
  let program: Program
  let started: { port: number; pids: number[] }

  beforeAll(async () => {
    upstream = await fakeUpstream()
    config = await configFile({ providers: { lab: { type: 'openai-compatible', baseURL: upstream.url } } })
  })
  beforeEach(async () => {
    upstream.script(json(404, {}))
    program = launch(['--workers', '2', '--config', config.path])
    started = await startOf(program)
  })
  afterEach(async () => {
    program.signal('SIGKILL')
    await program.ended
  })
  afterAll(async () => {
    await upstream.close()
    await config.remove()
  })

  it('takes no more connections, lets streams end, and ends with them', async () => {
    const idle = [open(started.port), open(started.port)]
    for (const { ask } of idle) expect(await ask()).toBe(200)
    const { script, release } = heldStream()
    upstream.script(script)
    const streams = [await openStream(started.port), await openStream(started.port)]
    program.signal('SIGTERM')
    await untilRefused(started.port)
    for (const { ask, closed } of idle) {
      while ((await ask()) === 200);
      await closed
    }
    release()
    for (const { rest } of streams) {
      const text = await rest()
      expect(wordsOf(text)).toBe('Hello there')
      expect(text).toContain('data: [DONE]')
    }
    expect(await program.ended).toBe(0)
  })

  it('ends at once when it is told again', async () => {
    const { script, release } = heldStream()
    upstream.script(script)
    const { rest } = await openStream(started.port)
    program.signal('SIGINT')
    await untilRefused(started.port)
    program.signal('SIGINT')
    expect(await program.ended).toBe(0)
    await expect(rest()).rejects.toThrow()
    release()
  })

  it('leaves no worker behind when it is killed', async () => {
    program.signal('SIGKILL')
    // Their output ends with them.
    expect(await program.ended).toBeNull()
    await untilRefused(started.port)
  })

  it('goes on with others when its workers alone are told, and lets their streams end', async () => {
    const { script, release } = heldStream()
    upstream.script(script)
    const { rest } = await openStream(started.port)
    for (const pid of started.pids) process.kill(pid, 'SIGTERM')
    for (const pid of started.pids) await program.until(new RegExp(`worker ${pid} was told to leave`))
    const connection = open(started.port)
    expect(await connection.ask()).toBe(200)
    connection.socket.destroy()
    release()
    expect(wordsOf(await rest())).toBe('Hello there')
    await program.until(/worker \d+ answers[\s\S]*worker \d+ answers/)
    program.signal('SIGTERM')
    expect(await program.ended).toBe(0)
  })
})

describe('A worker that alone is told to leave', () => {
  it('serves its clients to the end and is replaced, and no request is lost', async () => {
    const { script, release } = heldStream()
    const upstream = await fakeUpstream(script)
    const { path, remove } = await configFile({
      providers: { lab: { type: 'openai-compatible', baseURL: upstream.url } },
    })
    const program = launch(['--workers', '2', '--config', path])
    const { port, pids } = await startOf(program)
    const [leaving = 0] = pids
    const streams = [await openStream(port), await openStream(port)]
    const kept = Array.from({ length: 8 }, () => open(port))
    let closed = 0
    for (const connection of kept) {
      void connection.closed.then(() => closed++)
      expect(await connection.ask()).toBe(200)
    }

    let left = false
    const statuses: number[] = []
    const clients = Array.from({ length: 4 }, async () => {
      while (!left) {
        const { ask, socket } = open(port)
        statuses.push(await ask())
        socket.destroy()
      }
    })
    process.kill(leaving, 'SIGTERM')
    await program.until(new RegExp(`worker ${leaving} was told to leave; another takes its place\n`))
    const [, replacement] = await program.until(/worker (\d+) answers/)
    expect(pids).not.toContain(Number(replacement))
    expect(await Promise.all(kept.map(({ ask }) => ask()))).toEqual(Array(8).fill(200))
    // Those of the worker that leaves: what they ask next comes to another one.
    await until(() => closed === 4)

    release()
    for (const { rest } of streams) expect(wordsOf(await rest())).toBe('Hello there')
    await until(() => !lives(leaving))
    left = true
    await Promise.all(clients)
    expect(new Set(statuses)).toEqual(new Set([200]))
    expect(program.printed()).not.toContain(`worker ${leaving} ended`)
    for (const { socket } of kept) socket.destroy()
    program.signal('SIGTERM')
    expect(await program.ended).toBe(0)
    await remove()
    await upstream.close()
  })
})

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('A gateway with workers does not start', () => {
  it('on a port that is taken, and says so once', async () => {
    const taken = await fakeUpstream()
    const { port } = new URL(taken.url)
    const program = launch(['--workers', '2', '--port', port])
    expect(await program.ended).toBe(1)
    const reason = `listen EADDRINUSE: address already in use 127.0.0.1:${port}`
    expect(program.printed()).toBe(`http://127.0.0.1:${port} can't be listened on: ${reason}\n`)
    await taken.close()
  })

  it('with a configuration that is wrong, and says so once', async () => {
    const { path, remove } = await configFile({ fallback: 'nobody/knows' })
    const program = launch(['--workers', '2', '--config', path])
    expect(await program.ended).toBe(1)
    expect(program.printed().match(/can't be used/g)).toHaveLength(1)
    await remove()
  })

  it('as ten thousand processes', async () => {
    const program = launch(['--workers', '9999'])
    expect(await program.ended).toBe(2)
    expect(program.printed()).toBe("--workers can't be used:\n  found 9999; allowed: 1 to 256, auto\n")
  })
})
