import { connect } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { chat, until } from '../support/ask.ts'
import { configFile, launch, type Program } from '../support/program.ts'
import { answersIn } from '../support/raw-answers.ts'
import { chatFrames, type FakeUpstream, fakeUpstream } from '../support/upstream.ts'

const count = 20
const frames = chatFrames('Hello', ' there', ' you')
const body = JSON.stringify(chat('lab/m', { stream: true }))
const request = `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`

describe.each([1, 2])('A gateway of %d that is told to stop', (workers) => {
  let upstream: FakeUpstream
  let config: { path: string; remove(): Promise<void> }
  let program: Program
  let port: number
  let release: () => void

  beforeAll(async () => {
    upstream = await fakeUpstream()
    config = await configFile({ providers: { lab: { type: 'openai-compatible', baseURL: upstream.url } } })
  })
  beforeEach(async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    release = resolve
    upstream.seen.length = 0
    upstream.script(async ({ method }, response) => {
      if (method === 'GET') return response.writeHead(404).end()
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(frames.slice(0, 2).join(''))
      await promise
      for (const frame of frames.slice(2)) {
        response.write(frame)
        await new Promise((turn) => setImmediate(turn))
      }
      response.end()
    })
    program = launch(['--workers', String(workers), '--config', config.path])
    port = Number((await program.until(/listens on http:\/\/127\.0\.0\.1:(\d+)\/v1[\s\S]*curl .*\n/))[1])
  })
  afterEach(async () => {
    program.signal('SIGKILL')
    await program.ended
  })
  afterAll(async () => {
    await upstream.close()
    await config.remove()
  })

  /** Opens connections and writes a request to each; `texts` are what has come on them so far. */
  function openStreams() {
    const texts: string[] = Array(count).fill('')
    let connected = 0
    const closed = texts.map(
      (_, at) =>
        new Promise<void>((resolve) => {
          const socket = connect(port, '127.0.0.1', () => {
            connected++
            socket.write(request)
          })
          socket.on('data', (data) => {
            texts[at] += data.toString('latin1')
          })
          socket.on('error', () => {})
          socket.on('close', () => resolve())
        }),
    )
    return { texts, closed: Promise.all(closed), connected: () => connected === count }
  }

  const whole = Array(count).fill([{ status: 200, body: frames.join('') }])
  const answers = (texts: readonly string[]) =>
    texts.map((text) => answersIn(text).map(({ status, body }) => ({ status, body })))

  it('lets all streams that run come to their end, and ends with code 0', async () => {
    const { texts, closed } = openStreams()
    await until(() => texts.every((text) => text.includes('Hello')))
    program.signal('SIGTERM')
    await untilRefused(port)
    release()
    await closed
    expect(answers(texts)).toEqual(whole)
    expect(await program.ended).toBe(0)
  })

  it('answers the requests that were on their way when it was told', async () => {
    const { texts, closed, connected } = openStreams()
    await until(connected)
    program.signal('SIGTERM')
    release()
    await closed
    expect(answers(texts)).toEqual(whole)
    expect(await program.ended).toBe(0)
  })

  it('refuses a later request on a connection that it had before, and says when to come again', async () => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(request))
    const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()))
    socket.on('data', (data) => {
      text += data.toString('latin1')
    })
    await until(() => text.includes('Hello'))
    const idle = await Promise.all(Array.from({ length: 4 }, () => idleConnection(port)))
    program.signal('SIGTERM')
    // All of its processes have heard it when each refuses.
    await Promise.all(idle.map(({ refused }) => refused()))
    socket.write(request)
    release()
    await closed
    expect(answersIn(text).map(({ status }) => status)).toEqual([200, 503])
    expect(text).toMatch(/\r\nretry-after: 1\r\n/i)
    expect(text).toContain('The gateway is shutting down.')
    expect(await program.ended).toBe(0)
  })

  it('ends at once when it is told again', async () => {
    const { texts, closed } = openStreams()
    await until(() => texts.every((text) => text.includes('Hello')))
    program.signal('SIGTERM')
    // It has heard the first one when nobody is let in any more.
    await untilRefused(port)
    program.signal('SIGTERM')
    expect(await program.ended).toBe(0)
    await closed
    expect(texts.filter((text) => text.includes('[DONE]'))).toEqual([])
  })
})

/** A connection whose first request is answered. `refused` asks on it until it is closed, which it is after a refusal. */
async function idleConnection(port: number): Promise<{ refused(): Promise<void> }> {
  const socket = connect(port, '127.0.0.1')
  const closed = new Promise<void>((left) => socket.on('close', () => left()))
  const ask = () =>
    new Promise<string>((resolve) => {
      socket.once('data', (data) => resolve(data.toString('latin1', 9, 12)))
      // A process without a running answer has nothing to wait for.
      void closed.then(() => resolve('closed'))
      socket.write('GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n')
    })
  socket.on('error', () => {})
  expect(await ask()).toBe('200')
  return {
    async refused() {
      while ((await ask()) === '200');
      await closed
    },
  }
}

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
