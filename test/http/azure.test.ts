import {
  AuthenticationError,
  AzureOpenAI,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  RateLimitError,
} from 'openai'
import { describe, expect, it } from 'vitest'
import { type Runtime, runtimes, serveBoth } from '../support/both.ts'
import { chatAnswer, json } from '../support/upstream.ts'

const { upstream, both } = serveBoth('azure', (url) => ({
  providers: { p: { type: 'openai-compatible', baseURL: `${url}/v1` } },
  models: { 'my-gpt': 'p/real' },
  passThrough: 'p',
  retries: 0,
}))

const client = (runtime: Runtime, apiKey = both.key) =>
  new AzureOpenAI({
    endpoint: both.addresses[runtime].replace(/\/v1$/, ''),
    apiKey,
    apiVersion: '2024-10-21',
    maxRetries: 0,
  })

describe.each(runtimes)('On %s, a client of Azure’s API', (runtime) => {
  it('reaches models by the names of deployments, with its key in `api-key`', async () => {
    upstream.script(json(200, chatAnswer('hello')))
    const messages = [{ role: 'user' as const, content: 'hi' }]
    const answer = await client(runtime).chat.completions.create({ model: 'my-gpt', messages })
    expect(answer.choices[0]?.message.content).toBe('hello')
    const seen = upstream.seen.at(-1)
    expect(seen?.path).toBe('/v1/chat/completions')
    expect(JSON.parse(seen?.body ?? '')).toMatchObject({ model: 'real' })
  })

  it('has responses made, of which its API names no deployment in the path', async () => {
    upstream.script(json(200, chatAnswer('hello')))
    const { responses } = client(runtime)
    expect((await responses.create({ model: 'my-gpt', input: 'hi' })).output_text).toBe('hello')
    expect(upstream.seen.at(-1)?.path).toBe('/v1/chat/completions')
    const { input_tokens: count } = await responses.inputTokens.count({ model: 'my-gpt', input: 'hi' })
    expect(count).toBeGreaterThan(0)
  })

  const ask = (model = 'my-gpt', more: object = {}, apiKey = both.key) =>
    client(runtime, apiKey).chat.completions.create({ model, messages: [{ role: 'user', content: 'x' }], ...more })
  const raised = (asking: Promise<unknown>) => asking.catch((error: unknown) => error)

  it('reads of a missing deployment what it is', async () => {
    const error = await raised(ask('nope'))
    expect(error).toBeInstanceOf(NotFoundError)
    expect(error).toMatchObject({ code: 'DeploymentNotFound', message: expect.stringContaining('`nope`') })
  })

  it('reads of a refused prompt what its filter would say', async () => {
    upstream.script(json(400, { error: { message: 'Content filtered.', code: 'content_filter' } }))
    const error = await raised(ask())
    expect(error).toBeInstanceOf(BadRequestError)
    expect(error).toMatchObject({
      code: 'content_filter',
      error: { innererror: { code: 'ResponsibleAIPolicyViolation', content_filter_result: {} } },
    })
  })

  it('raises the error that its status stands for', async () => {
    upstream.script(json(429, { error: { message: 'Slow down.', code: '429' } }))
    expect(await raised(ask())).toBeInstanceOf(RateLimitError)
    upstream.script(json(500, { error: { message: 'Oops.' } }))
    expect(await raised(ask())).toBeInstanceOf(InternalServerError)
    const wrong = await raised(ask('my-gpt', { temperature: 'hot' }))
    expect(wrong).toBeInstanceOf(BadRequestError)
    expect(wrong).toMatchObject({ code: 'invalid_type', param: 'temperature' })
    expect(await raised(ask('my-gpt', {}, 'a-wrong-key'))).toBeInstanceOf(AuthenticationError)
  })

  it('lists models, and has the rest passed on', async () => {
    upstream.script(json(200, { object: 'list', data: [] }))
    const ids: string[] = []
    for await (const { id } of client(runtime).models.list()) ids.push(id)
    expect(ids).toContain('my-gpt')
    for await (const _ of client(runtime).files.list());
    expect(upstream.seen.at(-1)?.path).toBe('/v1/files?api-version=2024-10-21')
  })
})
