import { describe, expect, it } from 'vitest'
import { errorOf } from '../support/ask.ts'
import { serveUpstreams } from '../support/gateway.ts'
import { dollar, headers, payingStarter } from '../support/paying.ts'
import { json } from '../support/upstream.ts'

const { up } = serveUpstreams({ up: json(200, {}) })
const start = payingStarter()

/** A token of input costs 1,000 nano-dollars, one of output 10,000. */
const config = () => ({
  providers: { up: { type: 'openai-compatible' as const, baseURL: up.url } },
  models: { m: { deployments: [{ model: 'up/m', price: { input: 1, output: 10 } }], retries: 0 } },
})
const recording = new Blob([new Uint8Array(1_000)], { type: 'audio/mpeg' })
const picture = new Blob([new Uint8Array(1_000)], { type: 'image/png' })

/** A form with these parts after its model; a file is called `a`. */
function formOf(...parts: readonly (readonly [string, string | Blob])[]): FormData {
  const form = new FormData()
  form.append('model', 'm')
  for (const [name, value] of parts) {
    if (typeof value === 'string') form.append(name, value)
    else form.append(name, value, 'a')
  }
  return form
}

type Started = Awaited<ReturnType<typeof start>>

async function send({ gateway, ask }: Started, path: string, asked: object) {
  if (!(asked instanceof FormData)) return await ask(asked, { path })
  const reply = await fetch(gateway.baseURL + path, { method: 'POST', headers, body: asked })
  return { status: reply.status, headers: reply.headers, text: await reply.text() }
}

const images = (more: object) => ({ model: 'm', prompt: 'a cat', ...more })
const edits = (more: object) => images({ images: [{ image_url: 'https://a.b/c' }], ...more })
const speech = (more: object) => ({ model: 'm', input: 'Hello.', voice: 'alloy', ...more })
const embeddings = (more: object) => ({ model: 'm', input: 'hi', ...more })
const rerank = (more: object) => ({ model: 'm', query: 'hi', documents: ['a', 'b'], ...more })
const heard = (...parts: readonly (readonly [string, string | Blob])[]) => formOf(['file', recording], ...parts)
const edited = (...parts: readonly (readonly [string, string | Blob])[]) =>
  formOf(['prompt', 'a cat'], ['image', picture], ...parts)
const spaces = ' '.repeat(70_000)

describe('A field of which nobody knows what it costs', () => {
  const cases: readonly (readonly [string, string, object])[] = [
    ['/images/generations', 'steps', images({ steps: 50 })],
    ['/images/generations', 'width', images({ width: 4_096 })],
    ['/images/generations', 'num_images', images({ num_images: 8 })],
    ['/images/generations', 'sequential_image_generation', images({ sequential_image_generation: 'auto' })],
    ['/images/generations', 'steps', images({ fallbacks: [{ model: 'm', steps: 50 }] })],
    ['/images/edits', 'steps', edits({ steps: 50 })],
    ['/images/edits', 'steps', edited(['steps', '50'])],
    ['/images/edits', 'extra_body[steps]', edited(['extra_body[steps]', '50'])],
    ['/images/edits', 'reference', edited(['reference', picture])],
    ['/images/variations', 'num_images', formOf(['image', picture], ['num_images', '8'])],
    ['/audio/speech', 'max_new_tokens', speech({ max_new_tokens: 9_999 })],
    ['/audio/transcriptions', 'url', heard(['url', 'https://a.b/c'])],
    ['/audio/transcriptions', 'diarize', heard(['diarize', 'true'])],
    ['/audio/translations', 'url', heard(['url', 'https://a.b/c'])],
    ['/embeddings', 'plugins', embeddings({ plugins: [{ id: 'web' }] })],
    ['/moderations', 'plugins', embeddings({ plugins: [{ id: 'web' }] })],
    ['/rerank', 'max_chunks_per_doc', rerank({ max_chunks_per_doc: 1_000 })],
    ['/responses/input_tokens', 'plugins', embeddings({ plugins: [{ id: 'web' }] })],
    ['/messages/count_tokens', 'plugins', { model: 'm', messages: [{ role: 'user', content: 'hi' }], plugins: [] }],
  ]

  it.each(cases)('is refused under a budget at %s: `%s`', async (path, param, asked) => {
    const reply = await send(await start(config(), { budget: dollar }), path, asked)
    expect(reply.status).toBe(400)
    expect(reply.text).toContain(`nobody can tell beforehand what the field \`${param}\` may`)
    if (!path.startsWith('/messages')) expect(errorOf(reply)).toMatchObject({ param, code: 'unbounded_cost' })
    expect(up.seen).toHaveLength(0)
    const allowed = await start(config(), { budget: 100 * dollar, allowUnbounded: true })
    expect((await send(allowed, path, asked)).text).not.toContain('nobody can tell')
  })

  it('has its name cut off where that is long', async () => {
    const reply = await send(
      await start(config(), { budget: dollar }),
      '/embeddings',
      embeddings({ ['x'.repeat(500)]: 1 }),
    )
    expect(reply.text).toContain(`\`${'x'.repeat(100)}\``)
  })
})

describe('A form that a server may read otherwise than it was counted', () => {
  const cases: readonly (readonly [string, string, FormData])[] = [
    ['a number that is there twice', 'n', edited(['n', '1'], ['n', '10'])],
    ['a list of numbers', 'n[]', edited(['n[]', '10'])],
    ['a number that begins a text', 'n', edited(['n', '10 of them'])],
    ['a number in a file', 'n', edited(['n', new Blob(['10'])])],
    ['a number behind many spaces', 'n', edited(['n', `${spaces}10`])],
    ['two service tiers', 'service_tier', edited(['service_tier', 'default'], ['service_tier', 'priority'])],
    ['a picture that is elsewhere', 'image', edited(['image', 'https://a.b/c'])],
    ['one of a list of them', 'image', edited(['image[]', 'https://a.b/c'])],
  ]

  it.each(cases)('is refused for %s', async (_, param, asked) => {
    const reply = await send(await start(config(), { budget: 100 * dollar }), '/images/edits', asked)
    expect([reply.status, errorOf(reply)]).toEqual([400, expect.objectContaining({ param, code: 'unbounded_cost' })])
    expect(up.seen).toHaveLength(0)
  })

  it('is refused for a recording that is elsewhere', async () => {
    const asked = formOf(['file', 'https://a.b/c'])
    const reply = await send(await start(config(), { budget: dollar }), '/audio/transcriptions', asked)
    expect([reply.status, errorOf(reply)]).toEqual([
      400,
      expect.objectContaining({ param: 'file', code: 'unbounded_cost' }),
    ])
  })
})

describe('What is asked of media by usual names', () => {
  const drawn = json(200, { created: 1, data: [{ b64_json: 'AA==' }, { b64_json: 'AA==' }] })
  const said = json(200, { text: 'hi', usage: { type: 'tokens', input_tokens: 1, output_tokens: 1, total_tokens: 2 } })
  const vectors = json(200, { object: 'list', data: [{ object: 'embedding', index: 0, embedding: [1] }], model: 'm' })
  const usage = { prompt_tokens: 1, total_tokens: 1 }
  const ranked = json(200, { results: [{ index: 0, relevance_score: 1 }], usage })
  const openai = { n: 2, size: '1024x1024', quality: 'high', background: 'auto', output_format: 'png', user: 'u' }
  const texts = (fields: object) => Object.entries(fields).map(([name, value]) => [name, String(value)] as const)

  it.each([
    ['/images/generations', drawn, images({ ...openai, style: 'vivid', moderation: 'low', output_compression: 50 })],
    ['/images/generations', drawn, images({ n: 2, seed: 1, negative_prompt: 'dogs', guidance_scale: 7 })],
    ['/images/generations', drawn, images({ n: 2, steps: null })],
    ['/images/edits', drawn, edits({ ...openai, mask: { file_id: 'f' }, input_fidelity: 'high' })],
    ['/images/edits', drawn, edited(...texts({ ...openai, partial_images: 0 }), ['mask', picture])],
    ['/images/edits', drawn, formOf(['image[]', picture], ['image[]', picture], ['n', '2'], ['prompt', spaces])],
    ['/images/variations', drawn, formOf(['image', picture], ...texts({ n: 2, response_format: 'b64_json' }))],
    [
      '/audio/transcriptions',
      said,
      heard(
        ['language', 'en'],
        ['temperature', '0'],
        ['response_format', 'json'],
        ['include[]', 'logprobs'],
        ['timestamp_granularities[]', 'word'],
        ['timestamp_granularities[]', 'segment'],
        ['chunking_strategy[type]', 'server_vad'],
        ['chunking_strategy[threshold]', '0.5'],
        ['known_speaker_names[]', 'Ada'],
        ['known_speaker_references[]', `data:audio/wav;base64,${'A'.repeat(70_000)}`],
        ['hotwords', 'samewire'],
      ),
    ],
    ['/audio/translations', said, heard(['prompt', 'a talk'], ['response_format', 'json'])],
    ['/embeddings', vectors, embeddings({ dimensions: 1, encoding_format: 'float', user: 'u', input_type: 'query' })],
    ['/moderations', json(200, { results: [{ flagged: false }] }), embeddings({})],
    ['/rerank', ranked, rerank({ top_n: 1, return_documents: false, truncation: true })],
  ] as const)('goes on under a budget at %s', async (path, answer, asked) => {
    up.script(answer)
    const reply = await send(await start(config(), { budget: 10 * dollar }), path, asked)
    expect([reply.status, reply.text.slice(0, 300), up.seen.length]).toEqual([200, expect.any(String), 1])
  })

  it('goes on where only the length of it is asked for', async () => {
    const asked = embeddings({ instructions: 'be brief', personality: 'dry' })
    const reply = await send(await start(config(), { budget: dollar }), '/responses/input_tokens', asked)
    expect(JSON.parse(reply.text)).toMatchObject({ input_tokens: expect.any(Number) })
  })

  it('goes on where it is to be spoken', async () => {
    up.script((_, response) => response.writeHead(200, { 'content-type': 'audio/mpeg' }).end('audio'))
    const asked = speech({
      instructions: 'calmly',
      response_format: 'mp3',
      speed: 1,
      lang_code: 'en',
      sample_rate: 8_000,
    })
    expect((await send(await start(config(), { budget: dollar }), '/audio/speech', asked)).status).toBe(200)
  })
})

describe('What a budget holds for what is read', () => {
  it('has a query once for each document, with which it is read', async () => {
    // 1,000 characters with each of 100 documents: some 100,000 tokens, though there are few bytes.
    const many = rerank({ query: 'w'.repeat(1_000), documents: Array.from({ length: 100 }, () => 'a') })
    const reply = await send(await start(config(), { budget: dollar / 10 }), '/rerank', many)
    expect([reply.status, errorOf(reply).code]).toEqual([429, 'insufficient_quota'])
    const one = rerank({ query: 'w'.repeat(1_000), documents: ['a'.repeat(200)] })
    expect((await send(await start(config(), { budget: dollar / 10 }), '/rerank', one)).status).not.toBe(429)
  })

  it('has a picture that is elsewhere', async () => {
    const seen = embeddings({ input: [{ type: 'image_url', image_url: { url: 'https://a.b/c' } }] })
    expect((await send(await start(config(), { budget: 2_000_000 }), '/moderations', seen)).status).toBe(429)
    const read = embeddings({ input: [{ type: 'text', text: 'https://a.b/c' }] })
    expect((await send(await start(config(), { budget: 2_000_000 }), '/moderations', read)).status).not.toBe(429)
  })

  it('has each picture that is to be changed, by whatever name', async () => {
    const sources = Array.from({ length: 16 }, () => ({ image_url: 'https://a.b/c' }))
    for (const more of [{ images: sources }, { image: sources }, { image: sources[0], images: sources }]) {
      const reply = await send(await start(config(), { budget: 250_000_000 }), '/images/edits', edits(more))
      expect(reply.status).toBe(429)
    }
    expect((await send(await start(config(), { budget: 250_000_000 }), '/images/edits', edits({}))).status).not.toBe(
      429,
    )
  })
})
