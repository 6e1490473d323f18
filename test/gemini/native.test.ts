import { beforeEach, describe, expect, it } from 'vitest'
import { sealedSignature } from '../../src/dialects/gemini/thoughts.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { json, stream } from '../support/upstream.ts'

const { upstream, both } = serveBoth(
  'gemini-native',
  (url) => ({
    providers: { google: { type: 'gemini', baseURL: url, apiKey: 'env:KEY' } },
    models: { 'tunedModels/mine': 'google/tunedModels/mine' },
    retries: 0,
    cooldown: false,
  }),
  { env: { KEY: 'AIza-up' } },
)

const answer = {
  candidates: [{ content: { parts: [{ text: 'Hi' }], role: 'model' }, finishReason: 'STOP', index: 0 }],
  ...{ usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1, totalTokenCount: 2 }, future: [1.5] },
}
const event = (fields: object) => `data: ${JSON.stringify(fields)}\r\n\r\n`
const opening = event({ candidates: [{ content: { parts: [{ text: 'Hi' }], role: 'model' }, index: 0 }] })
const body = '{ "contents":[{"role":"user","parts":[{"text":"hi"}]}],"future":[1.0]}'

describe.each(runtimes)('On %s, a request for content of Gemini', (runtime) => {
  beforeEach(() => {
    upstream.seen.length = 0
    upstream.script(json(200, answer))
  })

  const ask = (asked: unknown, method: string, model = 'google/gemini-x') =>
    both.ask(runtime, asked, `/v1beta/models/${model}:${method}`)

  it('goes up as it is, without a model in it, with the key of the gateway', async () => {
    const reply = await ask(body, 'generateContent')
    expect([reply.status, JSON.parse(reply.text)]).toEqual([200, answer])
    const seen = upstream.seen.at(-1)
    expect([seen?.path, seen?.body]).toEqual(['/v1beta/models/gemini-x:generateContent', body])
    expect(seen?.headers['x-goog-api-key']).toBe('AIza-up')
  })

  it.each([
    ['google/mine', 'generateContent', json(200, answer)],
    ['mine', 'generateContent', json(200, answer)],
    ['google/mine', 'streamGenerateContent?alt=sse', stream([opening, event(answer)])],
    ['google/mine', 'countTokens', json(200, { totalTokens: 3 })],
  ])('goes to a tuned model too: %s:%s', async (model, method, script) => {
    upstream.script(script)
    const reply = await both.ask(runtime, body, `/v1beta/tunedModels/${model}:${method}`)
    expect([reply.status, upstream.seen.at(-1)?.path]).toEqual([200, `/v1beta/tunedModels/mine:${method}`])
  })

  it('is told of a tuned model that there is none', async () => {
    const reply = await both.ask(runtime, body, '/v1beta/tunedModels/nobody/x:generateContent')
    expect([reply.status, reply.text]).toEqual([404, expect.stringContaining('nobody/tunedModels/x is not found')])
  })

  it('gets its stream as it comes, or as a list', async () => {
    upstream.script(stream([opening, event(answer)]))
    const reply = await ask(body, 'streamGenerateContent?alt=sse')
    expect(reply.text).toBe(opening + event(answer))
    const seen = upstream.seen.at(-1)
    expect([seen?.path, seen?.body]).toEqual(['/v1beta/models/gemini-x:streamGenerateContent?alt=sse', body])
    const listed = JSON.parse((await ask(body, 'streamGenerateContent')).text) as unknown[]
    expect([listed.length, listed[1]]).toEqual([2, answer])
  })

  it.each([
    ['breaks off', stream([opening], 'reset')],
    ['ends too early', stream([opening])],
    ['tells an error', stream([opening, event({ error: { code: 503, message: 'Busy', status: 'UNAVAILABLE' } })])],
  ])('ends with an error if its stream %s', async (_, script) => {
    upstream.script(script)
    const { text } = await ask(body, 'streamGenerateContent?alt=sse')
    expect(text.startsWith(opening)).toBe(true)
    const [event = '', apart] = (text.split('data: ').at(-1) ?? '').trim().split('\n\n')
    expect(JSON.parse(event)).toMatchObject({ error: { code: expect.any(Number), status: 'UNAVAILABLE' } })
    expect(apart).toBe(event)
  })

  it('is whole if its connection breaks behind the reason, of which there may be several', async () => {
    const chunks = [event(answer), event(answer)]
    upstream.script(stream(chunks, 'reset'))
    expect((await ask(body, 'streamGenerateContent?alt=sse')).text).toBe(chunks.join(''))
  })

  it.each([
    ['parts', { role: 'model' }],
    ['a text', { role: 'model', parts: [{ text: '' }] }],
  ])('is refused if its stream ends after chunks without %s, which say nothing', async (_, content) => {
    upstream.script(stream([event({ candidates: [{ content, index: 0 }], usageMetadata: { promptTokenCount: 1 } })]))
    expect((await ask(body, 'streamGenerateContent?alt=sse')).status).toBe(502)
    upstream.script(stream([event({ candidates: [{ content, index: 0 }] }), event(answer)]))
    const { text } = await ask(body, 'streamGenerateContent?alt=sse')
    expect(text).toBe(event({ candidates: [{ content, index: 0 }] }) + event(answer))
  })

  it('is refused if its answer has no candidates', async () => {
    upstream.script(json(200, { candidates: [], usageMetadata: { promptTokenCount: 1 } }))
    const reply = await ask(body, 'generateContent')
    expect([reply.status, JSON.parse(reply.text)]).toMatchObject([502, { error: { status: 'UNAVAILABLE' } }])
  })

  it('goes without what only the gateway can read', async () => {
    const call = { functionCall: { name: 'f', args: {} } }
    const contents = (first: object, text: object) => [
      { role: 'user', parts: [{ text: 'hi' }] },
      {
        role: 'model',
        parts: [
          { ...call, ...first },
          { ...call, thoughtSignature: 'b3du' },
          { text: 'a', ...text },
        ],
      },
      { role: 'user', parts: [{ text: 'go on' }] },
    ]
    const ours = { thoughtSignature: sealedSignature([]) }
    await ask({ contents: contents(ours, ours) }, 'generateContent')
    const skipped = { thoughtSignature: 'skip_thought_signature_validator' }
    expect(JSON.parse(upstream.seen.at(-1)?.body ?? '')).toEqual({ contents: contents(skipped, {}) })
  })

  it('is an answer where the prompt was blocked', async () => {
    const blocked = { promptFeedback: { blockReason: 'SAFETY' } }
    upstream.script(json(200, blocked))
    expect(JSON.parse((await ask(body, 'generateContent')).text)).toEqual(blocked)
    upstream.script(stream([event(blocked)]))
    expect((await ask(body, 'streamGenerateContent?alt=sse')).text).toBe(event(blocked))
  })

  it('is counted and embedded by it, under its own name for the model', async () => {
    upstream.script(json(200, { totalTokens: 3 }))
    const contents = [{ parts: [{ text: 'hi' }] }]
    const generateContentRequest = { model: 'models/google/gemini-x', contents }
    expect(JSON.parse((await ask({ generateContentRequest }, 'countTokens')).text)).toEqual({ totalTokens: 3 })
    expect(JSON.parse(upstream.seen.at(-1)?.body ?? '')).toEqual({
      generateContentRequest: { model: 'models/gemini-x', contents },
    })
    upstream.script(json(200, { embeddings: [{ values: [1] }] }))
    const requests = [{ model: 'models/google/gemini-x', content: contents[0], taskType: 'SEMANTIC_SIMILARITY' }]
    const reply = await ask({ requests }, 'batchEmbedContents')
    expect(JSON.parse(reply.text)).toEqual({ embeddings: [{ values: [1] }] })
    expect(JSON.parse(upstream.seen.at(-1)?.body ?? '')).toEqual({
      requests: [{ ...requests[0], model: 'models/gemini-x' }],
    })
  })
})
