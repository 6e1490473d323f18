import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { chat, errorOf, type Reply } from '../support/ask.ts'
import { type Runtime, runtimes, serveBoth } from '../support/both.ts'
import { chatAnswer, json } from '../support/upstream.ts'

const limit = 100_000
const { upstream, both } = serveBoth(
  'compressed',
  (url) => ({
    providers: { p: { type: 'openai-compatible', baseURL: `${url}/v1` } },
    passThrough: 'p',
    bodyLimit: limit,
  }),
  { script: json(200, chatAnswer('hello')) },
)

const request = JSON.stringify(chat('p/m', { seed: 7 }))
const form =
  '--b\r\ncontent-disposition: form-data; name="model"\r\n\r\np/m\r\n' +
  '--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nxyz\r\n--b--\r\n'

async function send(
  runtime: Runtime,
  body: Uint8Array,
  encoding: string,
  { path = '/chat/completions', type = 'application/json' } = {},
): Promise<Reply> {
  const response = await fetch(both.addresses[runtime] + path, {
    method: 'POST',
    headers: { 'content-type': type, 'content-encoding': encoding, authorization: `Bearer ${both.key}` },
    body: new Uint8Array(body),
  })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

const everywhere: readonly [string, (text: string) => Uint8Array][] = [
  ['gzip', gzipSync],
  ['deflate', deflateSync],
  ['GZIP', gzipSync],
  ['deflate, gzip', (text) => gzipSync(deflateSync(text))],
  ['identity', (text) => new TextEncoder().encode(text)],
]
const onNode: typeof everywhere = [
  ['br', brotliCompressSync],
  ['zstd', zstdCompressSync],
]

describe.each(runtimes)('On %s, a compressed request', (runtime) => {
  it.each([...everywhere, ...(runtime === 'node' ? onNode : [])])('is unpacked: %s', async (encoding, pack) => {
    const reply = await send(runtime, pack(request), encoding)
    expect(reply.status).toBe(200)
    const seen = upstream.seen.at(-1)
    expect(seen?.body).toBe(request.replace('p/m', 'm'))
    expect(seen?.headers).not.toHaveProperty('content-encoding')
  })

  it('may be a form', async () => {
    upstream.script(json(200, { text: 'heard' }))
    const place = { path: '/audio/transcriptions', type: 'multipart/form-data; boundary=b' }
    expect(await send(runtime, gzipSync(form), 'gzip', place)).toMatchObject({ status: 200, text: '{"text":"heard"}' })
    expect(upstream.seen.at(-1)?.body).toBe(form.replace('p/m', 'm'))
    upstream.script(json(200, chatAnswer('hello')))
  })

  it('that is passed on stays as it is', async () => {
    await send(runtime, gzipSync('{}'), 'gzip', { path: '/assistants' })
    expect(upstream.seen.at(-1)?.headers['content-encoding']).toBe('gzip')
  })

  it.each([
    ['that is no such thing', new TextEncoder().encode(request), 400],
    ['that ends too early', gzipSync(request).subarray(0, -12), 400],
    ['of a megabyte in a thousand bytes', gzipSync(JSON.stringify({ x: ' '.repeat(1_000_000) })), 413],
  ])('%s is refused, and the next one works', async (_, body, status) => {
    const reply = await send(runtime, body, 'gzip')
    expect(reply.status).toBe(status)
    errorOf(reply)
    expect((await send(runtime, gzipSync(request), 'gzip')).status).toBe(200)
  })

  it.each([...(runtime === 'workerd' ? ['br', 'zstd'] : []), 'compress', 'gzip, gzip, gzip', 'x'.repeat(300)])(
    'in a coding that is not known is a 415 that names the others: %.40s',
    async (encoding) => {
      const reply = await send(runtime, gzipSync(request), encoding)
      expect(reply.status).toBe(415)
      const error = errorOf(reply)
      expect(error.code).toBe('unsupported_content_encoding')
      expect(error.message).toContain('gzip')
    },
  )
})
