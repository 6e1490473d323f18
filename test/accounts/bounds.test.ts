import { describe, expect, it } from 'vitest'
import type { ModelConfig } from '../../src/config/schema.ts'
import { chat, errorOf } from '../support/ask.ts'
import { serveUpstreams } from '../support/gateway.ts'
import { dollar, headers, payingStarter } from '../support/paying.ts'
import { connectSocket } from '../support/socket-client.ts'
import { chatAnswer, json } from '../support/upstream.ts'

const { up } = serveUpstreams({ up: json(200, chatAnswer('hello')) })
const start = payingStarter()

type Deployments = Exclude<ModelConfig, string>['deployments']
type Deployment = Exclude<Deployments[number], string>

const serving = (deployment: Omit<Deployment, 'model'>) => ({
  providers: { up: { type: 'openai-compatible', baseURL: up.url } },
  models: { m: { deployments: [{ model: 'up/m', ...deployment }] } },
})
/** A token of input costs 1,000 nano-dollars, one of output 10,000. */
const price = { input: 1, output: 10 }
const cached = { ...price, cacheWrite: 1.25, cacheWrite1h: 2, audioInput: 30, imageInput: 40, audioOutput: 60 }
/** Enough for 2,000 tokens in and 100 out, written to a cache for minutes, and for no dearer kind of tokens. */
const budget = 3_500_000
const words = 'w'.repeat(1_000)
const text = (more: object = {}) =>
  chat('m', { messages: [{ role: 'user', content: words }], max_tokens: 100, ...more })

describe('What a request may cost', () => {
  it('is not what a recording, a picture or an hour in a cache costs where it asks for none', async () => {
    const { ask } = await start(serving({ price: cached }), { budget })
    expect((await ask(text())).status).toBe(200)
  })

  const part = (more: object) => ({ messages: [{ role: 'user', content: [{ type: 'text', text: words, ...more }] }] })

  it.each([
    [
      'a picture',
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://a.b/c' } }] }] },
    ],
    ['a spoken answer', { modalities: ['text', 'audio'], audio: { voice: 'alloy', format: 'mp3' } }],
    ['an hour in a cache', { ...part({ cache_control: { type: 'ephemeral', ttl: '1h' } }), max_tokens: 120 }],
  ])('is the price of %s where it asks for one', async (_, more) => {
    const { ask } = await start(serving({ price: cached }), { budget })
    const reply = await ask(text(more))
    expect([reply.status, errorOf(reply).code]).toEqual([429, 'insufficient_quota'])
  })

  const data = (length: number) => `data:image/png;base64,${'A'.repeat(length)}`
  const seeing = (...urls: string[]) => ({
    messages: [{ role: 'user', content: urls.map((url) => ({ type: 'image_url', image_url: { url } })) }],
  })

  it.each([
    ['as data', seeing(data(100_000))],
    ['as small data', seeing(data(100))],
    ['as an address', seeing('https://a.b/c')],
  ])('is that of a picture %s, as far as the configuration says how many tokens one takes', async (_, picture) => {
    const { ask } = await start(serving({ price, imageTokens: 800 }), { budget: 2_600_000 })
    expect((await ask(text(picture))).status).toBe(200)
    const two = await start(serving({ price, imageTokens: 1_700 }), { budget: 2_600_000 })
    expect((await two.ask(text(picture))).status).toBe(429)
  })

  it('is that of the bytes of a picture where nobody says it of one of those who may see it', async () => {
    const { ask } = await start(serving({ price }), { budget: 60_000_000 })
    expect((await ask(text(seeing(data(100_000))))).status).toBe(429)
    expect((await ask(text(seeing(data(100))))).status).toBe(200)
  })

  it.each([
    ['as small data', seeing(data(100))],
    ['as an address', seeing('https://a.b/c')],
  ])('is that of the largest picture of any model where nobody says it of one %s', async (_, picture) => {
    const { ask } = await start(serving({ price }), { budget: 48_169_000 })
    expect((await ask(text(picture))).status).toBe(429)
    expect(up.seen).toHaveLength(0)
  })

  it('is that of each picture in a document, also of one in the result of a tool', async () => {
    const image = { type: 'image', source: { type: 'url', url: 'https://a.b/c' } }
    const document = { type: 'document', source: { type: 'content', content: Array(10).fill(image) } }
    const result = { type: 'tool_result', tool_use_id: 'a', content: [document] }
    const called = { role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'f', input: {} }] }
    const claudes = (...messages: object[]) => ({ model: 'm', max_tokens: 100, messages })
    const claude = {
      providers: { up: { type: 'anthropic' as const, baseURL: up.url, apiKey: 'env:UP_KEY' } },
      models: { m: { deployments: [{ model: 'up/m', price, imageTokens: 1_000 }], retries: 0 } },
    }
    const { ask } = await start(claude, { budget: 8_000_000 })
    const path = '/messages'
    expect((await ask(claudes({ role: 'user', content: [document] }), { path })).status).toBe(402)
    expect((await ask(claudes(called, { role: 'user', content: [result] }), { path })).status).toBe(402)
    expect(up.seen).toHaveLength(0)
    const usage = { input_tokens: 10, output_tokens: 5 }
    up.script(json(200, { type: 'message', role: 'assistant', content: [{ type: 'text', text: 'hi' }], usage }))
    expect((await ask(claudes({ role: 'user', content: [image] }), { path })).status).toBe(200)
  })

  it('is that of all words beside a picture', async () => {
    const { ask } = await start(serving({ price, imageTokens: 800 }), { budget: 2_600_000 })
    const [user] = seeing(data(100_000)).messages
    const beside = { messages: [user, { role: 'user', content: 'w'.repeat(2_000) }] }
    expect((await ask(text(beside))).status).toBe(429)
  })

  it('is what the configuration asks for, whatever the client does', async () => {
    const forced = { overrides: { max_completion_tokens: 5_000 } }
    const { ask } = await start(serving({ price, ...forced }), { budget })
    expect((await ask(text())).status).toBe(429)
    const several = await start(serving({ price, overrides: { n: 10 } }), { budget })
    expect((await several.ask(text())).status).toBe(429)
    const tool = { params: { tools: [{ type: 'web_search_preview' }] } }
    const reply = await (await start(serving({ price, ...tool }), { budget })).ask(text())
    expect([reply.status, errorOf(reply).code]).toEqual([400, 'unbounded_cost'])
    expect(up.seen).toHaveLength(0)
  })

  it('has the input once for each of several answers, which a server may give one at once', async () => {
    const usage = { prompt_tokens: 1_600, completion_tokens: 100, total_tokens: 1_700 }
    up.script(json(200, { ...(chatAnswer('hello') as object), usage }))
    const poor = await start(serving({ price }), { budget: 6_000_000 })
    expect((await poor.ask(text({ n: 3 }))).status).toBe(429)
    expect([up.seen.length, await poor.spent()]).toEqual([0, 0])
    const { ask, spent, held } = await start(serving({ price }), { budget: 8_000_000 })
    const reply = await ask(text({ n: 3 }))
    expect([reply.status, JSON.parse(reply.text).choices.length, up.seen.length]).toEqual([200, 3, 3])
    expect([await spent(), await held()]).toEqual([3 * (1_600 * 1_000 + 100 * 10_000), 0])
  })

  it('is bounded by the limit that the configuration has for requests without one', async () => {
    const { ask } = await start(serving({ price, params: { max_tokens: 50 } }), { budget })
    expect((await ask(text({ max_tokens: undefined }))).status).toBe(200)
    expect(JSON.parse(up.seen[0]?.body ?? '')).toMatchObject({ max_tokens: 50 })
  })
})

it('The limit of a request to Gemini has one name, also where the client’s own was none', async () => {
  const gemini = {
    providers: { up: { type: 'gemini' as const, baseURL: up.url, apiKey: 'env:UP_KEY' } },
    models: { m: { deployments: [{ model: 'up/m', price }], retries: 0 } },
  }
  const { ask } = await start(gemini, { budget: dollar })
  up.script(json(200, { candidates: [{ content: { role: 'model', parts: [{ text: 'hi' }] }, finishReason: 'STOP' }] }))
  const body = { contents: [{ parts: [{ text: 'hi' }] }], generation_config: { max_output_tokens: 0 } }
  expect((await ask(body, { path: '/../v1beta/models/m:generateContent' })).status).toBe(200)
  expect(JSON.parse(up.seen[0]?.body ?? '').generation_config).toEqual({ maxOutputTokens: 16_384 })
})

describe('Pictures among words under a budget', () => {
  const drawing = (type: 'gemini' | 'openai-compatible', imageOutput?: number) => ({
    providers: { up: { type, baseURL: up.url, apiKey: 'env:UP_KEY' } },
    models: { m: { deployments: [{ model: 'up/m', price: { ...price, ...(imageOutput && { imageOutput }) } }] } },
  })
  const google = { path: '/../v1beta/models/m:generateContent' }
  const geminis = (more: object) => ({
    contents: [{ parts: [{ text: 'a cat' }] }],
    generationConfig: { maxOutputTokens: 100, ...more },
  })
  const picture = { inlineData: { mimeType: 'image/png', data: 'AAAA' } }
  const drawn = json(200, {
    candidates: [{ content: { role: 'model', parts: [picture] }, finishReason: 'STOP' }],
    usageMetadata: {
      ...{ promptTokenCount: 10, candidatesTokenCount: 1_300, totalTokenCount: 1_310 },
      candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 1_290 }],
    },
  })

  it('cost so much a token as pictures do, and no more than was held, although they are above the limit', async () => {
    const { ask, spent, held, rows } = await start(drawing('gemini', 30), { budget: dollar })
    up.script(drawn)
    expect((await ask(geminis({ responseModalities: ['TEXT', 'IMAGE'] }), google)).status).toBe(200)
    const cost = 10 * 1_000 + 1_290 * 30_000 + 10 * 10_000
    expect([await spent(), await held(), rows[0]?.cost, rows[0]?.usageSource]).toEqual([cost, 0, cost, 'reported'])
  })

  it.each([
    ['that draws by itself', 'gemini', geminis({}), google, 30],
    [
      'that is asked to, at the price of words',
      'gemini',
      geminis({ responseModalities: ['IMAGE'] }),
      google,
      undefined,
    ],
    ['that is asked to by a number', 'gemini', geminis({ responseModalities: [2] }), google, undefined],
    ['that is asked to in a word', 'gemini', geminis({ response_modalities: 'IMAGE' }), google, undefined],
    ['that is asked to in a chat', 'openai-compatible', text({ modalities: ['image', 'text'] }), {}, undefined],
    ['that draws by itself in a chat', 'openai-compatible', text(), {}, 30],
  ] as const)('may be as many as a model makes %s', async (_, type, asked, route, imageOutput) => {
    const { ask } = await start(drawing(type, imageOutput), { budget: dollar / 4 })
    expect((await ask(asked, route)).status).toBe(429)
    expect(up.seen).toHaveLength(0)
  })

  it('are none where nobody asks for them, and they have no price', async () => {
    const { ask } = await start(drawing('openai-compatible'), { budget: dollar / 4 })
    expect((await ask(text({ modalities: ['text'] }))).status).toBe(200)
  })

  it('cost nothing where there is no word of tokens, and the answer is too short for them', async () => {
    const { ask, spent } = await start(drawing('openai-compatible', 30), { budget: dollar })
    expect((await ask(text({ max_tokens: 5_000 }))).status).toBe(200)
    expect(await spent()).toBeLessThan(dollar / 20)
  })
})

describe('Pictures under a budget', () => {
  const body = { model: 'm', prompt: 'a cat', n: 2 }
  const path = '/images/generations'
  const pictures = json(200, { created: 1, data: [{ b64_json: 'AA==' }, { b64_json: 'AA==' }] })

  it('cost so much each', async () => {
    up.script(pictures)
    const { ask, spent, held } = await start(serving({ price: { input: 0, output: 0, image: 0.04 } }), {
      budget: dollar / 10,
    })
    expect((await ask(body, { path })).status).toBe(200)
    expect([await spent(), await held()]).toEqual([80_000_000, 0])
    const reply = await ask(body, { path })
    expect([reply.status, errorOf(reply).message]).toEqual([429, expect.stringContaining('may cost $0.08')])
  })

  it('are as many as the configuration asks for in its place, in its fields and in its settings', async () => {
    const each = { price: { input: 0, output: 0, image: 0.04 } }
    for (const more of [{ overrides: { n: 3 } }, { params: { n: 3 } }]) {
      up.script(json(200, { created: 1, data: Array.from({ length: 3 }, () => ({ b64_json: 'AA==' })) }))
      const { ask, spent, held, rows } = await start(serving({ ...each, ...more }), { budget: dollar / 5 })
      const asked = 'overrides' in more ? body : { ...body, n: undefined }
      expect((await ask(asked, { path })).status).toBe(200)
      expect([await spent(), await held(), rows[0]?.cost]).toEqual([120_000_000, 0, 120_000_000])
      expect(JSON.parse(up.seen.at(-1)?.body ?? '')).toMatchObject({ n: 3 })
      const reply = await ask(asked, { path })
      expect([reply.status, errorOf(reply).message]).toEqual([429, expect.stringContaining('may cost $0.12')])
    }
  })

  it('cost their tokens where the model counts those, of which a picture has so many at most', async () => {
    const usage = { input_tokens: 10, output_tokens: 2_000, total_tokens: 2_010 }
    up.script(json(200, { created: 1, data: [{ b64_json: 'AA==' }], usage }))
    const { ask, spent, held } = await start(serving({ price: { ...price, imageOutput: 30 } }), { budget: dollar })
    expect((await ask({ ...body, n: 1 }, { path })).status).toBe(200)
    expect([await spent(), await held()]).toEqual([10 * 1_000 + 2_000 * 30_000, 0])
    expect((await ask(body, { path })).status).toBe(429)
  })

  it('that change others are bounded without their bytes', async () => {
    up.script(pictures)
    const { gateway, spent } = await start(serving({ price: { ...price, image: 0.04 } }), { budget: dollar / 2 })
    const form = new FormData()
    for (const [name, value] of Object.entries({ model: 'm', prompt: 'a cat' })) form.set(name, value)
    form.set('image', new Blob([new Uint8Array(2_000_000)], { type: 'image/png' }), 'a.png')
    const reply = await fetch(`${gateway.baseURL}/images/edits`, { method: 'POST', headers, body: form })
    expect(reply.status).toBe(200)
    expect(await spent()).toBeLessThan(dollar / 2)
  })
})

describe('Speech under a budget', () => {
  const body = { model: 'm', input: 'Hello there.', voice: 'alloy' }

  it('costs its characters', async () => {
    up.script((_, response) => response.writeHead(200, { 'content-type': 'audio/mpeg' }).end('audio'))
    const { ask, spent, held } = await start(serving({ price: { input: 0, output: 0, characters: 15 } }), {
      budget: 300_000,
    })
    expect((await ask(body, { path: '/audio/speech' })).status).toBe(200)
    expect([await spent(), await held()]).toEqual([12 * 15_000, 0])
    expect((await ask(body, { path: '/audio/speech' })).status).toBe(429)
  })

  it('costs the most that it may where its tokens are billed, and no answer tells them', async () => {
    up.script((_, response) => response.writeHead(200, { 'content-type': 'audio/mpeg' }).end('audio'.repeat(2_000)))
    const { ask, rows, spent } = await start(serving({ price }), { budget: dollar })
    expect((await ask(body, { path: '/audio/speech' })).status).toBe(200)
    expect(rows).toMatchObject([{ usageSource: 'estimated', booked: await spent() }])
    expect(await spent()).toBeGreaterThan(1_000_000)
  })
})

describe('Transcriptions under a budget', () => {
  async function transcribe(bytes: number, seconds: number, limit: number) {
    up.script(json(200, { text: 'hi', usage: { type: 'duration', seconds } }))
    const started = await start(serving({ price: { input: 0, output: 0, minute: 0.006 } }), { budget: limit })
    const form = new FormData()
    form.set('model', 'm')
    form.set('file', new Blob([new Uint8Array(bytes)], { type: 'audio/mpeg' }), 'a.mp3')
    const address = `${started.gateway.baseURL}/audio/transcriptions`
    const reply = await fetch(address, { method: 'POST', headers, body: form })
    return { status: reply.status, text: await reply.text(), spent: await started.spent(), held: await started.held() }
  }

  it('cost the seconds that the answer tells, and are bounded by the length of the file', async () => {
    expect(await transcribe(100_000, 7, dollar)).toMatchObject({ status: 200, spent: 700_000, held: 0 })
    // 201 seconds at most, at 100,000 nano-dollars each.
    expect(await transcribe(100_000, 7, 20_100_000)).toMatchObject({ status: 200 })
    expect(await transcribe(100_000, 7, 20_000_000)).toMatchObject({ status: 429, spent: 0 })
  })

  it('are refused where most of a large file is still to come', async () => {
    const reply = await transcribe(9 * 1024 * 1024, 7, 100 * dollar)
    expect(reply).toMatchObject({ status: 400, text: expect.stringContaining('unbounded_cost') })
    expect(reply.text).toContain('an upload of more than 8 MB')
  })
})

describe('What has no bound', () => {
  it('is refused in words that say what it is', async () => {
    const { ask, gateway } = await start(serving({ price }), { budget: dollar })
    const compaction = await ask({ model: 'm', input: 'hi' }, { path: '/responses/compact' })
    expect([compaction.status, errorOf(compaction)]).toEqual([
      400,
      expect.objectContaining({ code: 'unbounded_cost', message: expect.stringContaining('a compaction') }),
    ])
    const session = connectSocket(`${gateway.baseURL}/realtime?model=m`, { headers })
    await expect(session).rejects.toMatchObject({ status: 400, body: expect.stringContaining('a Realtime session') })
  })
})
