import { describe, expect, it } from 'vitest'
import { anthropicAt } from '../support/anthropic.ts'
import { message } from '../support/anthropic-events.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { duringTests } from '../support/during-tests.ts'
import { startGateway } from '../support/gateway.ts'
import { fakeUpstream, json, type Script } from '../support/upstream.ts'

const { upstream, both } = serveBoth('anthropic-beside', anthropicAt, { env: { KEY: 'sk-ant-1' } })

describe.each(runtimes)('Beside chats, on %s,', (runtime) => {
  it('Anthropic counts the tokens of a request', async () => {
    upstream.script(json(200, { input_tokens: 42 }))
    upstream.seen.length = 0
    const input = { model: 'anthropic/claude-sonnet-4-5', instructions: 'Be brief', input: 'hi', max_output_tokens: 5 }
    const reply = await both.ask(runtime, input, '/responses/input_tokens')
    expect(JSON.parse(reply.text)).toMatchObject({ object: 'response.input_tokens', input_tokens: 42 })
    expect(upstream.seen[0]).toMatchObject({ path: '/v1/messages/count_tokens', headers: { 'x-api-key': 'sk-ant-1' } })
    expect(JSON.parse(upstream.seen[0]?.body ?? '')).toEqual({
      model: 'claude-sonnet-4-5',
      system: [{ type: 'text', text: 'Be brief' }],
      messages: [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }],
    })
  })
})

const supported = (is: boolean) => ({ supported: is })

const pages: Record<string, object> = {
  '/v1/models?limit=1000': {
    data: [
      {
        type: 'model',
        id: 'claude-next',
        display_name: 'Claude Next',
        created_at: '2026-02-04T00:00:00Z',
        max_input_tokens: 1_000_000,
        max_tokens: 200_000,
        capabilities: {
          image_input: supported(true),
          pdf_input: supported(true),
          structured_outputs: supported(true),
          thinking: { ...supported(true), types: {} },
        },
      },
    ],
    has_more: true,
    first_id: 'claude-next',
    last_id: 'claude-next',
  },
  '/v1/models?limit=1000&after_id=claude-next': {
    data: [
      { type: 'model', id: 'claude-old', display_name: 'Old', created_at: '1970-01-01T00:00:00Z', capabilities: null },
    ],
    has_more: false,
    first_id: 'claude-old',
    last_id: 'claude-old',
  },
}

const serves: Script = (request, ...rest) =>
  json(200, request.method === 'GET' ? (pages[request.path] ?? {}) : message([{ type: 'text', text: 'Hi' }]))(
    request,
    ...rest,
  )

describe("The list of Anthropic's models", () => {
  const listing = duringTests(() => fakeUpstream(serves))
  const gateway = duringTests(() => startGateway(anthropicAt(listing.url), { env: { KEY: 'sk-ant-1' } }))

  it('is read to its end, with what it tells of each', async () => {
    const reply = await fetch(`${gateway.baseURL}/models`)
    const { data } = (await reply.json()) as { data: object[] }
    expect(data).toMatchObject([
      {
        id: expect.stringContaining('claude-next'),
        created: 1_770_163_200,
        owned_by: 'anthropic',
        context_length: 1_000_000,
        architecture: { input_modalities: ['text', 'image', 'file'], output_modalities: ['text'] },
      },
      { id: expect.stringContaining('claude-old') },
    ])
  })

  it('says how much a model can write, where a client sets no limit', async () => {
    await fetch(`${gateway.baseURL}/models`)
    await fetch(`${gateway.baseURL}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'claude-next', messages: [{ role: 'user', content: 'hi' }] }),
    })
    const asked = listing.seen.find(({ method }) => method === 'POST')
    expect(JSON.parse(asked?.body ?? '')).toMatchObject({ model: 'claude-next', max_tokens: 200_000 })
  })
})
