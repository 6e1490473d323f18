import { expect, it } from 'vitest'
import { chat, raw } from '../support/ask.ts'
import { serveNode } from '../support/gateway.ts'
import { answersIn } from '../support/raw-answers.ts'
import { chatFrames, chunk } from '../support/upstream.ts'

const { upstream, gateway } = serveNode((url) => ({
  providers: { up: { type: 'openai-compatible', baseURL: `${url}/v1` } },
}))

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

it('asks the upstream for a handful of them at a time, and answers them all in the end', async () => {
  const held: (() => void)[] = []
  let most = 0
  upstream.script(async (request, response) => {
    const { user } = JSON.parse(request.body) as { user: string }
    most = Math.max(most, held.length + 1)
    await new Promise<void>((resolve) => held.push(resolve))
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(chatFrames(user).join(''))
  })
  const names = Array.from({ length: 100 }, (_, at) => `word${at}`)
  const received = raw(gateway.port, names.map(post).join(''), (text) => text.split('0\r\n\r\n').length > names.length)
  let answered = 0
  while (answered < names.length) {
    // As many as come without any being answered.
    for (let quiet = 0, last = held.length; quiet < 20; quiet++) {
      await new Promise((turn) => setImmediate(turn))
      if (held.length !== last) quiet = 0
      last = held.length
    }
    for (const release of held.splice(0)) {
      release()
      answered++
    }
  }
  const bodies = answersIn(await received).map(({ body }) => body)
  expect(bodies).toEqual(names.map((name) => chatFrames(name).join('')))
  expect(most).toBeLessThanOrEqual(10)
})
