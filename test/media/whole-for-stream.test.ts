import { randomBytes } from 'node:crypto'
import OpenAI, { toFile } from 'openai'
import { describe, expect, it } from 'vitest'
import { errorOf, eventsOf, type Reply } from '../support/ask.ts'
import { type Runtime, runtimes, serveBoth } from '../support/both.ts'
import { json, type Script, text } from '../support/upstream.ts'

const { upstream, both } = serveBoth('whole-for-stream', (url) => ({
  providers: {
    lab: { type: 'openai-compatible', baseURL: `${url}/v1` },
    other: { type: 'openai-compatible', baseURL: `${url}/other/v1` },
  },
  models: { picture: { deployments: ['lab/img'], fallbacks: ['other/img'] } },
}))

const client = (runtime: Runtime) => new OpenAI({ baseURL: both.addresses[runtime], apiKey: both.key, maxRetries: 0 })
const png = 'iVBORw0KGgo='
const usage = { total_tokens: 9, input_tokens: 4, output_tokens: 5 }
const noReply: Reply = { status: 0, headers: new Headers(), text: '' }
const recording = () => toFile(new Uint8Array(100), 'a.wav')

/** What came of an iterable, in order. */
async function all<T>(given: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const one of given) list.push(one)
  return list
}

/** How often the upstream was asked while `act` ran. */
async function asked(act: () => Promise<unknown>): Promise<number> {
  const before = upstream.seen.length
  await act()
  return upstream.seen.length - before
}

const audio =
  (type: string, bytes: Uint8Array, more: Record<string, string> = {}): Script =>
  (_, response) =>
    response.writeHead(200, { 'content-type': type, ...more }).end(bytes)

/** Servers that make media whole answer a wanted stream with that, and have been paid for it. */
describe.each(runtimes)('A stream wanted of a server that answers whole, on %s,', (runtime) => {
  const images = () =>
    client(runtime).images.generate({ model: 'lab/img', prompt: 'a fox', size: '1024x1024', stream: true })
  const post = (path: string, body: object) => both.ask(runtime, body, path)

  it('is one of its images, asked for once', async () => {
    upstream.script(json(200, { created: 7, data: [{ b64_json: png }, { b64_json: '/9j/AA==' }], usage }))
    let events: unknown[] = []
    expect(await asked(async () => (events = await all(await images())))).toBe(1)
    const common = { type: 'image_generation.completed', created_at: 7, size: '1024x1024', background: 'auto' }
    expect(events).toMatchObject([
      { ...common, b64_json: png, output_format: 'png', usage: { total_tokens: 0 } },
      { ...common, b64_json: '/9j/AA==', output_format: 'jpeg', usage },
    ])
  })

  it('is one of an edited image, also where that is a data URL', async () => {
    upstream.script(json(200, { created: 7, data: [{ url: `data:image/png;base64,${png}` }] }))
    const image = await toFile(Buffer.from(png, 'base64'), 'a.png', { type: 'image/png' })
    const stream = await client(runtime).images.edit({ model: 'lab/img', prompt: 'x', image, stream: true })
    expect(await all(stream)).toMatchObject([{ type: 'image_edit.completed', b64_json: png }])
  })

  it('is a 400 that says why where it has only addresses of images, asked for once', async () => {
    upstream.script(json(200, { created: 7, data: [{ url: 'https://images.example/1.png' }] }))
    const body = { model: 'lab/img', prompt: 'a fox', stream: true }
    let reply = noReply
    expect(await asked(async () => (reply = await post('/images/generations', body)))).toBe(1)
    expect([reply.status, errorOf(reply)]).toMatchObject([400, { code: 'unsupported_parameter', param: 'stream' }])
    expect(errorOf(reply).message).toMatch(/addresses/)
  })

  it('comes from another deployment where it has only addresses of images', async () => {
    upstream.script(
      json(200, { created: 7, data: [{ url: 'https://images.example/1.png' }] }),
      json(200, { created: 8, data: [{ b64_json: png }] }),
    )
    const reply = await post('/images/generations', { model: 'picture', prompt: 'a fox', stream: true })
    expect(reply.headers.get('x-samewire-model')).toBe('other/img')
    expect(eventsOf(reply.text).map(({ event }) => event)).toEqual(['image_generation.completed'])
  })

  it('is an error where it made no image, and is not asked for again', async () => {
    upstream.script(json(200, { created: 7, data: [] }))
    expect(await asked(() => expect(images()).rejects.toMatchObject({ status: 502 }))).toBe(1)
  })

  it('is one of the text that was heard', async () => {
    upstream.script(json(200, { text: 'hello there', language: 'english', usage: { type: 'tokens', total_tokens: 3 } }))
    const hear = async () =>
      all(
        await client(runtime).audio.transcriptions.create({
          ...{ model: 'lab/ear', file: await recording(), stream: true },
        }),
      )
    let events: unknown[] = []
    expect(await asked(async () => (events = await hear()))).toBe(1)
    expect(events).toEqual([
      { type: 'transcript.text.delta', delta: 'hello there' },
      {
        ...{ type: 'transcript.text.done', text: 'hello there', language: 'english' },
        usage: { type: 'tokens', total_tokens: 3 },
      },
    ])
  })

  it.each([
    ['text/plain', 'schöne Grüße\n'],
    ['text/plain', '[Music] hello'],
    ['text/vtt', '<v Roger>hello'],
  ])('is one of a text that came as %s: %j', async (type, words) => {
    upstream.script(text(200, words, type))
    const form = new FormData()
    for (const [name, value] of Object.entries({ model: 'lab/ear', stream: 'true', response_format: 'text' }))
      form.append(name, value)
    form.append('file', new Blob([new Uint8Array(9)]), 'a.wav')
    const response = await fetch(`${both.addresses[runtime]}/audio/transcriptions`, {
      ...{ method: 'POST', body: form, headers: { authorization: `Bearer ${both.key}` } },
    })
    const events = eventsOf(await response.text()).map(({ data }) => JSON.parse(data))
    expect(events.at(-1)).toEqual({ type: 'transcript.text.done', text: words.trimEnd() })
    const deltas = events.slice(0, -1)
    expect(deltas.map(({ type: kind }) => kind)).toContain('transcript.text.delta')
    expect(deltas.map(({ delta }) => delta).join('')).toBe(words.trimEnd())
  })

  it.each([
    ['audio/mpeg', randomBytes(500_000)],
    ['audio/pcm', Buffer.concat([Buffer.from('{"'), randomBytes(1000)])],
    ['audio/pcm', Buffer.concat([Buffer.from(':'), randomBytes(1000)])],
    ['application/octet-stream', Buffer.concat([Buffer.from('ID3'), randomBytes(1000)])],
  ])('is one of its speech as %s', async (type, bytes) => {
    upstream.script(audio(type, bytes))
    const body = { model: 'lab/tts', input: 'hi', voice: 'alloy', stream_format: 'sse' }
    let reply = noReply
    expect(await asked(async () => (reply = await post('/audio/speech', body)))).toBe(1)
    expect(reply.headers.get('content-type')).toMatch(/^text\/event-stream/)
    const events = eventsOf(reply.text)
    expect(events.every(({ data, event }) => JSON.parse(data).type === event)).toBe(true)
    expect(JSON.parse(events.at(-1)?.data ?? '')).toMatchObject({ type: 'speech.audio.done', usage: {} })
    const heard = events.slice(0, -1).map(({ data }) => Buffer.from(JSON.parse(data).audio, 'base64'))
    expect(Buffer.concat(heard).equals(bytes)).toBe(true)
  })

  it('is one that says that it broke off where the speech did', async () => {
    upstream.script((_, response, socket) => {
      response.writeHead(200, { 'content-type': 'audio/mpeg', 'content-length': '5000' })
      response.write(randomBytes(2000), () => setImmediate(() => socket.resetAndDestroy()))
    })
    const body = { model: 'lab/tts', input: 'hi', voice: 'alloy', stream_format: 'sse' }
    const { text: said } = await post('/audio/speech', body)
    expect(said).toContain('upstream_stream_truncated')
    expect(said).not.toContain('speech.audio.done')
  })
})
