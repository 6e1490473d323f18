import { connect, type Socket } from 'node:net'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Measured } from '../bench/processes.ts'
import { chat, eventsOf } from '../support/ask.ts'
import { chatFrames, chunk, type FakeUpstream, fakeUpstream, type Script } from '../support/upstream.ts'
import { serveWorker } from '../support/worker.ts'

const key = 'sk-of-the-carrying-worker'
const [role = '', ...rest] = chatFrames('Hel', 'lo')
const opening = role + rest[0]
const sse = { 'content-type': 'text/event-stream' }
const modes = ['observed', 'checked', 'untouched', 'translated'] as const

/** The built Worker in workerd, with sockets on both sides: how its streams end shows only there. */
let upstream: FakeUpstream
let worker: Measured

beforeAll(async () => {
  upstream = await fakeUpstream()
  const up = { type: 'openai-compatible', baseURL: `${upstream.url}/v1` }
  const config = {
    providers: {
      up,
      native: { type: 'ollama', baseURL: upstream.url },
      openai: { type: 'openai', baseURL: `${upstream.url}/v1`, apiKey: 'env:UP_KEY' },
    },
    models: {
      observed: { deployments: ['up/m'], streams: 'observed', idleTimeout: 0.2 },
      checked: { deployments: ['up/m'] },
      compatible: 'openai/m',
      untouched: { deployments: ['up/m'], streams: 'untouched' },
      translated: 'native/m',
    },
    keys: ['env:SAMEWIRE_KEY'],
    retries: 0,
    writeTimeout: 2,
    keepAlive: 1,
  }
  worker = await serveWorker('carried', { SAMEWIRE_KEY: key, UP_KEY: 'sk-up', SAMEWIRE_CONFIG: JSON.stringify(config) })
})

afterAll(async () => {
  await worker?.stop()
  await upstream?.close()
})

function ask(model: string, signal?: AbortSignal): Promise<Response> {
  return fetch(`http://127.0.0.1:${worker.port}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify(chat(model, { stream: true })),
    ...(signal && { signal }),
  })
}

/** Asks over a bare socket: how it is read and closed is up to the test. */
function askBarely(model: string): Socket {
  const body = JSON.stringify(chat(model, { stream: true }))
  const socket = connect(worker.port, '127.0.0.1')
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${key}\r\n` +
      `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  )
  return socket
}

/** Reads a chat's stream with the official client; what it says comes into `said`. */
async function readWithClient(model: string, said: string[]): Promise<void> {
  const client = new OpenAI({ baseURL: `http://127.0.0.1:${worker.port}/v1`, apiKey: key, maxRetries: 0 })
  const messages = [{ role: 'user', content: 'hi' } as const]
  const stream = await client.chat.completions.create({ model, messages, stream: true })
  for await (const { choices } of stream) said.push(choices[0]?.delta.content ?? '')
}

/** Writes the first words, and what comes after them once those have gone out. */
function saying(text: string, end: (response: Parameters<Script>[1]) => void, chunked = true): Script {
  return (request, response) => {
    if (request.method === 'GET') return response.end('{"models":[{"model":"m:latest","name":"m:latest"}]}')
    const native = request.path === '/api/chat'
    response.useChunkedEncodingByDefault = chunked
    response.writeHead(200, native ? { 'content-type': 'application/x-ndjson' } : sse)
    response.write(native ? nativeLine('Hel') : opening)
    setImmediate(() => response.write(text, () => setImmediate(() => end(response))))
  }
}

const nativeLine = (content: string) => `${JSON.stringify({ message: { role: 'assistant', content }, done: false })}\n`

/** Goes on until the connection is closed: where a client has left shows only when something is written to it. */
function repeat(response: Parameters<Script>[1], text: string): void {
  const timer = setInterval(() => response.write(text), 20)
  response.once('close', () => clearInterval(timer))
}

/** Comes back once the last chat was abandoned; a look at the list of models may have come after it. */
async function stopped(): Promise<void> {
  await upstream.seen.findLast(({ path }) => path.includes('chat'))?.abandoned
}

describe('a stream through workerd', () => {
  it.each([
    ['gzip', gzipSync],
    ['GZIP', gzipSync],
    ['br', brotliCompressSync],
    ['deflate', deflateSync],
  ])('may be compressed although nobody asked for it: %s', async (encoding, compress) => {
    const text = chatFrames('Hel', 'lo').join('')
    upstream.script((_request, response) => {
      response.writeHead(200, { ...sse, 'content-encoding': encoding }).end(compress(text))
    })
    for (const model of ['observed', 'checked', 'untouched']) expect(await (await ask(model)).text()).toBe(text)
  })

  it.each(['constructor', 'zstd', 'gzip, gzip, gzip'])('in an encoding called “%s” is a 502', async (encoding) => {
    upstream.script((_request, response) => response.writeHead(200, { ...sse, 'content-encoding': encoding }).end('x'))
    expect((await ask('checked')).status).toBe(502)
  })

  it.each(['observed', 'checked', 'untouched'] as const)('that is %s comes as it is', async (model) => {
    upstream.script(saying(rest.slice(1).join(''), (response) => response.end()))
    expect(await (await ask(model)).text()).toBe(role + rest.join(''))
  })

  it.each(['observed', 'checked'] as const)('that is %s and breaks anywhere tells it as an error', async (model) => {
    const last = `${rest[1]}`
    for (let length = 1; length < last.length; length += 10) {
      upstream.script(saying(last.slice(0, length), (response) => response.destroy()))
      const said: string[] = []
      await expect(readWithClient(model, said)).rejects.toMatchObject({ code: 'upstream_stream_truncated' })
      expect(said.join('')).toBe('Hel')
    }
  })

  it.each([
    ['says [DONE] without a finish', 'data: [DONE]\n\n', /ended its stream before/],
    ['breaks an event', `data: {"choices":[{"index":0,"delta":{"con\n\n${rest.slice(1).join('')}`, /^(up|openai) sent/],
    ['just ends', '', /ended its stream before/],
  ])('of which nothing is configured and that %s makes a client raise', async (_, text, message) => {
    upstream.script(saying(text, (response) => response.end()))
    // Of OpenAI's kind at another address as well: it is not known to end its streams as OpenAI does.
    for (const model of ['checked', 'compatible']) {
      const said: string[] = []
      await expect(readWithClient(model, said)).rejects.toThrow(message)
      expect(said.join('')).toBe('Hel')
    }
  })

  it.each(['observed', 'checked', 'translated'] as const)(
    'that is %s ends once its end was said, although the upstream keeps the connection open',
    async (model) => {
      const native = `${nativeLine('lo')}${JSON.stringify({ message: {}, done: true, done_reason: 'stop' })}\n`
      upstream.script(saying(model === 'translated' ? native : rest.slice(1).join(''), () => {}))
      const text = await (await ask(model)).text()
      expect(text.endsWith('data: [DONE]\n\n')).toBe(true)
      expect(text).not.toContain('"error"')
      await stopped()
    },
  )

  it('that falls silent ends with a timeout', async () => {
    upstream.script(saying(': nothing more\n\n', () => {}))
    const events = eventsOf(await (await ask('observed')).text())
    expect(JSON.parse(events.at(-1)?.data ?? '')).toMatchObject({ error: { code: 'upstream_timeout' } })
    await stopped()
  })

  it('that nobody looks at breaks as its upstream does', async () => {
    upstream.script(saying(`${rest[1]}`.slice(0, 20), (response) => response.destroy()))
    const response = await ask('untouched')
    await expect(response.text()).rejects.toThrow()
  })

  it.each(modes)('that is %s stops its upstream when the client leaves', async (model) => {
    const more = model === 'translated' ? nativeLine('more') : chunk({ content: 'more' })
    upstream.script(saying('', (response) => repeat(response, more)))
    const leave = new AbortController()
    const response = await ask(model, leave.signal)
    await response.body?.getReader().read()
    leave.abort()
    await stopped()
  })

  it.each([
    ...modes.map((model) => [model, 'in chunks'] as const),
    ['observed', 'to the end of its connection'] as const,
  ])('that is %s and comes %s is read no faster than its client reads', async (model, framing) => {
    const content = 'x'.repeat(60_000)
    const piece = model === 'translated' ? nativeLine(content) : chunk({ content })
    let written = 0
    let stuck = () => {}
    const isStuck = new Promise<void>((resolve) => {
      stuck = resolve
    })
    upstream.script(
      saying(
        '',
        (response) => {
          // Nobody takes any more when nothing has drained for so long.
          const timer = setTimeout(stuck, 1_000)
          const write = () => {
            timer.refresh()
            while (written < 2_000 && response.write(piece)) written++
            response.once('drain', write)
          }
          write()
          // Its idle time may be over first.
          response.once('close', () => {
            clearTimeout(timer)
            stuck()
          })
        },
        framing === 'in chunks',
      ),
    )
    const leave = new AbortController()
    await ask(model, leave.signal)
    await isStuck
    // 120 MB are there to be had; sockets and buffers on the way take some.
    expect(written).toBeLessThan(500)
    leave.abort()
    await stopped()
  })

  it.each(['checked', 'translated'] as const)(
    'that is %s and that its client never reads is given up, and its upstream stopped',
    async (model) => {
      const content = 'x'.repeat(60_000)
      const piece = model === 'translated' ? nativeLine(content) : chunk({ content })
      const asked = new Promise<void>((resolve) => {
        upstream.script(
          saying('', (response) => {
            const write = () => {
              while (!response.destroyed && response.write(piece));
              response.once('drain', write)
            }
            write()
            resolve()
          }),
        )
      })
      const socket = askBarely(model)
      const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
      socket.pause()
      await asked
      await stopped()
      socket.resume()
      await closed
    },
  )

  it.each(['observed', 'checked', 'translated'] as const)(
    'that is %s and has not begun stops its upstream when the client closes its connection',
    async (model) => {
      const asked = new Promise<void>((resolve) => {
        upstream.script((request, response) => {
          if (request.method === 'GET') return response.end('{"models":[{"model":"m:latest","name":"m:latest"}]}')
          resolve()
        })
      })
      const socket = askBarely(model)
      await asked
      // A FIN and no more, as `curl` and most clients leave.
      socket.destroy()
      await stopped()
    },
  )
})
