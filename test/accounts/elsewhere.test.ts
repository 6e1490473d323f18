import { describe, expect, it } from 'vitest'
import { chat } from '../support/ask.ts'
import { mp3, wave } from '../support/audio.ts'
import { serveUpstreams } from '../support/gateway.ts'
import { dollar, headers, inTime, payingStarter } from '../support/paying.ts'
import { message, response } from '../support/responses.ts'
import { chatAnswer, json } from '../support/upstream.ts'

const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 }
const { up } = serveUpstreams({ up: json(200, { ...(chatAnswer('hello') as object), usage }) })
const start = payingStarter()

/** A token of input costs 1,000 nano-dollars, one of output 10,000. */
const price = { input: 1, output: 10 }
const config = (more: { fileTokens?: number; imageTokens?: number } = {}) => ({
  providers: { up: { type: 'openai-compatible' as const, baseURL: up.url } },
  models: { m: { deployments: [{ model: 'up/m', price, ...more }], retries: 0 } },
})

const user = (...content: object[]) => [{ role: 'user', content }]
const chats = (...content: object[]) => chat('m', { max_tokens: 100, messages: user(...content) })
const claudes = (...content: object[]) => ({ model: 'm', max_tokens: 100, messages: user(...content) })
const responses = (...content: object[]) => ({ model: 'm', store: false, input: user(...content) })
const geminis = (...parts: object[]) => ({ contents: [{ role: 'user', parts }] })

const routes = {
  chats: { path: '/chat/completions' },
  claudes: { path: '/messages' },
  responses: { path: '/responses' },
  geminis: { path: '/../v1beta/models/m:generateContent' },
}

const page = 'https://a.b/long.pdf'
/** Longer than what an outline has of a text, in a body that is long enough for one. */
const signed = `${page}?signature=${'s'.repeat(600)}`
const filler = { type: 'text', text: 'w'.repeat(20_000) }
const pdf = `data:application/pdf;base64,${'A'.repeat(1_000)}`
const data = 'A'.repeat(1_000)
const text = `data:text/plain;base64,${data}`
const recording = (format: string, data: string) => ({ type: 'input_audio', input_audio: { data, format } })
const document = (source: object) => ({ type: 'document', source })
const ollamas = (more: object) => ({ model: 'm', stream: false, messages: [{ role: 'user', content: 'hi', ...more }] })
const ranked = (...documents: object[]) => ({ model: 'm', query: 'hi', documents })
const vectors = '/../v1beta/models/m'
const responsesOf = (...input: object[]) => ({ ...responses(), input })
const said = { role: 'assistant', content: 'hi' }

describe('What a request under a budget only refers to', () => {
  it.each([
    ['a file (up/m has no `fileTokens`)', routes.chats, chats({ type: 'file', file: { file_id: 'file-1' } })],
    ['a file (up/m has no `fileTokens`)', routes.chats, chats({ type: 'file', file_id: 'file-1' })],
    [
      'a file (up/m has no `fileTokens`)',
      routes.chats,
      chats({ type: 'file', file: { filename: 'a.pdf', file_data: page } }),
    ],
    ['a file (up/m has no `fileTokens`)', routes.chats, chats(filler, { type: 'file', file: { file_data: signed } })],
    ['a file with the field `more`', routes.chats, chats({ type: 'file', file: { file_data: pdf, more: 1 } })],
    [
      'a video (up/m has no `fileTokens`)',
      routes.chats,
      chats({ type: 'video_url', video_url: { url: 'https://a.b/c.mp4' } }),
    ],
    [
      'a video (up/m has no `fileTokens`)',
      routes.chats,
      chats(filler, { type: 'video_url', video_url: { url: signed } }),
    ],
    [
      'a recording (up/m has no `fileTokens`)',
      routes.chats,
      chats({ type: 'audio_url', audio_url: { url: 'gs://a/b.mp3' } }),
    ],
    [
      'a recording (up/m has no `fileTokens`)',
      routes.chats,
      chats({ type: 'input_audio', input_audio: { data: page } }),
    ],
    ['a document (up/m has no `fileTokens`)', routes.chats, chats({ type: 'document_url', document_url: page })],
    ['content of the type `video`', routes.chats, chats({ type: 'video', video: ['https://a.b/c.jpg'] })],
    ['content of the type `video_url`', routes.chats, chats({ video_url: { url: 'https://a.b/c.mp4' } })],
    ['a file (up/m has no `fileTokens`)', routes.responses, responses({ type: 'input_file', file_url: page })],
    ['a file (up/m has no `fileTokens`)', routes.responses, responses({ type: 'input_file', file_id: 'file-1' })],
    [
      'a file (up/m has no `fileTokens`)',
      routes.responses,
      responses(filler, { type: 'input_file', file_url: signed }),
    ],
    ['content of the type `input_video`', routes.responses, responses({ type: 'input_video', video_url: page })],
    ['content of the type `input_file`', routes.responses, responsesOf({ type: 'input_file', file_url: page })],
    ['content of the type `memory`', routes.responses, responsesOf(said, { type: 'memory', id: 'mem_1' })],
    [
      'a file (up/m has no `fileTokens`)',
      routes.responses,
      responsesOf({ type: 'function_call_output', call_id: 'a', output: [{ type: 'input_file', file_url: page }] }),
    ],
    [
      'the tool web_search',
      routes.responses,
      responsesOf(said, { type: 'additional_tools', role: 'developer', tools: [{ type: 'web_search' }] }),
    ],
    ['a document (up/m has no `fileTokens`)', routes.claudes, claudes(document({ type: 'url', url: page }))],
    ['a document (up/m has no `fileTokens`)', routes.claudes, claudes(document({ type: 'file', file_id: 'file_1' }))],
    [
      'a document (up/m has no `fileTokens`)',
      routes.claudes,
      claudes({ type: 'tool_result', tool_use_id: 'a', content: [document({ type: 'url', url: page })] }),
    ],
    ['content of the type `container_upload`', routes.claudes, claudes({ type: 'container_upload', file_id: 'f' })],
    ['a file (up/m has no `fileTokens`)', routes.geminis, geminis({ fileData: { fileUri: 'https://youtu.be/abc' } })],
    [
      'a file (up/m has no `fileTokens`)',
      routes.geminis,
      geminis({ file_data: { file_uri: page, mime_type: 'image/png' } }),
    ],
    [
      'a file (up/m has no `fileTokens`)',
      routes.geminis,
      geminis({ functionResponse: { name: 'f', response: {}, parts: [{ fileData: { fileUri: page } }] } }),
    ],
    [
      'content of the type `videoMetadata`',
      routes.geminis,
      geminis({ inlineData: { mimeType: 'video/mp4', data: 'AAAA' }, videoMetadata: { fps: 24 } }),
    ],
  ])('is refused, as nobody knows its length: %s', async (what, route, asked) => {
    const { ask } = await start(config(), { budget: dollar })
    const reply = await ask(asked, route)
    expect([reply.status, reply.text]).toEqual([400, expect.stringContaining(what)])
    expect(up.seen).toHaveLength(0)
  })

  it('goes on where the key may ask for what has no bound', async () => {
    const { ask } = await start(config(), { budget: dollar, allowUnbounded: true })
    expect((await ask(chats({ type: 'file', file: { file_id: 'file-1' } }))).status).toBe(200)
  })

  it('goes on where nothing is to be paid out of a budget', async () => {
    const { ask } = await start(config(), {})
    expect((await ask(chats({ type: 'video_url', video_url: { url: page } }))).status).toBe(200)
  })
})

describe('What a request under a budget has in itself', () => {
  it.each([
    ['a chat’s recordings', routes.chats, chats(recording('wav', wave()), recording('mp3', mp3))],
    ['a long recording', routes.chats, chats(recording('wav', wave({ more: 20_000 })))],
    [
      'a recording with an address of its own',
      routes.chats,
      chats({ type: 'audio_url', audio_url: { url: `data:audio/wav;base64,${wave()}` } }),
    ],
    ['a chat’s text without a type', routes.chats, chats({ text: 'hi' })],
    ['a chat’s refusal', routes.chats, chats(filler, { type: 'refusal', refusal: 'no' })],
    [
      'a message’s documents',
      routes.claudes,
      claudes(
        document({ type: 'text', media_type: 'text/plain', data: 'hi' }),
        document({ type: 'content', content: [{ type: 'text', text: 'hi' }] }),
      ),
    ],
    [
      'Gemini’s contents',
      routes.geminis,
      geminis(
        { text: 'hi', thoughtSignature: 'AAAA' },
        { inline_data: { mime_type: 'text/plain', data: 'AAAA' } },
        { inlineData: { mimeType: 'audio/mpeg', data: mp3 } },
      ),
    ],
  ])('is bounded by its bytes: %s', async (_, route, asked) => {
    const { ask } = await start(config(), { budget: dollar })
    const reply = await ask(asked, route)
    expect([reply.status, reply.text]).toEqual([200, expect.stringContaining('hello')])
  })

  const png = 'iVBORw0KGgoAAAANSUhEUg=='
  const localShell = { type: 'shell', environment: { type: 'local' } }
  const picture = { type: 'image', source: { type: 'url', url: 'https://a.b/c' } }
  const seen = { type: 'input_image', image_url: 'https://a.b/c' }
  const shown = (mimeType: string) => ({ inlineData: { mimeType, data: 'iVBORw0KGgo=' } })
  const deep = (block: object, depth: number): object =>
    depth === 0 ? block : document({ type: 'content', content: [deep(block, depth - 1)] })
  const file = { filename: 'a.pdf', file_data: pdf }
  const films = `data:video/mp4;base64,${'A'.repeat(1_000)}`
  const packed: readonly (readonly [string, { path: string }, object])[] = [
    ['a chat’s file', routes.chats, chats({ type: 'file', file })],
    ['a long chat’s file', routes.chats, chats(filler, { type: 'file', file })],
    [
      'a text, which a server may take for a document',
      routes.chats,
      chats({ type: 'file', file: { file_data: text } }),
    ],
    ['a chat’s video', routes.chats, chats({ type: 'video_url', video_url: { url: films } })],
    ['a document in place of a picture', routes.chats, chats({ type: 'image_url', image_url: { url: pdf } })],
    ['one in a long chat', routes.chats, chats(filler, { type: 'image_url', image_url: { url: pdf } })],
    [
      'one whose kind is written in another way',
      routes.chats,
      chats(filler, { type: 'image_url', image_url: { url: ` DATA:Application/pdf;base64,${'A'.repeat(1_000)}` } }),
    ],
    ['a picture elsewhere than in the web', routes.chats, chats({ type: 'image_url', image_url: { url: 'gs://a/b' } })],
    ['silence that is packed', routes.chats, chats(recording('flac', 'ZkxhQw=='))],
    ['one sample a second', routes.chats, chats(recording('wav', wave({ samples: 1 })))],
    ['a long one', routes.chats, chats(recording('wav', wave({ samples: 1, more: 20_000 })))],
    ['another format by the name of MP3', routes.chats, chats(recording('mp3', 'T2dnUw=='))],
    ['a response’s file', routes.responses, responses({ type: 'input_file', ...file })],
    [
      'a document in place of a response’s picture',
      routes.responses,
      responses({ type: 'input_image', image_url: pdf }),
    ],
    [
      'a message’s document',
      routes.claudes,
      claudes(document({ type: 'base64', media_type: 'application/pdf', data })),
    ],
    [
      'a document in place of a message’s picture',
      routes.claudes,
      claudes({ type: 'image', source: { type: 'base64', media_type: 'application/pdf', data } }),
    ],
    ['Gemini’s document', routes.geminis, geminis({ inline_data: { mime_type: 'application/pdf', data } })],
    ['Gemini’s recording', routes.geminis, geminis({ inlineData: { mimeType: 'audio/ogg', data } })],
    [
      'Gemini’s video in what a function gave',
      routes.geminis,
      geminis({
        functionResponse: { name: 'f', response: {}, parts: [{ inlineData: { mimeType: 'video/mp4', data } }] },
      }),
    ],
    [
      'a document among a response’s instructions',
      routes.responses,
      { ...responses(), instructions: [{ role: 'user', content: [{ type: 'input_file', ...file }] }] },
    ],
    [
      'a picture among others that is a list',
      routes.chats,
      chats({ type: 'image_url', image_url: { url: ['gs://a'] } }),
    ],
    [
      'a document among the pictures of an earlier answer',
      routes.chats,
      { ...chats(), messages: [{ role: 'assistant', images: [{ type: 'image_url', image_url: { url: pdf } }] }] },
    ],
    [
      'two kinds in one',
      routes.claudes,
      claudes({ type: 'image', source: { type: 'base64', media_type: 'image/png,application/pdf', data } }),
    ],
    [
      'Ollama’s pictures',
      { path: '/../api/chat' },
      ollamas({ images: [`data:image/x,application/pdf;base64,${data}`] }),
    ],
    [
      'what is ranked, in parts',
      { path: '/rerank' },
      ranked({ content: [{ type: 'video_url', video_url: { url: page } }] }),
    ],
    ['what is ranked, further inside', { path: '/rerank' }, ranked({ file: { file_data: pdf } })],
    [
      'what becomes a vector',
      { path: `${vectors}:embedContent` },
      { content: { parts: [{ fileData: { fileUri: page } }] } },
    ],
    [
      'what become vectors',
      { path: `${vectors}:batchEmbedContents` },
      { requests: [{ content: { parts: [{ inline_data: { mime_type: 'video/mp4', data } }] } }] },
    ],
    [
      'a video that is to be judged',
      { path: '/moderations' },
      { model: 'm', input: [{ type: 'video', video: films }] },
    ],
    [
      'a document that is to be judged',
      { path: '/moderations' },
      { model: 'm', input: [{ type: 'image_url', image_url: { url: pdf } }] },
    ],
    ['what is ranked, by other names', { path: '/rerank' }, ranked({ Video: page, videos: [page] })],
    [
      'Gemini’s system',
      routes.geminis,
      { ...geminis({ text: 'hi' }), systemInstruction: { fileData: { fileUri: page } } },
    ],
    [
      'a list in a list',
      routes.responses,
      { ...responses(), input: [[{ role: 'user', content: [[{ type: 'input_file', ...file }]] }]] },
    ],
    ['what looks like the mark of a long text', routes.chats, chats(recording('ogg', '\u00001234data:T2dnUw'))],
    [
      'a picture that looks like one',
      routes.chats,
      chats({ type: 'image_url', image_url: { url: '\u00001data:a/pdf' } }),
    ],
    ['a video that is to be ranked', { path: '/rerank' }, { model: 'm', query: 'hi', documents: [{ video: films }] }],
  ]

  it.each(packed)('may be packed, and is refused where no model says what it takes: %s', async (_, route, asked) => {
    const { ask } = await start(config(), { budget: dollar })
    const reply = await ask(asked, route)
    expect([reply.status, reply.text]).toEqual([400, expect.stringContaining('(up/m has no `fileTokens`)')])
    expect(up.seen).toHaveLength(0)
  })

  it.each(packed)('holds what `fileTokens` says: %s', async (_, route, asked) => {
    const poor = await start(config({ fileTokens: 100_000 }), { budget: dollar / 10 })
    expect([429, 402]).toContain((await poor.ask(asked, route)).status)
    expect(up.seen).toHaveLength(0)
    const rich = await start(config({ fileTokens: 100_000 }), { budget: dollar })
    const reply = await rich.ask(asked, route)
    // What the server that answers can't be asked is refused for that alone.
    expect([reply.status, reply.text]).not.toEqual([expect.toBeOneOf([402, 429]), expect.anything()])
    expect(reply.text).not.toContain('nobody can tell')
  })

  it('holds them for each file, and nothing for its bytes', async () => {
    const long = { filename: 'a.pdf', file_data: `data:application/pdf;base64,${'A'.repeat(1_000_000)}` }
    const two = chats({ type: 'file', file: long }, { type: 'file', file: { file_id: 'file-1' } })
    const { ask, clock } = await start(config({ fileTokens: 100_000 }), { budget: (dollar * 21) / 100 })
    expect(await inTime(clock, ask(two))).toMatchObject({ status: 200 })
    const poor = await start(config({ fileTokens: 100_000 }), { budget: (dollar * 20) / 100 })
    expect((await poor.ask(two)).status).toBe(429)
  })

  it('holds its bytes as well where a text could tell another length than it has', async () => {
    const long = { filename: 'a.pdf', file_data: `data:application/pdf;base64,${'A'.repeat(200_000)}` }
    const forged = { type: 'text', text: '\u0000900000000' }
    const { ask } = await start(config({ fileTokens: 1_000 }), { budget: dollar / 10 })
    expect((await ask(chats({ type: 'file', file: long }))).status).toBe(200)
    expect((await ask(chats({ type: 'file', file: long }, forged))).status).toBe(429)
  })

  it('is taken where nothing is to be paid for it, whatever says so', async () => {
    const none = {
      deployments: [
        { model: 'up/m', price: { input: 0, output: 0 } },
        { model: 'up/n', price, fileTokens: 9 },
      ],
    }
    const { ask } = await start({ ...config(), models: { m: none } }, { budget: dollar })
    expect((await ask(chats({ type: 'file', file }))).status).toBe(200)
  })

  it.each([
    ['a chat', routes.chats, `"messages":[],"messages":[{"role":"user","content":"hi"}]`],
    ['a chat', routes.chats, `"messages":[{"role":"user","content":"hi","cont\\u0065nt":"hi"}]`],
    ['Gemini’s contents', routes.geminis, `"contents":[{"parts":[{"text":"hi","text":"hi"}]}]`],
  ])('is refused where a field is there twice, of which a server may read either: %s', async (_, route, text) => {
    const { gateway } = await start(config(), { budget: dollar })
    const body = `{"model":"m",${text}}`
    const reply = await fetch(`${gateway.baseURL}${route.path}`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body,
    })
    expect([reply.status, await reply.text()]).toEqual([400, expect.stringContaining('which is there twice')])
    expect(up.seen).toHaveLength(0)
  })

  it('is words where it only looks like a picture', async () => {
    const words = `data:image/png;base64,${'A'.repeat(200_000)}`
    const shaped = { type: 'input_image', image_url: words }
    const schema = { type: 'object', properties: { a: { type: 'object', default: shaped } } }
    const found = {
      type: 'tool_search_output',
      call_id: 'a',
      tools: [{ type: 'function', name: 'f', parameters: schema }],
    }
    const known = config({ imageTokens: 1_000 })
    const poor = await start(known, { budget: dollar / 10 })
    const limited = { max_output_tokens: 16 }
    expect((await poor.ask({ ...responsesOf(said, found), ...limited }, routes.responses)).status).toBe(429)
    expect((await poor.ask({ ...responses(shaped), ...limited }, routes.responses)).status).not.toBe(429)
  })

  it.each([
    ['a chat', routes.chats, { ...chats(), messages: [{ role: 'user', Content: [{ type: 'file' }] }] }],
    ['a chat', routes.chats, { ...chats(), messages: [{ role: 'user', content: 'hi', media: ['https://a.b/c'] }] }],
    ['a chat', routes.chats, { ...chats({ type: 'text', text: 'hi' }), tools: ['web_search'] }],
    ['a chat', routes.chats, { ...chats({ type: 'text', text: 'hi' }), tools: [[{ type: 'web_search' }]] }],
    ['a response', routes.responses, responsesOf({ type: 'additional_tools', tools: { type: 'web_search' } })],
    ['Ollama’s chat', { path: '/../api/chat' }, ollamas({ Images: [data] })],
  ])('is refused where only some servers read it: %s', async (_, route, asked) => {
    const { ask } = await start(config({ fileTokens: 1, imageTokens: 1 }), { budget: dollar })
    const reply = await ask(asked, route)
    expect([reply.status, reply.text]).toEqual([400, expect.stringContaining('nobody can tell beforehand what')])
  })

  it.each([
    [
      'a document’s fields',
      { path: '/rerank' },
      ranked({ text: 'a', video: null, pdf: '', audio: false, image: 'p/1.png' }),
    ],
    ['what is said of a picture', { path: '/rerank' }, ranked({ image: { alt: 'a cat' }, metadata: { file_id: '1' } })],
    [
      'a computer’s tools',
      routes.responses,
      { ...responses(), input: 'hi', tools: [{ type: 'computer_use_preview' }] },
    ],
    ['a shell of the client’s', routes.responses, { ...responses(), input: 'hi', tools: [localShell] }],
    [
      'a picture of any kind',
      routes.chats,
      chats({ type: 'image_url', image_url: { url: 'data:image/*;base64,AAAA' } }),
    ],
    ['a picture of no kind', routes.chats, chats({ type: 'image_url', image_url: { url: `data:;base64,${png}` } })],
  ])('goes on where it holds nothing else: %s', async (_, route, asked) => {
    const { ask } = await start(config(), { budget: dollar })
    expect((await ask(asked, route)).text).not.toContain('nobody can tell')
  })

  it('holds all of what is read with each document, whatever a query looks like', async () => {
    const query = `\u00001data:${'q'.repeat(10_000)}`
    const { ask } = await start(config(), { budget: dollar })
    const documents = Array.from({ length: 1_000 }, () => 'a')
    expect((await ask({ model: 'm', query, documents }, { path: '/rerank' })).status).toBe(429)
    expect((await ask({ model: 'm', query: 'q', documents }, { path: '/rerank' })).status).not.toBe(429)
  })

  it('holds a prediction as what is written, as it is billed where it was wrong', async () => {
    const predicted = (length: number) => ({
      ...chats({ type: 'text', text: 'hi' }),
      prediction: { type: 'content', content: 'w'.repeat(length) },
    })
    const { ask } = await start(config(), { budget: dollar / 10 })
    expect((await ask(predicted(10_000))).status).toBe(429)
    expect((await ask(predicted(100))).status).toBe(200)
  })

  it.each([
    [
      'Ollama’s pictures in a chat',
      routes.chats,
      { ...chats(), messages: [{ role: 'user', content: 'hi', images: [png] }] },
    ],
    ['Anthropic’s system', routes.claudes, { ...claudes(), system: [picture] }],
    ['Gemini’s', routes.geminis, { ...geminis({ text: 'hi' }), systemInstruction: { parts: [shown('image/png')] } }],
    ['Gemini’s, in capitals', routes.geminis, geminis(shown('IMAGE/PNG'))],
    ['a document in documents', routes.claudes, claudes(deep(picture, 5))],
    [
      'a response’s instructions',
      routes.responses,
      { ...responses(), instructions: [{ role: 'user', content: [seen] }] },
    ],
    ['what is ranked', { path: '/rerank' }, ranked({ image: 'https://a.b/c' })],
  ])('holds a picture wherever it is: %s', async (_, route, asked) => {
    const { ask } = await start(config(), { budget: 48_169_000 })
    expect([402, 429]).toContain((await ask(asked, route)).status)
    expect(up.seen).toHaveLength(0)
  })

  it('is taken by the models that say so of all that cost something', async () => {
    const said = { ...config({ fileTokens: 1_000 }) }
    const both = { deployments: [...said.models.m.deployments, { model: 'up/n', price }], retries: 0 }
    const { ask } = await start({ ...said, models: { m: both } }, { budget: dollar })
    expect((await ask(chats({ type: 'file', file }))).text).toContain('(up/n has no `fileTokens`)')
    const free = { deployments: [...said.models.m.deployments, { model: 'own/n', order: 2 }] }
    const own = { type: 'ollama' as const, baseURL: up.url }
    const other = await start({ providers: { ...said.providers, own }, models: { m: free } }, { budget: dollar })
    expect((await other.ask(chats({ type: 'file', file }))).status).toBe(200)
  })

  it('costs what was held where nobody tells what it took', async () => {
    up.script((_, response) => response.destroy())
    const { ask, spent, clock } = await start(config({ fileTokens: 100_000 }), { budget: dollar })
    await inTime(clock, ask(chats({ type: 'file', file })))
    expect(await spent()).toBeGreaterThan(100_000_000)
  })

  it('may look like a reference where it is only the argument of a tool', async () => {
    const { ask } = await start(config(), { budget: dollar })
    const called = { type: 'tool_use', id: 'a', name: 'f', input: { content: [document({ type: 'url', url: page })] } }
    const result = { type: 'tool_result', tool_use_id: 'a', content: 'done' }
    const messages = [{ role: 'assistant', content: [called] }, ...user(result)]
    expect((await ask({ ...claudes(), messages }, routes.claudes)).status).toBe(200)
  })
})

describe('What was said before and is kept by a provider', () => {
  it.each([
    ['an item', routes.responses, responsesOf({ type: 'item_reference', id: 'msg_1' }, said)],
    ['an item without a type', routes.responses, responsesOf({ id: 'msg_1' }, said)],
    [
      'a spoken answer',
      routes.chats,
      chat('m', { max_tokens: 100, messages: [{ role: 'assistant', audio: { id: 'audio_1' } }, ...user(filler)] }),
    ],
  ])('is refused under a budget: %s', async (_, route, asked) => {
    const { ask } = await start(config(), { budget: dollar })
    const reply = await ask(asked, route)
    expect([reply.status, reply.text]).toEqual([400, expect.stringContaining('what an earlier exchange that')])
    expect(up.seen).toHaveLength(0)
  })

  it('goes on where the whole of it is there', async () => {
    const { ask } = await start(config(), { budget: dollar })
    const call = { type: 'function_call', call_id: 'a', name: 'f', arguments: '{}' }
    const output = { type: 'function_call_output', call_id: 'a', output: [{ type: 'input_text', text: 'done' }] }
    const shell = [
      { type: 'shell_call', call_id: 'b', action: { commands: ['ls'] } },
      { type: 'shell_call_output', call_id: 'b', output: [{ stdout: 'a', stderr: '', outcome: { type: 'exit' } }] },
    ]
    const tools = [{ type: 'function', name: 'f', parameters: {} }]
    const brought = { type: 'additional_tools', role: 'developer', tools }
    const input = [
      brought,
      ...shell,
      said,
      { role: 'user', content: 'hi' },
      { type: 'reasoning', id: 'rs_1', summary: [] },
      call,
      output,
    ]
    expect((await ask(responsesOf(...input), routes.responses)).status).toBe(200)
    const messages = [
      { ...said, audio: null },
      { role: 'user', content: 'hi' },
    ]
    expect((await ask(chat('m', { max_tokens: 100, messages }))).status).toBe(200)
  })
})

describe('An item of an earlier response, where the provider makes responses itself', () => {
  const native = () => ({
    ...config(),
    providers: { up: { type: 'openai' as const, baseURL: up.url, apiKey: 'env:UP_KEY' } },
  })
  const thought = { type: 'reasoning', id: 'rs_1', summary: [] }
  const part = { type: 'summary_text', text: 'so' }
  const hello = { type: 'message', role: 'assistant', id: 'msg_1' }

  it.each([
    ['what a server found', { type: 'web_search_call', id: 'ws_1', status: 'completed', results: [{}] }],
    ['what a tool of another server said', { type: 'mcp_call', id: 'mcp_1', name: 'f', arguments: '{}' }],
    ['tools of another server', { type: 'mcp_list_tools', id: 'mcpl_1', server_label: 'a', tools: [] }],
    ['a compaction', { type: 'compaction', id: 'cmp_1' }],
    ['a search', { type: 'web_search_call', id: 'ws_1', status: 'completed', action: { type: 'search', query: 'q' } }],
    ['a search of files', { type: 'file_search_call', id: 'fs_1', status: 'completed', queries: [], results: null }],
    ['code', { type: 'code_interpreter_call', id: 'ci_1', container_id: 'c', code: '1', outputs: null }],
  ])('is refused under a budget if only its id is there: %s', async (_, item) => {
    const { ask } = await start(native(), { budget: dollar })
    const reply = await ask(responsesOf(said, item), routes.responses)
    expect([reply.status, reply.text]).toEqual([400, expect.stringContaining('what an earlier exchange that')])
    expect((await ask(responsesOf(filler, item), routes.responses)).status).toBe(400)
    expect(up.seen).toHaveLength(0)
  })

  it.each([
    ['a thought', thought],
    ['a thought with its summary', { ...thought, summary: [part], encrypted_content: null, content: [] }],
    ['a thought in place of its text', { ...thought, encrypted_content: '' }],
    ['a thought with an empty part', { ...thought, content: [{ type: 'reasoning_text' }] }],
    ['a message', hello],
    ['a message with an empty part', { ...hello, content: [{ type: 'output_text', text: '' }] }],
    ['a message without its type', { role: 'assistant', id: 'msg_1', content: [] }],
    ['a call', { type: 'function_call', id: 'fc_1', call_id: 'a', name: 'f' }],
  ])('holds what an answer has at most if only its id is there: %s', async (_, item) => {
    const poor = await start(native(), { budget: (dollar * 26) / 100 })
    const two = responsesOf(said, item, { role: 'user', content: 'hi' }, item)
    const limited = { ...two, max_output_tokens: 16 }
    expect((await poor.ask(limited, routes.responses)).status).toBe(429)
    expect(up.seen).toHaveLength(0)
    const rich = await start(native(), { budget: (dollar * 27) / 100 })
    up.script(json(200, response('completed', { output: [message('Hi.')] })))
    expect((await rich.ask(limited, routes.responses)).status).toBe(200)
  })

  it.each([
    ['a thought that Codex sends', { type: 'reasoning', summary: [part], encrypted_content: 'gAAAA' }],
    ['a thought that OpenAI’s agents send', { ...thought, encrypted_content: 'gAAAA' }],
    ['a long thought', { ...thought, encrypted_content: 'g'.repeat(20_000) }],
    ['an open thought', { ...thought, content: [{ type: 'reasoning_text', text: 'so' }] }],
    ['a thought without a name', { type: 'reasoning', summary: [part] }],
    [
      'a search without a name',
      { type: 'web_search_call', status: 'completed', action: { type: 'search', query: 'q' } },
    ],
    ['a message', { ...hello, content: [{ type: 'output_text', text: 'hi' }] }],
    ['a call', { type: 'function_call', id: 'fc_1', call_id: 'a', name: 'f', arguments: '{}' }],
    ['a picture', { type: 'image_generation_call', id: 'ig_1' }],
  ])('goes on with what it says: %s', async (_, item) => {
    const { ask } = await start(native(), { budget: dollar })
    up.script(json(200, response('completed', { output: [message('Hi.')] })))
    expect((await ask(responsesOf(said, item), routes.responses)).status).toBe(200)
  })

  it('goes on by its id for a key that may ask for what has no bound', async () => {
    const { ask } = await start(native(), { budget: dollar, allowUnbounded: true })
    up.script(json(200, response('completed', { output: [message('Hi.')] })))
    expect((await ask(responsesOf(said, thought), routes.responses)).status).toBe(200)
  })
})
