import { afterAll, beforeAll, expect, it } from 'vitest'
import { chat, noLists, raw } from '../support/ask.ts'
import { type RunningGateway, startGateway } from '../support/gateway.ts'
import { answersIn } from '../support/raw-answers.ts'
import { chatFrames, chunk, type FakeUpstream, fakeUpstream } from '../support/upstream.ts'

let upstream: FakeUpstream
let gateway: RunningGateway

beforeAll(async () => {
  upstream = await fakeUpstream()
  const config = { providers: { up: { type: 'openai-compatible', baseURL: `${upstream.url}/v1` } } }
  gateway = await startGateway(config, { services: noLists })
})
afterAll(async () => {
  await gateway.close()
  await upstream.close()
})

function post(content: string): string {
  const body = JSON.stringify({ ...chat('up/m', { stream: true }), user: content })
  const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n`
  return `${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

it('answers requests that were sent without waiting in their order, each stream whole', async () => {
  const framesFor = (name: string) => {
    const frames = chatFrames(...Array.from({ length: 30 }, (_, at) => `${name} ${at} grün 日本語 😀`))
    return [...frames.slice(0, 3), chunk({ content: name.repeat(20_000) }), ...frames.slice(3)]
  }
  upstream.script(async (request, response) => {
    const { user } = JSON.parse(request.body) as { user: string }
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const frame of framesFor(user)) {
      response.write(frame)
      await new Promise((turn) => setImmediate(turn))
    }
    response.end()
  })
  const names = ['a', 'b', 'c', 'd']
  const received = await raw(gateway.port, names.map(post).join(''), (text) => text.split('0\r\n\r\n').length > 4)
  expect(answersIn(received).map(({ body }) => body)).toEqual(names.map((name) => framesFor(name).join('')))
})
