import { beforeEach, describe, expect, it } from 'vitest'
import { keepsToChoice, says } from '../support/anthropic.ts'
import { block, event, start } from '../support/anthropic-events.ts'
import { chat, errorOf, eventsOf, wordsOf } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { json, type Script, stream } from '../support/upstream.ts'

const { upstream, both } = serveBoth(
  'anthropic-failures',
  (url) => ({
    providers: {
      anthropic: { type: 'anthropic', baseURL: `${url}/v1`, apiKey: 'env:KEY' },
      again: { type: 'anthropic', baseURL: url, apiKey: 'env:KEY' },
    },
    models: { claude: { deployments: ['anthropic/claude-sonnet-4-5'], fallbacks: ['again/claude-opus-4-1'] } },
    retries: 0,
    cooldown: false,
  }),
  { env: { KEY: 'sk-ant-1' } },
)

const said = (type: string, message: string) => ({ type: 'error', error: { type, message }, request_id: 'req_1' })
const fails = (status: number, type: string, words: string, headers?: Record<string, string>): Script =>
  json(status, said(type, words), headers)
const text = (words: string) => block(0, { type: 'text', text: '' }, { type: 'text_delta', text: words })
const model = 'anthropic/claude-sonnet-4-5'

describe.each(runtimes)('A failure of Anthropic, on %s,', (runtime) => {
  beforeEach(() => {
    upstream.seen.length = 0
  })

  const ask = (script: Script, more: object = {}, name = model) => {
    upstream.script(script)
    return both.ask(runtime, chat(name, more))
  }

  it.each<[number, string, string, number, string | null, string | null]>([
    [400, 'invalid_request_error', 'messages.0.content: Field required', 400, null, null],
    [
      400,
      'invalid_request_error',
      'prompt is too long: 208310 tokens > 200000 maximum',
      400,
      'context_length_exceeded',
      'messages',
    ],
    [
      400,
      'invalid_request_error',
      'input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000',
      400,
      'context_length_exceeded',
      'messages',
    ],
    [
      400,
      'invalid_request_error',
      'Your credit balance is too low to access the Anthropic API.',
      429,
      'insufficient_quota',
      null,
    ],
    [
      400,
      'invalid_request_error',
      'You have reached your specified API usage limits.',
      429,
      'insufficient_quota',
      null,
    ],
    [400, 'invalid_request_error', 'This organization has been disabled.', 502, 'upstream_credentials_rejected', null],
    [
      400,
      'invalid_request_error',
      'This model does not support assistant message prefill. The conversation must end with a user message.',
      400,
      'unsupported_parameter',
      'messages',
    ],
    [
      400,
      'invalid_request_error',
      'tool_choice forces tool use is not compatible with this model',
      400,
      'unsupported_parameter',
      'tool_choice',
    ],
    [400, 'invalid_request_error', 'min_p: Extra inputs are not permitted', 400, 'unsupported_parameter', 'min_p'],
    [401, 'authentication_error', 'invalid x-api-key', 502, 'upstream_credentials_rejected', null],
    [402, 'billing_error', 'There is an issue with your billing.', 429, 'insufficient_quota', null],
    [403, 'permission_error', 'Your API key may not use this.', 502, 'upstream_credentials_rejected', null],
    [404, 'not_found_error', 'model: claude-sonnet-4-5', 404, 'model_not_found', null],
    [413, 'request_too_large', 'Request exceeds the maximum size', 400, 'context_length_exceeded', 'messages'],
    [429, 'rate_limit_error', "This request would exceed your account's rate limit.", 429, 'rate_limit_exceeded', null],
    [500, 'api_error', 'Internal server error', 502, 'upstream_error', null],
    [500, 'api_error', 'Overloaded', 503, 'capacity_exhausted', null],
    [504, 'timeout_error', 'The request timed out', 504, 'upstream_timeout', null],
    [529, 'overloaded_error', 'Overloaded', 503, 'capacity_exhausted', null],
  ])('of %i %s, %s, is told in the terms of OpenAI', async (status, type, words, wanted, code, param) => {
    const reply = await ask(fails(status, type, words), { min_p: 0.1 })
    expect([reply.status, errorOf(reply).code, errorOf(reply).param]).toEqual([wanted, code, param])
    expect(reply.text).not.toContain('sk-ant-1')
  })

  it('says when to come again', async () => {
    const reply = await ask(fails(429, 'rate_limit_error', 'Slow down', { 'retry-after': '7' }))
    expect(reply.headers.get('retry-after')).toBe('7')
  })

  it.each<[string, string, number, string]>([
    ['overloaded_error', 'Overloaded', 503, 'capacity_exhausted'],
    ['rate_limit_error', 'Slow down', 429, 'rate_limit_exceeded'],
    ['api_error', 'Internal server error', 502, 'upstream_error'],
    ['authentication_error', 'invalid x-api-key sk-ant-1', 502, 'upstream_credentials_rejected'],
    ['invalid_request_error', 'prompt is too long: 208310 tokens > 200000 maximum', 400, 'context_length_exceeded'],
    ['not_found_error', 'model: claude-sonnet-4-5', 404, 'model_not_found'],
    ['something_new', 'Odd', 502, 'upstream_error'],
  ])('in an event of %s at the start of a stream is one of the request', async (type, words, status, code) => {
    const reply = await ask(stream([start, event('error', said(type, words))]), { stream: true })
    expect([reply.status, errorOf(reply).code]).toEqual([status, code])
    expect(reply.text).not.toContain('sk-ant-1')
  })

  it('at the start of a stream goes to the next model', async () => {
    upstream.script(
      stream([start, event('ping'), event('error', said('overloaded_error', 'Overloaded'))]),
      says('Hello'),
    )
    const reply = await both.ask(runtime, chat('claude', { stream: true }))
    expect([reply.status, wordsOf(reply.text)]).toEqual([200, 'Hello'])
    expect(reply.headers.get('x-samewire-model')).toBe('again/claude-opus-4-1')
  })

  it('in the middle of a stream is its last event', async () => {
    const script = stream([start, ...text('Hel'), event('error', said('overloaded_error', 'Overloaded'))])
    const data = eventsOf((await ask(script, { stream: true })).text).map((one) => one.data)
    expect(JSON.parse(data.at(-1) ?? '')).toMatchObject({ error: { code: 'capacity_exhausted' } })
  })

  it.each<[string, string[]]>([
    ['in a text', [start, event('content_block_start', { index: 0, content_block: { type: 'text', text: 'Hel' } })]],
    ['after a block', [start, ...text('Hel'), event('ping')]],
  ])('is told where a stream ends %s', async (_, pieces) => {
    const data = eventsOf((await ask(stream(pieces), { stream: true })).text).map((one) => one.data)
    expect(data).not.toContain('[DONE]')
    expect(JSON.parse(data.at(-1) ?? '')).toMatchObject({ error: { code: 'upstream_stream_truncated' } })
  })

  it.each<[string, string, object]>([
    ['a temperature', '`temperature` is deprecated for this model.', { temperature: 0.5 }],
    ['two of the fields for it', '`temperature` and `top_p` cannot both be specified for this model.', { top_p: 0.5 }],
  ])('for %s, by a model of whose name nothing is known, is mended', async (_, words, more) => {
    upstream.script(fails(400, 'invalid_request_error', words), keepsToChoice)
    const reply = await both.ask(runtime, chat(`anthropic/m-${Object.keys(more)}`, more))
    expect([reply.status, upstream.seen.length]).toEqual([200, 2])
    expect(JSON.parse(upstream.seen[1]?.body ?? '')).not.toHaveProperty(Object.keys(more)[0] ?? '')
  })

  it.each([
    ['without content', { type: 'message', role: 'assistant', stop_reason: 'end_turn' }],
    ['of no message', {}],
  ])('that is an answer %s is told', async (_, answer) => {
    const reply = await ask(json(200, answer))
    expect([reply.status, errorOf(reply).code]).toEqual([502, 'upstream_invalid_response'])
  })
})
