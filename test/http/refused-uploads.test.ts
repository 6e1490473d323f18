import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { chat, expectEnvelope, noLists } from '../support/ask.ts'
import { type RunningGateway, startGateway } from '../support/gateway.ts'
import { answersIn } from '../support/raw-answers.ts'
import { chatAnswer, type FakeUpstream, fakeUpstream, json } from '../support/upstream.ts'

let upstream: FakeUpstream
let gateway: RunningGateway
let locked: RunningGateway

beforeAll(async () => {
  upstream = await fakeUpstream(json(200, chatAnswer('x')))
  const config = { providers: { p: { type: 'openai-compatible', baseURL: upstream.url } }, bodyLimit: 100_000 }
  gateway = await startGateway(config, { services: noLists })
  locked = await startGateway(config, { services: noLists, env: { SAMEWIRE_KEY: 'sk-gateway-0123456789' } })
})
afterAll(async () => {
  await gateway.close()
  await locked.close()
  await upstream.close()
})

const typed = 'content-type: application/json\r\n'
const large = 30_000_000

interface Written {
  readonly socketError: Error | undefined
  readonly received: string
}

/** Writes all of `pieces`, and reads only then. */
function writeFirst(port: number, pieces: readonly (string | Uint8Array)[]): Promise<Written> {
  return new Promise((resolve) => {
    let received = ''
    let socketError: Error | undefined
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => {
      for (const piece of pieces.slice(0, -1)) socket.write(piece)
      socket.write(pieces.at(-1) ?? '', () => {
        socket.on('data', (data) => {
          received += data.toString('latin1')
          if (answersIn(received).length > 0) socket.end()
        })
      })
    })
    socket.on('error', (error) => {
      socketError = error
    })
    socket.on('close', () => resolve({ socketError, received }))
  })
}

const told = (path: string, more: string) => [
  `POST ${path} HTTP/1.1\r\nhost: localhost\r\n${more}content-length: ${large}\r\n\r\n`,
  Buffer.alloc(large, 'x'),
]
const chunk = `${(100_000).toString(16)}\r\n${'x'.repeat(100_000)}\r\n`

describe('A client that writes all of a large body before it reads', () => {
  it.each<[string, number, () => RunningGateway, (string | Uint8Array)[]]>([
    ['its length is over the limit', 413, () => gateway, told('/v1/chat/completions', typed)],
    [
      'its chunks are over the limit',
      413,
      () => gateway,
      [
        `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n${typed}transfer-encoding: chunked\r\n\r\n`,
        chunk.repeat(large / 100_000),
        '0\r\n\r\n',
      ],
    ],
    ['it has no key', 401, () => locked, told('/v1/chat/completions', typed)],
    [
      'it has no key and wants the connection closed',
      401,
      () => locked,
      told('/v1/completions', 'connection: close\r\n'),
    ],
    ['there is no such route', 404, () => gateway, told('/v1/nope', typed)],
    [
      'there is no such route, and it wants the connection closed',
      404,
      () => gateway,
      told('/v1/nope', 'connection: close\r\n'),
    ],
    ['the method is wrong', 405, () => gateway, told('/v1/models', typed)],
    ['the type is wrong', 403, () => gateway, told('/v1/chat/completions', 'content-type: text/plain\r\n')],
  ])('is told that %s (%d)', async (_what, status, to, pieces) => {
    const { socketError, received } = await writeFirst(to().port, pieces)
    const [answer] = answersIn(received)
    expect([socketError, answer?.status]).toEqual([undefined, status])
    expectEnvelope(JSON.parse(answer?.body ?? ''))
    if (status === 413) expect(answer?.head.toLowerCase()).toContain('connection: close')
  })

  it('and never ends it is cut off', async () => {
    const sent = await new Promise<number>((resolve) => {
      const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n${typed}transfer-encoding: chunked\r\n\r\n`
      const socket = connect({ port: gateway.port, host: '127.0.0.1', allowHalfOpen: true }, () => {
        socket.write(head)
        const feed = () => {
          while (!socket.destroyed && socket.write(chunk));
        }
        socket.on('drain', feed)
        feed()
      })
      socket.on('error', () => {})
      socket.on('close', () => resolve(socket.bytesWritten))
    })
    expect(sent).toBeGreaterThan(60_000_000)
    expect(sent).toBeLessThan(100_000_000)
  })

  it('leaves the connection usable where it may stay', async () => {
    const body = JSON.stringify(chat('p/m'))
    const next = `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n${typed}content-length: ${body.length}\r\n\r\n${body}`
    const received = await new Promise<string>((resolve) => {
      let text = ''
      const socket = connect(gateway.port, '127.0.0.1', () => {
        for (const piece of told('/v1/nope', typed)) socket.write(piece)
        socket.write(next)
      })
      socket.on('data', (data) => {
        text += data.toString('latin1')
        if (answersIn(text).length === 2) socket.destroy()
      })
      socket.on('close', () => resolve(text))
    })
    expect(answersIn(received).map(({ status }) => status)).toEqual([404, 200])
  })
})
