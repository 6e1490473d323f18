import { createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { errorOf, type Reply } from '../support/ask.ts'
import { type Both, type Runtime, runtimes, startBoth } from '../support/both.ts'
import { type FakeUpstream, fakeUpstream, json } from '../support/upstream.ts'

const unreachable = ['refused', 'unknown', 'tls']
let upstream: FakeUpstream
let both: Both

beforeAll(async () => {
  upstream = await fakeUpstream(json(200, { text: 'heard' }))
  both = await startBoth('unsent-uploads', {
    providers: {
      refused: { type: 'openai-compatible', baseURL: 'http://127.0.0.1:1/v1' },
      unknown: { type: 'openai-compatible', baseURL: 'http://no-such-host.invalid/v1' },
      tls: { type: 'openai-compatible', baseURL: upstream.url.replace('http:', 'https:') },
      taking: { type: 'openai-compatible', baseURL: `${upstream.url}/v1` },
      good: { type: 'openai-compatible', baseURL: `${upstream.url}/v1` },
    },
    models: Object.fromEntries(
      [...unreachable, 'taking'].map((name) => [
        name,
        { deployments: [`${name}/ear`], fallbacks: ['good/ears'], retries: 1 },
      ]),
    ),
    cooldown: false,
  })
})

afterAll(async () => {
  await both.close()
  await upstream.close()
})

// Of ASCII, which is quicker to compare.
const file = randomBytes(12 * 1024 * 1024).map((byte) => byte & 127)

function formOf(model: string): Uint8Array<ArrayBuffer> {
  const fields = `--b\r\ncontent-disposition: form-data; name="model"\r\n\r\n${model}\r\n`
  const head = '--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'
  return new Uint8Array(Buffer.concat([Buffer.from(fields + head), file, Buffer.from('\r\n--b--\r\n')]))
}

async function send(runtime: Runtime, model: string): Promise<Reply> {
  const response = await fetch(`${both.addresses[runtime]}/audio/transcriptions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${both.key}`, 'content-type': 'multipart/form-data; boundary=b' },
    body: formOf(model),
  })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex')

describe.each(runtimes)('A large upload of which nothing is taken, on %s,', (runtime) => {
  it.each(unreachable)('goes whole to the fallback where the first deployment is %s', async (model) => {
    const before = upstream.seen.length
    const reply = await send(runtime, model)
    expect(reply).toMatchObject({ status: 200, text: '{"text":"heard"}' })
    expect(reply.headers.get('x-samewire-model')).toBe('good/ears')
    expect(upstream.seen.length).toBe(before + 1)
    const expected = Buffer.from(formOf('ears')).toString('utf8')
    expect(hashOf(upstream.seen.at(-1)?.body ?? '')).toBe(hashOf(expected))
  })

  it('is not sent again once the deployment has taken more than is kept', async () => {
    const before = upstream.seen.length
    upstream.script(json(500, { error: { message: 'down' } }), json(200, { text: 'heard' }))
    const reply = await send(runtime, 'taking')
    expect([reply.status, errorOf(reply).message]).toEqual([502, expect.stringContaining('down')])
    expect(upstream.seen.length).toBe(before + 1)
  })

  it('is an error of the provider’s, and the client hears it, where there is no other', async () => {
    const reply = await send(runtime, 'refused/ear')
    expect([reply.status, errorOf(reply).code]).toEqual([502, 'upstream_unreachable'])
  })
})
