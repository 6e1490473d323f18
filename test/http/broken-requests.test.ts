import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { ask, chat, expectEnvelope, raw } from '../support/ask.ts'
import { serveNode } from '../support/gateway.ts'
import { answersIn, type RawAnswer } from '../support/raw-answers.ts'
import { chatAnswer, chatFrames, json, type Script } from '../support/upstream.ts'

const { upstream, gateway } = serveNode((url) => ({
  providers: { up: { type: 'openai-compatible', baseURL: `${url}/v1` } },
}))

// Whatever a client sends, the next one is served.
afterEach(async () => {
  upstream.script(json(200, chatAnswer('x')))
  expect((await ask(gateway, chat('up/m'))).status).toBe(200)
  expect(gateway.logged).toEqual([])
  upstream.seen.length = 0
})

const body = JSON.stringify(chat('up/m', { stream: true }))
const chunked = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
const start = 'POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n'
const whole = `${start}content-length: ${body.length}\r\n\r\n${body}`
const frames = chatFrames('Hello', ' there')

const bad: [string, string][] = [
  ['garbage', 'garbage\r\n\r\n'],
  ['a coding behind the chunks', `${start}transfer-encoding: chunked, gzip\r\n\r\n${chunked}`],
  ['a coding in the chunks', `${start}transfer-encoding: gzip, chunked\r\n\r\n${chunked}`],
  ['an unknown coding', `${start}transfer-encoding: xchunked\r\n\r\n${chunked}`],
  ['two lines for the coding', `${start}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n${chunked}`],
  [
    'a length and then chunks',
    `${start}content-length: ${body.length}\r\ntransfer-encoding: chunked\r\n\r\n${chunked}`,
  ],
  [
    'chunks and then a length',
    `${start}transfer-encoding: chunked\r\ncontent-length: ${body.length}\r\n\r\n${chunked}`,
  ],
  ['a chunk of no size', `${start}transfer-encoding: chunked\r\n\r\nzz\r\n`],
  [
    'an unknown coding on a route without a body',
    'GET /health HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: xchunked\r\n\r\n',
  ],
]

function expectRefused(answer: RawAnswer | undefined, status = 400): void {
  expect(answer?.status).toBe(status)
  expect(answer?.head.toLowerCase()).toMatch(/content-type: application\/json/)
  expect(answer?.head.toLowerCase()).toMatch(/connection: close/)
  expectEnvelope(JSON.parse(answer?.body ?? ''))
}

/** A stream that stops after its first words until the test lets it end. */
function heldStream(): { script: Script; release(): void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  const script: Script = async (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(frames.slice(0, 2).join(''))
    await promise
    response.end(frames.slice(2).join(''))
  }
  return { script, release: resolve }
}

/** A raw client that sends `bytes` once its first stream runs; resolves with all answers when the connection closes. */
async function behindRunning(bytes: string, release: () => void, then = (_socket: Socket) => {}): Promise<RawAnswer[]> {
  const received = await new Promise<string>((resolve) => {
    let text = ''
    let sent = false
    // It sees the end as one that may still have something to say: closing is the gateway's part.
    const socket = connect({ port: gateway.port, host: '127.0.0.1', allowHalfOpen: true }, () => socket.write(whole))
    socket.on('data', (data) => {
      text += data.toString('latin1')
      if (sent || !text.includes('Hello')) return
      sent = true
      socket.write(bytes, async () => {
        then(socket)
        // By the time that another client is served these bytes were read.
        await fetch(`http://127.0.0.1:${gateway.port}/health`)
        release()
      })
    })
    socket.on('end', () => socket.end())
    socket.on('error', () => {})
    socket.on('close', () => resolve(text))
  })
  return answersIn(received)
}

describe('A request that is no valid HTTP', () => {
  it.each(bad)('is refused in the envelope: %s', async (_what, bytes) => {
    const answers = answersIn(await raw(gateway.port, bytes))
    expect(answers).toHaveLength(1)
    expectRefused(answers[0])
    expect(upstream.seen).toEqual([])
  })

  it.each(bad)('does not break the stream that runs before it: %s', async (_what, bytes) => {
    const { script, release } = heldStream()
    upstream.script(script)
    const [stream, refused, ...more] = await behindRunning(bytes, release)
    expect(stream).toMatchObject({ status: 200, body: frames.join('') })
    expectRefused(refused)
    expect(more).toEqual([])
  })

  it('is refused once, however much comes behind it', async () => {
    const { script, release } = heldStream()
    upstream.script(script)
    const garbage = (socket: Socket) => void socket.write('more\r\n\r\n'.repeat(10_000))
    const [stream, refused, ...more] = await behindRunning('garbage\r\n\r\n', release, garbage)
    expect(stream?.body).toBe(frames.join(''))
    expectRefused(refused)
    expect(more).toEqual([])
  })

  it('waits for all answers before it', async () => {
    const { script, release } = heldStream()
    upstream.script(script)
    const answers = await behindRunning(`${whole}${whole}garbage\r\n\r\n`, release)
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 400])
    expect(answers.slice(0, 3).map(({ body }) => body)).toEqual(Array(3).fill(frames.join('')))
  })

  it('does not break the stream before it as a CONNECT either', async () => {
    const { script, release } = heldStream()
    upstream.script(script)
    const [stream, refused] = await behindRunning('CONNECT x:1 HTTP/1.1\r\nhost: x:1\r\n\r\n', release)
    expect(stream?.body).toBe(frames.join(''))
    expectRefused(refused, 405)
  })
})

describe('A body that ends early', () => {
  it.each([
    ['before its length', `${start}content-length: 500\r\n\r\n{"mod`],
    ['before any of it', `${start}content-length: 500\r\n\r\n`],
    ['in the middle of a chunk', `${start}transfer-encoding: chunked\r\n\r\n20\r\n{"mod`],
    ['between two chunks', `${start}transfer-encoding: chunked\r\n\r\n${chunked.slice(0, -5)}`],
    ['before its headers do', start],
  ])('is refused in the envelope: %s', async (_what, bytes) => {
    const received = await new Promise<string>((resolve) => {
      let text = ''
      const socket = connect({ port: gateway.port, host: '127.0.0.1', allowHalfOpen: true }, () => socket.end(bytes))
      socket.on('data', (data) => {
        text += data.toString('latin1')
      })
      socket.on('close', () => resolve(text))
    })
    const answers = answersIn(received)
    expect(answers).toHaveLength(1)
    expectRefused(answers[0])
    expect(upstream.seen).toEqual([])
  })
})
