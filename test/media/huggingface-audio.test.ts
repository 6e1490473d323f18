import { randomBytes } from 'node:crypto'
import { InferenceClient } from '@huggingface/inference'
import OpenAI, { toFile } from 'openai'
import { describe, expect, it } from 'vitest'
import { errorOf, type Reply } from '../support/ask.ts'
import { type Runtime, runtimes, serveBoth } from '../support/both.ts'
import { json, type Script, type Seen } from '../support/upstream.ts'

const { upstream, both } = serveBoth(
  'hf-audio',
  (url) => ({
    providers: {
      hf: { type: 'huggingface', baseURL: `${url}/v1`, hubUrl: url },
      transformers: { type: 'huggingface', endpointUrl: `${url}/endpoint`, engine: 'transformers' },
      ollama: { type: 'ollama', baseURL: url },
    },
    retries: 0,
  }),
  { env: { HF_TOKEN: 'hf_of_the_test' } },
)

const providers = ['hf-inference', 'fal-ai', 'replicate', 'together', 'deepinfra']
const mapping = (model: string, task: string) =>
  providers.map((provider) => ({
    ...{ provider, status: 'live', task },
    providerId: provider === 'hf-inference' ? model : `org/${task}`,
  }))
const models: Record<string, unknown> = {
  'org/ear': mapping('org/ear', 'automatic-speech-recognition'),
  'org/voice': mapping('org/voice', 'text-to-speech'),
}

function serveHub({ path }: Seen): Script {
  const id = /^\/api\/models\/([^?]+)/.exec(path)?.[1] ?? ''
  return json(200, { id, inferenceProviderMapping: models[id] })
}

function answering(...scripts: Script[]): void {
  upstream.seen.length = 0
  let at = 0
  upstream.script((request, ...rest) => {
    if (request.path.startsWith('/api/models/')) return serveHub(request)(request, ...rest)
    if (request.method === 'GET' && request.path.endsWith('/models')) {
      return json(200, { data: [{ id: 'm' }] })(request, ...rest)
    }
    return (scripts[Math.min(at++, scripts.length - 1)] as Script)(request, ...rest)
  })
}

const posts = () => upstream.seen.filter(({ method }) => method === 'POST')
const posted = () => posts()[0] as Seen
const fields = () => JSON.parse(posted().body) as Record<string, unknown>

const client = (runtime: Runtime) => new OpenAI({ baseURL: both.addresses[runtime], apiKey: both.key, maxRetries: 0 })

/** Bytes that are texts too, since that is how the upstream keeps them. */
const recording = Buffer.from('RIFF what is said WAVE')
const base64 = recording.toString('base64')
const file = () => toFile(recording, 'a.wav')

const chunks = [
  { text: ' Hello', timestamp: [0, 1.5] },
  { text: ' there.', timestamp: [1.5, null] },
]

describe.each(runtimes)('On %s, Hugging Face hears', (runtime) => {
  const hear = async (model: string, more: Record<string, unknown> = {}): Promise<Reply> => {
    const form = new FormData()
    form.append('model', model)
    for (const [name, value] of Object.entries(more)) form.append(name, String(value))
    form.append('file', new Blob([recording], { type: 'audio/wav' }), 'a.wav')
    const response = await fetch(`${both.addresses[runtime]}/audio/transcriptions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${both.key}` },
      body: form,
    })
    return { status: response.status, headers: response.headers, text: await response.text() }
  }

  it('by its own servers, which get the bytes as they are', async () => {
    answering(json(200, { text: ' Hello there.' }))
    const heard = await client(runtime).audio.transcriptions.create({
      model: 'hf/org/ear:hf-inference',
      file: await file(),
    })
    expect(heard).toEqual({ text: 'Hello there.' })
    expect(posted()).toMatchObject({ path: '/hf-inference/models/org/ear', body: recording.toString() })
    expect(posted().headers['content-type']).toBe('audio/wav')
  })

  it.each([
    ['srt', '1\n00:00:00,000 --> 00:00:01,500\nHello\n\n2\n00:00:01,500 --> 00:00:01,500\nthere.\n\n'],
    ['vtt', 'WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nHello\n\n00:00:01.500 --> 00:00:01.500\nthere.\n\n'],
    ['text', 'Hello there.\n'],
  ])('and answers as %s', async (format, answer) => {
    answering(json(200, { text: ' Hello there.', chunks }))
    const reply = await hear('hf/org/ear:hf-inference', { response_format: format })
    expect(reply).toMatchObject({ status: 200, text: answer })
    expect(reply.headers.get('content-type')).not.toContain('json')
    if (format !== 'text') expect(fields()).toEqual({ inputs: base64, parameters: { return_timestamps: true } })
  })

  it('with the times of segments, or of words', async () => {
    answering(json(200, { text: ' Hello there.', chunks }))
    const segments = await hear('hf/org/ear:hf-inference', { response_format: 'verbose_json' })
    expect(JSON.parse(segments.text)).toMatchObject({
      ...{ task: 'transcribe', duration: 1.5, text: 'Hello there.' },
      segments: [
        { id: 0, start: 0, end: 1.5, text: ' Hello' },
        { id: 1, start: 1.5 },
      ],
    })
    answering(json(200, { text: ' Hello there.', chunks }))
    const words = await hear('hf/org/ear:hf-inference', {
      ...{ response_format: 'verbose_json', 'timestamp_granularities[]': 'word', temperature: 0.5 },
    })
    expect(JSON.parse(words.text).words).toEqual([
      { word: 'Hello', start: 0, end: 1.5 },
      { word: 'there.', start: 1.5, end: 1.5 },
    ])
    expect(fields().parameters).toEqual({
      return_timestamps: 'word',
      generation_parameters: { temperature: 0.5, do_sample: true },
    })
  })

  it('as a stream of events', async () => {
    answering(json(200, { text: 'Hello' }))
    const stream = await client(runtime).audio.transcriptions.create({
      ...{ model: 'hf/org/ear:hf-inference', file: await file(), stream: true },
    })
    const events = []
    for await (const event of stream) events.push(event)
    expect(events).toEqual([
      { type: 'transcript.text.delta', delta: 'Hello' },
      { type: 'transcript.text.done', text: 'Hello' },
    ])
  })

  it('by fal, which takes a few types by its own names', async () => {
    answering(
      json(200, { output: 'Hallo', segments: [{ text: 'Hallo', start: 0, end: 1 }], inferred_languages: ['de'] }),
    )
    const reply = await hear('hf/org/ear:fal-ai', { response_format: 'verbose_json', language: 'de', prompt: 'Namen' })
    expect(JSON.parse(reply.text)).toMatchObject({ text: 'Hallo', language: 'de', segments: [{ end: 1 }] })
    expect(posted().path).toBe('/fal-ai/org/automatic-speech-recognition')
    expect(fields()).toEqual({ audio_url: `data:audio/x-wav;base64,${base64}`, language: 'de', prompt: 'Namen' })
  })

  it.each([
    ['a text', 'Hello'],
    ['a list', ['Hello']],
    ['an object', { transcription: 'Hello' }],
  ])('by Replicate, which answers with %s', async (_, output) => {
    answering(json(201, { id: 'p', status: 'succeeded', output }))
    expect((await hear('hf/org/ear:replicate')).text).toBe('{"text":"Hello"}')
    expect(fields()).toEqual({ input: { audio: `data:audio/wav;base64,${base64}` } })
  })

  it.each([
    ['together', '/together/v1/audio/transcriptions'],
    ['deepinfra', '/deepinfra/v1/openai/audio/transcriptions'],
  ])('by %s, which takes the form with its own name for the model', async (provider, path) => {
    answering(json(200, { text: 'Hello', segments: [{ id: 0, text: 'Hello', start: 0, end: 1 }] }))
    const reply = await hear(`hf/org/ear:${provider}`, { response_format: 'srt', language: 'en', temperature: 0.1 })
    expect(reply.text).toBe('1\n00:00:00,000 --> 00:00:01,000\nHello\n\n')
    expect(posted().path).toBe(path)
    const type = posted().headers['content-type'] ?? ''
    const form = await new Response(posted().body, { headers: { 'content-type': type } }).formData()
    expect([form.get('model'), form.get('language'), form.get('temperature'), form.get('response_format')]).toEqual([
      ...['org/automatic-speech-recognition', 'en', '0.1', 'verbose_json'],
    ])
    expect(Buffer.from(await (form.get('file') as File).arrayBuffer()).equals(recording)).toBe(true)
  })

  it.each([
    ['hf-inference', { language: 'de' }, 'language'],
    ['hf-inference', { prompt: 'Names' }, 'prompt'],
    ['hf-inference', { response_format: 'diarized_json' }, 'response_format'],
    ['hf-inference', { 'include[]': 'logprobs' }, 'include'],
    ['fal-ai', { temperature: 0.3 }, 'temperature'],
    ['replicate', { prompt: 'Names' }, 'prompt'],
  ])('but what can’t be honoured is a 400: %s, %o', async (provider, more, param) => {
    answering(json(200, { text: 'Hello' }))
    const reply = await hear(`hf/org/ear:${provider}`, more)
    expect([reply.status, errorOf(reply)]).toMatchObject([400, { code: 'unsupported_parameter', param }])
    expect(posts()).toEqual([])
  })

  it('subtitles need times, and a model without any is an honest 400', async () => {
    answering(json(200, { text: 'Hello' }))
    const reply = await hear('hf/org/ear:hf-inference', { response_format: 'srt' })
    expect([reply.status, errorOf(reply)]).toMatchObject([
      400,
      { code: 'unsupported_parameter', param: 'response_format' },
    ])
  })

  it('a recording that streams in, up to 25 MB; a larger one is a 413, and the next request works', async () => {
    const send = async (size: number) => {
      answering(json(200, { text: 'long' }))
      const form = new FormData()
      form.append('model', 'hf/org/ear:hf-inference')
      form.append('file', new Blob([randomBytes(size)], { type: 'audio/mpeg' }), 'a.mp3')
      const response = await fetch(`${both.addresses[runtime]}/audio/transcriptions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${both.key}` },
        body: form,
      }).catch(() => undefined)
      return response && { status: response.status, headers: response.headers, text: await response.text() }
    }
    expect(await send(12 * 1024 * 1024)).toMatchObject({ status: 200, text: '{"text":"long"}' })
    const large = await send(30 * 1024 * 1024)
    // A client may see the connection close while it is still sending.
    if (large) expect([large.status, errorOf(large).param]).toEqual([413, 'file'])
    expect(posts()).toEqual([])
    answering(json(200, { text: 'Hello' }))
    expect((await hear('hf/org/ear:hf-inference')).status).toBe(200)
  })

  it('JSON instead of a form is a 400', async () => {
    answering(json(200, { text: 'Hello' }))
    const reply = await both.ask(runtime, { model: 'hf/org/ear:hf-inference', file: 'x' }, '/audio/transcriptions')
    expect([reply.status, errorOf(reply).param]).toEqual([400, 'file'])
  })

  it('by `transformers serve`, in OpenAI’s own form', async () => {
    answering(json(200, { text: 'Hello' }))
    expect(await hear('transformers/m')).toMatchObject({ status: 200, text: '{"text":"Hello"}' })
    expect(posted().path).toBe('/endpoint/v1/audio/transcriptions')
  })

  it('and so does Ollama, in OpenAI’s own form', async () => {
    answering(json(200, { text: 'Hello' }))
    expect(await hear('ollama/m')).toMatchObject({ status: 200, text: '{"text":"Hello"}' })
    expect(posted().path).toBe('/v1/audio/transcriptions')
  })
})

describe.each(runtimes)('On %s, Hugging Face speaks', (runtime) => {
  const audio = Buffer.from('ID3 some sound')
  const sound =
    (type: string): Script =>
    (_, response) =>
      response.writeHead(200, { 'content-type': type }).end(audio)
  const speak = (provider: string, more = {}) =>
    both.ask(runtime, { model: `hf/org/voice:${provider}`, input: 'Hello', voice: 'default', ...more }, '/audio/speech')
  const atAddress: Script = (...all) =>
    json(200, { audio: { url: `${upstream.url}/files/a.mp3`, content_type: 'audio/mpeg' } })(...all)
  const predicted: Script = (...all) =>
    json(201, { id: 'p', status: 'succeeded', output: `${upstream.url}/files/a.mp3` })(...all)

  it.each([
    ['hf-inference', [sound('audio/mpeg')]],
    ['together', [sound('audio/mpeg')]],
    ['deepinfra', [sound('audio/mpeg')]],
    ['fal-ai', [atAddress, sound('audio/mpeg')]],
    ['replicate', [predicted, sound('audio/mpeg')]],
  ] as [string, Script[]][])('by %s, at the address where the official client asks it', async (provider, scripts) => {
    answering(...scripts)
    const model = `hf/org/voice:${provider}`
    const response = await client(runtime).audio.speech.create({ model, input: 'Hello', voice: 'default' })
    expect(response.headers.get('content-type')).toBe('audio/mpeg')
    expect(Buffer.from(await response.arrayBuffer()).equals(audio)).toBe(true)
    const official = await officialRequest(provider)
    expect(`https://router.huggingface.co${posted().path}`).toBe(official.url)
    const { voice: _, ...body } = provider === 'replicate' ? (fields().input as Record<string, unknown>) : fields()
    expect(body).toEqual(provider === 'replicate' ? official.body.input : official.body)
  })

  it.each(['together', 'fal-ai', 'replicate'])(
    'with the voice and the speed that are asked for, by %s',
    async (provider) => {
      answering(
        ...(provider === 'together'
          ? [sound('audio/mpeg')]
          : [provider === 'fal-ai' ? atAddress : predicted, sound('audio/mpeg')]),
      )
      expect((await speak(provider, { voice: 'af_heart', speed: 1.5 })).status).toBe(200)
      expect(provider === 'replicate' ? fields().input : fields()).toMatchObject({ voice: 'af_heart', speed: 1.5 })
    },
  )

  it('as events that hold the sound', async () => {
    answering(sound('audio/mpeg'))
    const { text } = await speak('hf-inference', { stream_format: 'sse' })
    expect(text).toContain(`"audio":"${audio.toString('base64')}"`)
    expect(text).toContain('"type":"speech.audio.done"')
  })

  it.each([
    ['voice', { voice: 'alloy' }],
    ['speed', { speed: 2 }],
    ['instructions', { instructions: 'whisper' }],
  ])('but what its own servers can’t honour is a 400: %s', async (param, more) => {
    answering(sound('audio/flac'))
    const reply = await speak('hf-inference', more)
    expect([reply.status, errorOf(reply)]).toMatchObject([400, { code: 'unsupported_parameter', param }])
    expect(posts()).toEqual([])
  })

  it('in the format that is asked for, or it is a 400', async () => {
    answering(sound('audio/flac'))
    expect((await speak('hf-inference', { response_format: 'flac' })).status).toBe(200)
    answering(sound('audio/flac'))
    const reply = await speak('hf-inference', { response_format: 'mp3' })
    expect([reply.status, errorOf(reply)]).toMatchObject([
      400,
      { code: 'unsupported_parameter', param: 'response_format' },
    ])
  })

  it('and what is no sound is a failure', async () => {
    answering(json(200, { text: 'x' }))
    expect((await speak('hf-inference')).status).toBe(502)
  })
})

/** What the official client sends for the same. */
async function officialRequest(provider: string): Promise<{ url: string; body: Record<string, unknown> }> {
  let request: { url: string; body: Record<string, unknown> } | undefined
  const record: typeof fetch = async (input, init) => {
    const url = String(input)
    if (url.startsWith('https://huggingface.co/')) {
      return Response.json({ inferenceProviderMapping: models['org/voice'] })
    }
    request ??= { url, body: JSON.parse(String(init?.body)) }
    throw new Error('That is enough.')
  }
  const client = new InferenceClient('hf_of_the_test', { fetch: record, retry_on_error: false })
  const args = { provider: provider as 'together', model: 'org/voice', inputs: 'Hello' }
  await client.textToSpeech(args).catch(() => {})
  if (!request) throw new Error(`The official client sends nothing to ${provider}.`)
  return request
}
