import { createHash, randomBytes } from 'node:crypto'
import OpenAI, { toFile } from 'openai'
import { describe, expect, it } from 'vitest'
import { errorOf, type Reply } from '../support/ask.ts'
import { type Runtime, runtimes, serveBoth } from '../support/both.ts'
import { json, type Script, stream, text } from '../support/upstream.ts'

const { upstream, both } = serveBoth('media', (url) => ({
  providers: {
    p: { type: 'openai-compatible', baseURL: `${url}/p/v1` },
    q: { type: 'openai-compatible', baseURL: `${url}/q/v1` },
    ollama: { type: 'ollama', baseURL: url },
  },
  models: {
    picture: { deployments: ['p/flux'], retries: 0, fallbacks: ['q/sd'] },
    ear: {
      deployments: [{ model: 'p/whisper', params: { temperature: 0.2 }, overrides: { language: 'de' } }],
      fallbacks: ['q/ears'],
      retries: 1,
    },
    'dall-e-2': 'p/dalle',
    'omni-moderation-latest': 'p/omni',
  },
}))

const client = (runtime: Runtime) => new OpenAI({ baseURL: both.addresses[runtime], apiKey: both.key, maxRetries: 0 })

function post(runtime: Runtime, path: string, body: BodyInit, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(both.addresses[runtime] + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${both.key}`, ...headers },
    body,
  })
}

async function read(response: Response): Promise<Reply> {
  return { status: response.status, headers: response.headers, text: await response.text() }
}

/** The fields of a form as an upstream got it. */
async function formSeen(): Promise<FormData> {
  const seen = upstream.seen.at(-1)
  return await new Response(seen?.body, { headers: { 'content-type': seen?.headers['content-type'] ?? '' } }).formData()
}

const sound = new Blob([randomBytes(100_000).map((byte) => byte & 127)], { type: 'audio/wav' })

function formOf(fields: Record<string, string | Blob>): FormData {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'string') form.append(name, value)
    else form.append(name, value, 'a.wav')
  }
  return form
}

describe.each(runtimes)('On %s, media', (runtime) => {
  it('are made from a text, byte for byte but for the model', async () => {
    const answer = '{ "created":1, "data":[ {"b64_json":"aGk="} ] }'
    upstream.script(json(200, answer))
    const body = '{"model":"picture", "prompt":"a fox",  "size":"256x256","odd":1e400}'
    const reply = await read(await post(runtime, '/images/generations', body, { 'content-type': 'application/json' }))
    expect(reply).toMatchObject({ status: 200, text: answer })
    expect(reply.headers.get('x-samewire-model')).toBe('p/flux')
    expect(upstream.seen.at(-1)).toMatchObject({
      path: '/p/v1/images/generations',
      body: body.replace('picture', 'flux'),
    })
  })

  it('are made by the model that OpenAI takes where a request names none', async () => {
    upstream.script(json(200, { created: 1, data: [] }))
    await client(runtime).images.generate({ prompt: 'a fox' })
    expect(JSON.parse(upstream.seen.at(-1)?.body ?? '')).toMatchObject({ model: 'dalle', prompt: 'a fox' })
    upstream.script(json(200, { id: 'modr-1', model: 'omni', results: [] }))
    await client(runtime).moderations.create({ input: 'hello' })
    expect(JSON.parse(upstream.seen.at(-1)?.body ?? '')).toMatchObject({ model: 'omni' })
  })

  it('come from a fallback when the first provider fails', async () => {
    upstream.script(json(503, { error: { message: 'busy' } }), json(200, { created: 1, data: [{ url: 'https://x' }] }))
    const answer = await client(runtime).images.generate({ model: 'picture', prompt: 'a fox' })
    expect(answer.data?.[0]?.url).toBe('https://x')
    expect(upstream.seen.at(-1)?.path).toBe('/q/v1/images/generations')
  })

  it('as a stream of images end with the last image, and a stream that breaks off is an error', async () => {
    const partial =
      'event: image_generation.partial_image\ndata: {"type":"image_generation.partial_image","b64_json":"YQ=="}\n\n'
    const last = 'event: image_generation.completed\ndata: {"type":"image_generation.completed","b64_json":"Yg=="}\n\n'
    upstream.script(stream([partial, last]))
    const body = JSON.stringify({ model: 'picture', prompt: 'a fox', stream: true })
    const headers = { 'content-type': 'application/json' }
    expect(await (await post(runtime, '/images/generations', body, headers)).text()).toBe(partial + last)
    upstream.script(stream([partial]))
    const broken = await (await post(runtime, '/images/generations', body, headers)).text()
    expect(broken.startsWith(partial)).toBe(true)
    expect(broken).toContain('"code":"upstream_stream_truncated"')
  })

  it('spoken: audio goes on as it comes, with its type', async () => {
    const audio = randomBytes(300_000)
    upstream.script((_, response) => response.writeHead(200, { 'content-type': 'audio/mpeg' }).end(audio))
    const response = await client(runtime).audio.speech.create({ model: 'p/tts', input: 'hi', voice: 'alloy' })
    expect(response.headers.get('content-type')).toBe('audio/mpeg')
    expect(Buffer.from(await response.arrayBuffer()).equals(audio)).toBe(true)
  })

  it('spoken: an error in JSON with a good status is one', async () => {
    upstream.script(json(200, { error: { message: 'no such voice', type: 'invalid_request_error' } }))
    const body = JSON.stringify({ model: 'p/tts', input: 'hi', voice: 'nobody' })
    const reply = await read(await post(runtime, '/audio/speech', body, { 'content-type': 'application/json' }))
    expect(reply.status).toBeGreaterThanOrEqual(400)
    errorOf(reply)
  })

  it('spoken as events end with audio done', async () => {
    const events = ['data: {"type":"speech.audio.delta","audio":"YQ=="}\n\n', 'data: {"type":"speech.audio.done"}\n\n']
    upstream.script(stream(events))
    const body = JSON.stringify({ model: 'p/tts', input: 'hi', voice: 'alloy', stream_format: 'sse' })
    expect(await (await post(runtime, '/audio/speech', body, { 'content-type': 'application/json' })).text()).toBe(
      events.join(''),
    )
  })

  it('heard: the official client’s form arrives with the provider’s model and the file as it was', async () => {
    upstream.script(json(200, { text: 'hello' }))
    const file = await toFile(sound, 'a.wav')
    const heard = await client(runtime).audio.transcriptions.create({ file, model: 'p/whisper-1' })
    expect(heard.text).toBe('hello')
    const form = await formSeen()
    expect(form.get('model')).toBe('whisper-1')
    const sent = form.get('file') as File
    expect(Buffer.from(await sent.arrayBuffer()).equals(Buffer.from(await sound.arrayBuffer()))).toBe(true)
    expect(sent.name).toBe('a.wav')
  })

  it('heard: `params` and `overrides` of the configuration hold for forms', async () => {
    upstream.script(json(200, { text: 'hallo' }))
    await read(await post(runtime, '/audio/transcriptions', formOf({ file: sound, model: 'ear', language: 'en' })))
    const form = await formSeen()
    expect([form.get('model'), form.getAll('language'), form.get('temperature')]).toEqual(['whisper', ['de'], '0.2'])
  })

  it('heard: a small form goes to the fallback when the first provider fails, whole', async () => {
    upstream.script(json(500, {}), json(500, {}), json(200, { text: 'hello' }))
    const reply = await read(await post(runtime, '/audio/transcriptions', formOf({ model: 'ear', file: sound })))
    expect(reply).toMatchObject({ status: 200, text: '{"text":"hello"}' })
    const form = await formSeen()
    expect(form.get('model')).toBe('ears')
    expect((form.get('file') as File).size).toBe(sound.size)
  })

  it.each([
    ['text/plain; charset=utf-8', 'hello\n'],
    ['application/x-subrip', '1\n00:00:00,000 --> 00:00:01,000\nhello\n'],
    ['text/vtt', 'WEBVTT\n\n'],
  ])('heard: a transcription as %s passes as it is', async (type, words) => {
    upstream.script(text(200, words, type))
    const form = formOf({ file: sound, model: 'p/whisper', response_format: 'text' })
    const reply = await read(await post(runtime, '/audio/transcriptions', form))
    expect(reply).toMatchObject({ status: 200, text: words })
    expect(reply.headers.get('content-type')).toBe(type)
  })

  it('heard: a stream of words ends with the last, and one that breaks off is an error', async () => {
    const events = [
      'data: {"type":"transcript.text.delta","delta":"he"}\n\n',
      'data: {"type":"transcript.text.done","text":"he"}\n\n',
    ]
    upstream.script(stream(events))
    const form = () => formOf({ file: sound, model: 'p/whisper', stream: 'true' })
    expect(await (await post(runtime, '/audio/transcriptions', form())).text()).toBe(events.join(''))
    upstream.script(stream(events.slice(0, 1), 'reset'))
    expect(await (await post(runtime, '/audio/transcriptions', form())).text()).toContain('upstream_stream_truncated')
  })

  it('heard: a large file streams through, its model first', async () => {
    const bytes = randomBytes(12 * 1024 * 1024)
    const seen = Promise.withResolvers<string>()
    upstream.script(hashing(seen.resolve))
    const reply = await read(
      await post(runtime, '/audio/transcriptions', partsOf([modelPart('p/whisper'), bytes]), large),
    )
    expect(reply).toMatchObject({ status: 200, text: '{"text":"long"}' })
    expect(await seen.promise).toBe(hashOf(partsOf([modelPart('whisper'), bytes])))
  })

  it('heard: a large file streams through, its model last', async () => {
    const bytes = randomBytes(12 * 1024 * 1024)
    const seen = Promise.withResolvers<string>()
    upstream.script(hashing(seen.resolve))
    const reply = await read(
      await post(runtime, '/audio/transcriptions', partsOf([bytes, modelPart('p/whisper')]), large),
    )
    expect(reply.status).toBe(200)
    expect(await seen.promise).toBe(hashOf(partsOf([bytes, modelPart('whisper')])))
  })

  it('heard: a large upload that fails is not sent again, and the next request works', async () => {
    const bytes = randomBytes(9 * 1024 * 1024)
    const before = upstream.seen.length
    upstream.script(json(500, { error: { message: 'down' } }), json(200, { text: 'hello' }))
    const reply = await read(await post(runtime, '/audio/transcriptions', partsOf([modelPart('ear'), bytes]), large))
    expect(reply.status).toBe(502)
    errorOf(reply)
    expect(upstream.seen.length).toBe(before + 1)
    const next = await read(await post(runtime, '/audio/transcriptions', formOf({ model: 'ear', file: sound })))
    expect(next.status).toBe(200)
  })

  it.each([
    ['multipart/form-data', '', null],
    ['multipart/form-data; boundary=b', 'what is this', null],
    ['multipart/form-data; boundary=b', '--b\r\ncontent-disposition: form-data; name="model"\r\n\r\np/x', null],
    ['multipart/form-data; boundary=b', '--b\r\ncontent-disposition: form-data\r\n\r\np/x\r\n--b--', null],
    [
      'multipart/form-data; boundary=b',
      '--b\r\ncontent-disposition: form-data; name="model"\r\n\r\np/x\r\n--b--',
      'file',
    ],
    ['application/json', '{"model":"p/x"}', 'file'],
  ])('heard: a form that is none is a 400: %s %.60s', async (type, body, param) => {
    const reply = await read(await post(runtime, '/audio/transcriptions', body, { 'content-type': type }))
    expect(reply.status).toBe(400)
    expect(errorOf(reply).param).toBe(param)
  })

  it.each([
    ['more than one', ['p/whisper', 'p/whisper'], 'duplicate_parameter', /'model' is given more than once/],
    [
      'a long one',
      ['x'.repeat(600)],
      'string_above_max_length',
      /maximum length 512, but got a string with length 600/,
    ],
    ['a very long one', ['x'.repeat(100_000)], 'string_above_max_length', /with length 100000 instead/],
  ])('heard: a form with %s is refused for it as JSON is', async (_, models, code, words) => {
    // A Worker may close the connection of an upload that it refuses before the client has read why.
    for (const size of runtime === 'node' ? [100, 9 * 1024 * 1024] : [100]) {
      const body = partsOf([...models.map(modelPart), new Uint8Array(size)])
      const before = upstream.seen.length
      const reply = await read(await post(runtime, '/audio/transcriptions', body, large))
      expect([size, reply.status, errorOf(reply)]).toMatchObject([size, 400, { code, param: 'model' }])
      expect(errorOf(reply).message).toMatch(words)
      expect(upstream.seen.length).toBe(before)
    }
  })

  it('edited: several files of one field all arrive, and so does JSON with references', async () => {
    upstream.script(json(200, { created: 1, data: [] }))
    const image = await Promise.all(['a.png', 'b.png'].map((name) => toFile(sound, name, { type: 'image/png' })))
    await client(runtime).images.edit({ model: 'picture', prompt: 'join', image })
    const form = await formSeen()
    expect(form.getAll('image[]').map((file) => (file as File).name)).toEqual(['a.png', 'b.png'])
    const body = JSON.stringify({ model: 'picture', prompt: 'x', images: [{ image_url: 'https://x' }] })
    const reply = await read(await post(runtime, '/images/edits', body, { 'content-type': 'application/json' }))
    expect(reply.status).toBe(200)
  })

  it('of a provider that has none are a 404 that says so', async () => {
    const body = JSON.stringify({ model: 'ollama/x', prompt: 'a fox' })
    const reply = await read(await post(runtime, '/images/generations', body, { 'content-type': 'application/json' }))
    expect(reply.status).toBe(404)
    expect(errorOf(reply)).toMatchObject({
      code: 'wrong_endpoint',
      message: expect.stringMatching(/does not serve \/images\/generations$/),
    })
  })

  it('ranked: documents in order', async () => {
    const answer = '{"results":[{"index":1,"relevance_score":0.9}]}'
    upstream.script(json(200, answer))
    const body = JSON.stringify({ model: 'p/ranker', query: 'q', documents: ['a', 'b'], top_n: 1 })
    const reply = await read(await post(runtime, '/rerank', body, { 'content-type': 'application/json' }))
    expect(reply).toMatchObject({ status: 200, text: answer })
  })
})

const large = { 'content-type': 'multipart/form-data; boundary=bound' }

function modelPart(model: string): string {
  return `--bound\r\ncontent-disposition: form-data; name="model"\r\n\r\n${model}\r\n`
}

/** A form's bytes: texts are whole parts, bytes are a file. */
function partsOf(parts: readonly (string | Uint8Array)[]): Uint8Array<ArrayBuffer> {
  const head = '--bound\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'
  const all = parts.flatMap((part) =>
    typeof part === 'string' ? [Buffer.from(part)] : [Buffer.from(head), part, Buffer.from('\r\n')],
  )
  return new Uint8Array(Buffer.concat([...all, Buffer.from('--bound--\r\n')]))
}

/** Answers a transcription, and tells the hash of the form. */
function hashing(tell: (hash: string) => void): Script {
  return (request, response, socket) => {
    tell(createHash('sha256').update(request.body).digest('hex'))
    json(200, { text: 'long' })(request, response, socket)
  }
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(Buffer.from(bytes).toString('utf8')).digest('hex')
}
