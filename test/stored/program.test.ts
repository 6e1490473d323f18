import type { ServerResponse } from 'node:http'
import { dirname } from 'node:path'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../support/ask.ts'
import { configFile, launch, type Program } from '../support/program.ts'
import { chunk, type FakeUpstream, fakeUpstream, stream } from '../support/upstream.ts'

let upstream: FakeUpstream
/** An answer that waits for its end. */
let halting: ServerResponse | undefined
let config: Awaited<ReturnType<typeof configFile>>

beforeAll(async () => {
  upstream = await fakeUpstream(async (request, reply, socket) => {
    if (request.body.includes('haltingly')) halting = reply
    const isSlow = /slowly|haltingly/.test(request.body)
    const frames = [chunk({ role: 'assistant', content: 'Hel' }), chunk({ content: 'lo.' }), chunk({}, 'stop')]
    const all = isSlow ? frames.slice(0, 1) : [...frames, 'data: [DONE]\n\n']
    return stream(all, isSlow ? 'silence' : 'end')(request, reply, socket)
  })
  config = await configFile({
    providers: { up: { type: 'openai-compatible', baseURL: `${upstream.url}/v1` } },
    state: { url: 'file:kept.db' },
    keys: ['env:ADA', 'env:EVE'],
  })
})
afterAll(async () => {
  await upstream.close()
  await config.remove()
})

const env = { ADA: 'sk-ada-0123456789', EVE: 'sk-eve-0123456789' }

async function run(workers: number, ...more: string[]) {
  const program: Program = launch(
    ['--config', config.path, '--workers', `${workers}`, ...more],
    env,
    dirname(config.path),
  )
  const [, port] = await program.until(/listens on http:\/\/127\.0\.0\.1:(\d+)\/v1[\s\S]*curl .*\n/)
  const clientOf = (apiKey: string) => new OpenAI({ baseURL: `http://127.0.0.1:${port}/v1`, apiKey, maxRetries: 0 })
  return { program, ada: clientOf(env.ADA), eve: clientOf(env.EVE) }
}

describe('What is stored in a file', () => {
  it('is there for all workers, and after a crash, for the key that stored it', async () => {
    const first = await run(2)
    const made = await Promise.all(
      Array.from({ length: 10 }, (_, at) => first.ada.responses.create({ model: 'up/m', input: `I am number ${at}.` })),
    )
    // Each connection may be another worker's.
    const read = await Promise.all(made.map(({ id }) => first.ada.responses.retrieve(id)))
    expect(read.map(({ output_text: text }) => text)).toEqual(made.map(() => 'Hello.'))
    await expect(first.eve.responses.retrieve(made[0]?.id ?? '')).rejects.toMatchObject({ status: 404 })
    first.program.signal('SIGKILL')
    await first.program.ended
    const second = await run(1)
    const previous = made[3]?.id ?? ''
    await second.ada.responses.create({ model: 'up/m', input: 'Who am I?', previous_response_id: previous })
    expect(upstream.seen.at(-1)?.body).toMatch(/I am number 3.*Hello\..*Who am I/)
    second.program.signal('SIGTERM')
    await second.program.ended
  })

  it('is whole, if it was being made when the gateway was stopped and could still be', async () => {
    const first = await run(1)
    const { id } = await first.ada.responses.create({ model: 'up/m', input: 'Talk haltingly.', background: true })
    await until(() => halting !== undefined)
    first.program.signal('SIGTERM')
    const last = `${chunk({ content: 'lo.' })}${chunk({}, 'stop')}data: [DONE]\n\n`
    // By then it refuses connections.
    for (let isUp = true; isUp; ) isUp = await first.ada.models.list().then(Boolean, () => false)
    halting?.end(last)
    expect(await first.program.ended).toBe(0)
    const second = await run(1)
    expect(await second.ada.responses.retrieve(id)).toMatchObject({ status: 'completed', output_text: 'Hello.' })
    second.program.signal('SIGTERM')
    await second.program.ended
  })

  it('is a failure, if it was being made when the gateway was stopped', async () => {
    const first = await run(1, '--grace', '0')
    const { id } = await first.ada.responses.create({ model: 'up/m', input: 'Talk slowly.', background: true })
    await until(() => upstream.seen.at(-1)?.body.includes('slowly') === true)
    first.program.signal('SIGTERM')
    expect(await first.program.ended).toBe(0)
    const second = await run(1)
    expect(await second.ada.responses.retrieve(id)).toMatchObject({ status: 'failed', background: true })
    second.program.signal('SIGTERM')
    await second.program.ended
  })
})
