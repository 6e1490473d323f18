import { AzureOpenAI } from 'openai'
import { describe, expect, it } from 'vitest'
import { type Runtime, runtimes, serveBoth } from '../support/both.ts'
import { chatAnswer, json } from '../support/upstream.ts'

const { upstream, both } = serveBoth('azure', (url) => ({
  providers: { p: { type: 'openai-compatible', baseURL: `${url}/v1` } },
  models: { 'my-gpt': 'p/real' },
  passThrough: 'p',
}))

const client = (runtime: Runtime) =>
  new AzureOpenAI({
    endpoint: both.addresses[runtime].replace(/\/v1$/, ''),
    apiKey: both.key,
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

  it('reads of a missing deployment what it is', async () => {
    const asking = client(runtime).chat.completions.create({
      model: 'nope',
      messages: [{ role: 'user', content: 'x' }],
    })
    await expect(asking).rejects.toMatchObject({ status: 404, code: 'model_not_found' })
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
