import { connect, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { chat, until } from '../support/ask.ts'
import { type Runtime, runtimes, serveBoth } from '../support/both.ts'
import { answersIn } from '../support/raw-answers.ts'
import { chatAnswer, json, silence } from '../support/upstream.ts'

const { upstream, both } = serveBoth('half-closed', (baseURL) => ({
  providers: { up: { type: 'openai-compatible', baseURL } },
  retries: 0,
}))

/** A client whose request has reached the upstream; `received` is all it got once the connection is closed. */
async function waiting(runtime: Runtime): Promise<{ socket: Socket; received: Promise<string> }> {
  upstream.seen.length = 0
  const body = JSON.stringify(chat('up/m'))
  const { port } = new URL(both.addresses[runtime])
  const socket = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true })
  const received = new Promise<string>((resolve) => {
    let text = ''
    socket.on('data', (data) => {
      text += data.toString('latin1')
    })
    socket.on('end', () => socket.end())
    socket.on('close', () => resolve(text))
  })
  const headers = `host: localhost\r\nauthorization: Bearer ${both.key}\r\ncontent-type: application/json`
  socket.write(`POST /v1/chat/completions HTTP/1.1\r\n${headers}\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
  await until(() => upstream.seen.some(({ method }) => method === 'POST'))
  return { socket, received }
}

const stopped = () => upstream.seen.find(({ method }) => method === 'POST')?.abandoned

describe('A client that closes its sending side while it waits for a whole answer', () => {
  it('is taken for one that has left (node)', async () => {
    upstream.script(silence)
    const { socket, received } = await waiting('node')
    socket.end()
    await stopped()
    expect(await received).toBe('')
  })

  it('gets the answer (workerd)', async () => {
    const { promise: answering, resolve: answer } = Promise.withResolvers<void>()
    upstream.script(async (...exchange) => {
      if (exchange[0].method === 'POST') await answering
      json(200, chatAnswer('Hello'))(...exchange)
    })
    const { socket, received } = await waiting('workerd')
    await new Promise<void>((sent) => socket.end(sent))
    // By the time that another client is served the end was read.
    await fetch(both.addresses.workerd.replace('/v1', '/health'))
    answer()
    expect(answersIn(await received)).toMatchObject([{ status: 200, body: JSON.stringify(chatAnswer('Hello')) }])
  })
})

describe.each(runtimes)('A client that resets its connection while it waits for a whole answer (%s)', (runtime) => {
  it('stops its upstream', async () => {
    upstream.script(silence)
    const { socket } = await waiting(runtime)
    socket.resetAndDestroy()
    await stopped()
  })
})
