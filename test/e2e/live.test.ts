import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ProviderConfig } from '../../src/config/schema.ts'
import { type RunningGateway, startGateway } from '../support/gateway.ts'

interface Live {
  readonly variable: string
  readonly provider: ProviderConfig
  /** The variable that names the model, and the one that is asked without it; absent: the first on the list. */
  readonly model: readonly [variable: string, usual?: string]
}

const { env } = process

/** Real servers, each asked only when its variable is set. */
const lives: readonly Live[] = [
  { variable: 'OPENAI_API_KEY', provider: { type: 'openai' }, model: ['LIVE_OPENAI_MODEL', 'gpt-4o-mini'] },
  { variable: 'HF_TOKEN', provider: { type: 'huggingface' }, model: ['LIVE_HF_MODEL', 'openai/gpt-oss-20b'] },
  { variable: 'OLLAMA_HOST', provider: { type: 'ollama' }, model: ['LIVE_OLLAMA_MODEL'] },
  {
    variable: 'LIVE_BASE_URL',
    provider: {
      type: 'openai-compatible',
      baseURL: 'env:LIVE_BASE_URL',
      ...(env.LIVE_API_KEY && { apiKey: 'env:LIVE_API_KEY' }),
    },
    model: ['LIVE_MODEL'],
  },
]

describe.each(lives)('the real server behind $variable', ({ variable, provider, model }) => {
  let gateway: RunningGateway
  let client: OpenAI
  let name = ''

  beforeAll(async () => {
    if (!env[variable]) return
    gateway = await startGateway({ providers: { live: provider } }, { env })
    client = new OpenAI({ baseURL: gateway.baseURL, apiKey: 'sk-any' })
    const [named, usual] = model
    name = `live/${env[named] ?? usual ?? ''}`
    if (name === 'live/') name = (await client.models.list()).data[0]?.id ?? ''
  })
  afterAll(() => gateway?.close())
  beforeEach(({ skip }) => {
    skip(!env[variable], `${variable} is not set`)
  })

  const messages = [{ role: 'user', content: 'Say hello.' }] as const

  it('answers a chat', { timeout: 120_000 }, async () => {
    const { data, response } = await client.chat.completions
      .create({ model: name, messages: [...messages], max_completion_tokens: 200 })
      .withResponse()
    expect(data.choices[0]?.message.role).toBe('assistant')
    expect(data.choices[0]?.finish_reason).toMatch(/stop|length/)
    expect(data.usage?.total_tokens).toBeGreaterThan(0)
    expect(response.headers.get('x-samewire-model')).toBe(name)
  })

  it('streams a chat', { timeout: 120_000 }, async () => {
    const body = { model: name, messages: [...messages], max_completion_tokens: 200 }
    const answer = await client.chat.completions
      .stream({ ...body, stream_options: { include_usage: true } })
      .finalChatCompletion()
    expect(answer.choices[0]?.finish_reason).toMatch(/stop|length/)
    expect(answer.usage?.total_tokens).toBeGreaterThan(0)
  })

  it('tells of a model that it does not have', { timeout: 120_000 }, async () => {
    const thrown: unknown = await client.chat.completions
      .create({ model: 'live/no-such-model-anywhere', messages: [...messages], max_completion_tokens: 5 })
      .catch((error: unknown) => error)
    // A server with one model may answer to any name; no other answer than that and a 404 will do.
    if (thrown instanceof Error) expect(thrown).toMatchObject({ status: 404, code: 'model_not_found' })
    else expect(thrown).toMatchObject({ object: 'chat.completion' })
  })
})
