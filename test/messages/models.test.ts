import { describe, expect, it } from 'vitest'
import { runtimes, serveBoth } from '../support/both.ts'
import { asking } from '../support/messages.ts'
import { json } from '../support/upstream.ts'

const { upstream, both } = serveBoth('messages-models', (url) => ({
  providers: { up: { type: 'openai-compatible', baseURL: url }, counting: { type: 'vllm', baseURL: url } },
  models: {
    one: { deployments: [{ model: 'up/one', contextWindow: 8192, maxOutput: 1024 }] },
    two: { deployments: ['up/two'] },
    'a/three': { deployments: ['up/three'] },
  },
}))

describe.each(runtimes)("On %s, Anthropic's clients", (runtime) => {
  const base = () => both.addresses[runtime]
  const get = async (path: string, headers: object = { 'anthropic-version': '2023-06-01' }) => {
    const response = await fetch(base() + path, { headers: { 'x-api-key': both.key, ...headers } })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }

  it('see that there is a server', async () => {
    for (const url of [base().replace('/v1', ''), base()]) {
      const response = await fetch(url, { method: 'HEAD' })
      expect([response.status, await response.text()]).toEqual([200, ''])
    }
  })

  it('list the models in their own form, and others in that of OpenAI', async () => {
    upstream.script(json(404, {}))
    const { body } = await get('/models')
    const created = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) as unknown
    const info = { type: 'model', created_at: created, max_input_tokens: null, max_tokens: null, capabilities: null }
    expect(body).toEqual({
      data: [
        { ...info, id: 'one', display_name: 'one', max_input_tokens: 8192, max_tokens: 1024 },
        { ...info, id: 'two', display_name: 'two' },
        { ...info, id: 'a/three', display_name: 'a/three' },
      ],
      ...{ has_more: false, first_id: 'one', last_id: 'a/three' },
    })
    expect((await get('/models', {})).body).toMatchObject({ object: 'list' })
    expect((await get('/models/a%2Fthree')).body).toEqual({ ...info, id: 'a/three', display_name: 'a/three' })
    expect((await get('/models/a/three', {})).body).toMatchObject({ object: 'model', id: 'a/three' })
  })

  it.each([
    ['limit=2', ['one', 'two'], true],
    ['limit=2&after_id=two', ['a/three'], false],
    ['after_id=one', ['two', 'a/three'], false],
    ['limit=1&before_id=a/three', ['two'], true],
    ['before_id=two', ['one'], false],
    ['after_id=a/three', [], false],
  ])('list them page by page: %s', async (query, ids, more) => {
    const { body } = await get(`/models?${query}`)
    expect((body.data as { id: string }[]).map(({ id }) => id)).toEqual(ids)
    expect(body).toMatchObject({ has_more: more, first_id: ids[0] ?? null, last_id: ids.at(-1) ?? null })
  })

  it('are told in their own words what is wrong', async () => {
    expect(await get('/models/nobody')).toMatchObject({
      status: 404,
      body: { type: 'error', error: { type: 'not_found_error' } },
    })
    expect(await get('/models?limit=0')).toMatchObject({
      status: 400,
      body: { error: { type: 'invalid_request_error' } },
    })
  })

  const { max_tokens: _, ...body } = asking('counting/m', 'How long am I?', {
    system: 'Be brief.',
    tools: [{ name: 'f', input_schema: { type: 'object' } }],
  })

  it('have tokens counted where the upstream counts', async () => {
    upstream.seen.length = 0
    upstream.script(json(200, { count: 42, max_model_len: 4096, tokens: [] }))
    const reply = await both.ask(runtime, body, '/messages/count_tokens?beta=true')
    expect([reply.status, JSON.parse(reply.text)]).toEqual([200, { input_tokens: 42 }])
    expect(reply.headers.get('x-samewire-notice')).toBeNull()
    expect(JSON.parse(upstream.seen.at(-1)?.body ?? '')).toMatchObject({
      model: 'm',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'How long am I?' },
      ],
      tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }],
    })
  })

  it('get a bound, and are told that it is one, where nobody counts', async () => {
    const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'aGk=' } }
    const turns = [
      { role: 'user', content: [{ type: 'text', text: 'What?' }, image] },
      { role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'f', input: {} }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a', content: 'done' }] },
    ]
    const reply = await both.ask(runtime, { ...body, model: 'up/m', messages: turns }, '/messages/count_tokens')
    const { input_tokens: bound } = JSON.parse(reply.text) as { input_tokens: number }
    expect(reply.status).toBe(200)
    expect(bound).toBeGreaterThan(50_000)
    expect(reply.headers.get('x-samewire-notice')).toMatch(/^an upper bound/)
  })

  it('are told what is wrong with what they want counted', async () => {
    const reply = await both.ask(runtime, { model: 'up/m' }, '/messages/count_tokens')
    expect([reply.status, JSON.parse(reply.text)]).toMatchObject([
      400,
      { error: { message: 'messages: Field required' } },
    ])
  })
})
