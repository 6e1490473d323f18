import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { chat, until, untilAnswer } from '../support/ask.ts'
import { configFile, launch, type Program } from '../support/program.ts'
import { answersIn } from '../support/raw-answers.ts'
import { chatFrames, type FakeUpstream, fakeUpstream, json, stream } from '../support/upstream.ts'

let upstream: FakeUpstream
let config: Awaited<ReturnType<typeof configFile>>
beforeEach(async () => {
  upstream = await fakeUpstream()
  const lab = { type: 'openai-compatible', baseURL: upstream.url }
  config = await configFile({ providers: { lab }, models: { small: 'lab/small' } })
})
afterEach(async () => {
  await upstream.close()
  await config.remove()
})

/** A connection that has sent nothing yet. */
function open(port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket))
    socket.on('error', () => resolve(undefined))
  })
}

/** Sends a request on a connection and reads the answer to it. */
async function get(socket: Socket | undefined, path: string): Promise<{ status: number; body: unknown }> {
  let text = ''
  socket?.on('data', (data) => {
    text += data.toString('latin1')
  })
  socket?.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`)
  await until(() => answersIn(text).length > 0)
  const { status = 0, body = '' } = answersIn(text)[0] ?? {}
  return { status, body: JSON.parse(body) }
}

async function portOf(program: Program): Promise<number> {
  return Number((await program.until(/listens on http:\/\/127\.0\.0\.1:(\d+)\/v1[\s\S]*curl .*\n/))[1])
}

describe.each([1, 2])('A gateway of %d that is told to stop while an answer runs', (workers) => {
  it('is alive but not ready, on the connections that it still serves', async () => {
    upstream.script(json(404, {}))
    const program = launch(['--workers', String(workers), '--config', config.path])
    const port = await portOf(program)
    expect(await get(await open(port), '/health/ready')).toMatchObject({ status: 200, body: { status: 'ready' } })
    upstream.script(stream(chatFrames('Hello').slice(0, 2), 'silence'))
    const body = JSON.stringify(chat('small', { stream: true }))
    const answers = await Promise.all(
      Array.from({ length: workers }, () =>
        fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', connection: 'close' },
          body,
        }),
      ),
    )
    const waiting = await Promise.all(Array.from({ length: 30 }, () => open(port)))
    program.signal('SIGTERM')
    // It takes no more connections from then on, and its processes hear of it a little later.
    await untilAnswer(
      () => open(port),
      (late) => !late?.destroy(),
    )
    for (const path of ['/health/ready', '/health/readiness']) {
      const answer = await untilAnswer(
        () => get(waiting.pop(), path),
        ({ status }) => status !== 200,
      )
      expect(answer).toMatchObject({ status: 503, body: { status: 'stopping', deployments: 1, in_cooldown: 0 } })
    }
    expect(await get(waiting.pop(), '/health/live')).toEqual({ status: 200, body: { status: 'ok' } })
    for (const socket of waiting) socket?.destroy()
    await Promise.all(answers.map((answer) => answer.body?.cancel()))
    expect(await program.ended).toBe(0)
  })
})

it('A gateway that has not heard yet which models there are is alive but not ready', async () => {
  const lists = Promise.withResolvers<void>()
  upstream.script(async (...asked) => {
    await lists.promise
    return json(200, { data: [{ id: 'small' }] })(...asked)
  })
  // Its port is told only once it is ready.
  const place = createServer().listen(0, '127.0.0.1')
  await new Promise((listening) => place.once('listening', listening))
  const { port } = place.address() as AddressInfo
  await new Promise((closed) => place.close(closed))
  const program = launch(['--config', config.path, '--port', String(port)])
  await until(() => upstream.seen.length > 0)
  expect(await get(await open(port), '/health/ready')).toMatchObject({ status: 503, body: { status: 'starting' } })
  expect(await get(await open(port), '/health/live')).toMatchObject({ status: 200 })
  lists.resolve()
  await portOf(program)
  expect(await get(await open(port), '/health/ready')).toMatchObject({ status: 200, body: { status: 'ready' } })
  program.signal('SIGTERM')
  expect(await program.ended).toBe(0)
})
