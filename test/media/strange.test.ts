import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { operations } from '../../src/operations/all.ts'
import { expectEnvelope } from '../support/ask.ts'
import { serveNode } from '../support/gateway.ts'
import { json } from '../support/upstream.ts'

/** An answer that any of the operations takes for one. */
const choice = { index: 0, text: 'x', message: { role: 'assistant', content: 'x' }, finish_reason: 'stop' }
const answer = { created: 1, data: [], text: 'x', results: [], audio: 'x', choices: [choice] }

const { upstream, gateway } = serveNode(
  (url) => ({ providers: { p: { type: 'openai-compatible', baseURL: url } }, passThrough: 'p' }),
  { script: json(200, answer) },
)

const post = (path: string, type: string, body: Uint8Array | string) =>
  fetch(gateway.baseURL + path, {
    method: 'POST',
    headers: { 'content-type': type },
    body: typeof body === 'string' ? body : new Uint8Array(body),
  })

/** Whatever came, the client hears in the envelope what was wrong with it, or has its answer. */
async function expectSense(response: Response): Promise<void> {
  const text = await response.text()
  if (response.status === 200) return
  expect([400, 403, 404, 413, 415]).toContain(response.status)
  expectEnvelope(JSON.parse(text))
}

afterEach(async () => {
  const next = await post('/moderations', 'application/json', '{"model":"p/m","input":"hi"}')
  expect(next.status).toBe(200)
  expect(gateway.logged.filter((line) => /at .*\.ts:/.test(line))).toEqual([])
  upstream.seen.length = 0
})

const form = new TextEncoder().encode(
  '--b\r\nContent-Disposition: form-data; name="model"\r\n\r\np/whisper\r\n' +
    '--b\r\nContent-Disposition: form-data; name="timestamp_granularities[]"\r\n\r\nword\r\n' +
    '--b\r\nContent-Disposition: form-data; name="file"; filename="ä.wav"\r\nContent-Type: audio/wav\r\n\r\nRIFF\r\n--x\r\n' +
    '\r\n--b--\r\n',
)

/** A form of which some bytes are missing, doubled or others. */
const damaged = fc
  .array(
    fc.record({
      at: fc.nat(form.length - 1),
      length: fc.nat(12),
      instead: fc.oneof(
        fc.uint8Array({ maxLength: 6 }),
        fc.constantFrom('\r\n', '--b', '--b--', '"', '\r\n\r\n').map((text) => new TextEncoder().encode(text)),
      ),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((cuts) =>
    cuts.reduce<Uint8Array>(
      (bytes, { at, length, instead }) =>
        new Uint8Array(Buffer.concat([bytes.subarray(0, at), instead, bytes.subarray(at + length)])),
      form,
    ),
  )

describe('A client that sends nonsense hears what is wrong with it', () => {
  it('in forms whose bytes are damaged', async () => {
    await fc.assert(
      fc.asyncProperty(damaged, async (bytes) => {
        await expectSense(await post('/audio/transcriptions', 'multipart/form-data; boundary=b', bytes))
      }),
      { numRuns: 150, seed: 12 },
    )
  })

  it.each([
    'multipart/form-data; boundary=',
    'multipart/form-data; boundary="',
    `multipart/form-data; boundary=${'x'.repeat(200)}`,
    'multipart/form-data; boundary=other',
    'multipart/mixed; boundary=b',
    'multipart/form-data',
  ])('in forms of an odd type: %.60s', async (type) => {
    const response = await post('/images/variations', type, form)
    expect(response.status).toBeGreaterThanOrEqual(400)
    await expectSense(response)
  })

  it('in forms of very many parts', async () => {
    const part = '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n'
    const response = await post('/images/edits', 'multipart/form-data; boundary=b', `${part.repeat(5_000)}--b--\r\n`)
    expect(response.status).toBe(400)
    await expectSense(response)
  })

  it('in a part whose headers never end', async () => {
    const body = `--b\r\nContent-Disposition: form-data; name="${'a'.repeat(200_000)}`
    const response = await post('/images/edits', 'multipart/form-data; boundary=b', body)
    expect(response.status).toBe(400)
    await expectSense(response)
  })

  const names = 'model prompt input voice query documents image images file n size stream response_format user'.split(
    ' ',
  )
  const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom('p/m', 1, true, null, '', [], {}, [[1, 2]]))
  const body = fc.dictionary(fc.constantFrom(...names, '__proto__', 'encoding_format', 'dimensions'), value)

  // Vectors are checked against what was asked for, which this upstream doesn't read.
  const { embeddings: _, ...others } = operations
  it.each(Object.values(others).map(({ name, path }) => [name, path] as const))(
    'in JSON with fields of any kind: %s',
    async (_, path) => {
      await fc.assert(
        fc.asyncProperty(body, async (fields) => {
          await expectSense(await post(path, 'application/json', JSON.stringify({ model: 'p/m', ...fields })))
        }),
        { numRuns: 40, seed: 12 },
      )
    },
  )

  it('in paths of any kind', async () => {
    const segment = fc.oneof(
      fc.constantFrom('files', '..', '.', '%2e%2e', '%2f', '%5c', '%00', '%zz', '%', 'organization', ';', '?', 'é'),
      fc.webSegment(),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(segment, { maxLength: 5 }), async (segments) => {
        const response = await fetch(`${gateway.baseURL}/${segments.join('/')}`, { method: 'DELETE' })
        if (response.status !== 405) await expectSense(response)
      }),
      { numRuns: 150, seed: 12 },
    )
    for (const { path } of upstream.seen)
      expect(path.split('?')[0]).not.toMatch(/\/\.\.?(\/|$)|^\/(organization|projects)/i)
  })
})
