import { describe, expect, it } from 'vitest'
import { registry } from '../../providers/index.ts'
import { operations } from '../../src/operations/all.ts'
import { errorOf } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { json } from '../support/upstream.ts'

const types = [
  'groq',
  'together',
  'fireworks',
  'mistral',
  'deepseek',
  'lmstudio',
  'vllm',
  'openrouter',
  'llamacpp',
] as const

const { upstream, both } = serveBoth(
  'media-providers',
  (url) => ({
    providers: {
      ...Object.fromEntries(types.map((type) => [type, { type, baseURL: url, apiKey: 'env:ANY_KEY' }])),
      ollama: { type: 'ollama', baseURL: url },
      hf: { type: 'huggingface', baseURL: url },
    },
    retries: 0,
  }),
  { env: { ANY_KEY: 'sk-any', HF_TOKEN: 'hf_of_the_test' } },
)

/** Requests that every provider with the operation could answer. */
const requests = {
  images: ['/images/generations', { prompt: 'a fox' }],
  speech: ['/audio/speech', { input: 'hi', voice: 'v' }],
  moderations: ['/moderations', { input: 'hi' }],
  rerank: ['/rerank', { query: 'q', documents: ['a'] }],
} as const

const has: Record<string, readonly string[]> = {
  groq: ['speech'],
  together: ['images', 'speech', 'rerank'],
  fireworks: ['rerank'],
  mistral: ['speech', 'moderations'],
  deepseek: [],
  lmstudio: [],
  vllm: ['images', 'speech', 'rerank'],
  openrouter: ['images', 'speech', 'rerank'],
  llamacpp: ['rerank'],
  ollama: [],
  hf: ['images', 'speech'],
}

const lacking = Object.entries(has).flatMap(([provider, served]) =>
  Object.keys(requests)
    .filter((name) => !served.includes(name))
    .map((name) => [provider, name as keyof typeof requests] as const),
)

const posts = () => upstream.seen.filter(({ method }) => method === 'POST')

function answering(answer: unknown): void {
  upstream.seen.length = 0
  upstream.script((seen, ...rest) => json(200, seen.method === 'GET' ? { data: [{ id: 'm' }] } : answer)(seen, ...rest))
}

describe.each(runtimes)('On %s', (runtime) => {
  it.each(lacking)('%s has no %s, and is not asked', async (provider, name) => {
    answering({})
    const [path, body] = requests[name]
    const reply = await both.ask(runtime, { model: `${provider}/${provider === 'hf' ? 'org/m' : 'm'}`, ...body }, path)
    expect([reply.status, errorOf(reply).code]).toEqual([404, 'wrong_endpoint'])
    expect(posts()).toEqual([])
  })

  it('OpenRouter has another path for images', async () => {
    answering({ created: 0, data: [{ b64_json: 'aGk=', media_type: 'image/png' }] })
    const reply = await both.ask(runtime, { model: 'openrouter/m', prompt: 'a fox' }, '/images/generations')
    expect([reply.status, posts()[0]?.path]).toEqual([200, '/images'])
  })

  it('Mistral speaks with a voice by its id, and its sound comes as sound', async () => {
    answering({ audio_data: Buffer.from('ID3 sound').toString('base64') })
    const reply = await both.ask(
      runtime,
      { model: 'mistral/m', input: 'hi', voice: 'jane', response_format: 'wav' },
      '/audio/speech',
    )
    expect([reply.status, reply.headers.get('content-type'), reply.text]).toEqual([200, 'audio/wav', 'ID3 sound'])
    expect(posts()[0]?.path).toBe('/audio/speech')
    expect(JSON.parse(posts()[0]?.body ?? '')).toEqual({
      model: 'm',
      input: 'hi',
      voice_id: 'jane',
      response_format: 'wav',
    })
  })

  it('Mistral has no AAC', async () => {
    answering({})
    const body = { model: 'mistral/m', input: 'hi', voice: 'jane', response_format: 'aac' }
    const reply = await both.ask(runtime, body, '/audio/speech')
    expect([reply.status, errorOf(reply).param]).toEqual([400, 'response_format'])
  })

  it('Mistral’s legacy completions are made of chat, since it has no such route', async () => {
    answering({
      id: 'x',
      object: 'chat.completion',
      created: 1,
      model: 'm',
      choices: [{ index: 0, message: { role: 'assistant', content: 'yes' }, finish_reason: 'stop' }],
    })
    const reply = await both.ask(runtime, { model: 'mistral/m', prompt: 'hi' }, '/completions')
    expect(JSON.parse(reply.text)).toMatchObject({ object: 'text_completion', choices: [{ text: 'yes' }] })
    expect(posts()[0]?.path).toBe('/chat/completions')
  })
})

describe('Fireworks', () => {
  const settings = { baseURL: registry.fireworks?.baseURL ?? '', headers: {}, options: {} }

  it.each([
    ['whisper-v3', 'https://audio-prod.api.fireworks.ai/v1/audio/transcriptions'],
    ['whisper-v3-turbo', 'https://audio-turbo.api.fireworks.ai/v1/audio/transcriptions'],
  ])('hears with %s at its own server', (model, url) => {
    expect(registry.fireworks?.url?.(settings, operations.transcriptions.path, model)).toBe(url)
  })

  it('ranks where it chats, and hears where the configuration says', () => {
    const { url } = registry.fireworks ?? {}
    expect(url?.(settings, '/rerank', 'm')).toBe('https://api.fireworks.ai/inference/v1/rerank')
    expect(url?.({ ...settings, baseURL: 'https://x' }, '/audio/transcriptions', 'm')).toBe(
      'https://x/audio/transcriptions',
    )
  })
})
