import { describe, expect, it } from 'vitest'
import { runtimes, serveBoth } from '../support/both.ts'
import { message, response } from '../support/responses.ts'
import { json, type Script } from '../support/upstream.ts'

const known: ReadonlySet<string> = new Set(
  ['model', 'input', 'max_output_tokens', 'reasoning', 'text'].concat(['tools', 'tool_choice', 'temperature']),
)

/** As OpenAI refuses what only chats have. */
const strict: Script = (request, ...rest) => {
  const foreign = Object.keys(JSON.parse(request.body || '{}') as object).find((name) => !known.has(name))
  const error = { type: 'invalid_request_error', param: foreign, code: 'unknown_parameter' }
  return (
    foreign
      ? json(400, { error: { ...error, message: `Unknown parameter: '${foreign}'.` } })
      : json(200, response('completed', { output: [message('Hello')] }))
  )(request, ...rest)
}

const schema = { name: 'n', strict: true, schema: { type: 'object' } }
const format = { type: 'json_schema', json_schema: schema }
const tool = { type: 'function', name: 'f', parameters: { type: 'object' } }
const { type: _, ...called } = tool

const { upstream, both } = serveBoth(
  'responses-params',
  (url) => {
    const configured = (model: string, more: object) => ({ deployments: [{ model: `up/${model}`, ...more }] })
    return {
      providers: { up: { type: 'openai', baseURL: url, apiKey: 'env:KEY' } },
      models: {
        limited: configured('limited', { params: { max_tokens: 50 } }),
        capped: configured('capped', { overrides: { max_completion_tokens: 50 } }),
        thoughtful: configured('thoughtful', { overrides: { reasoning_effort: 'low' } }),
        formed: configured('formed', { params: { response_format: format, verbosity: 'low' } }),
        calling: configured('calling', {
          params: { tools: [{ type: 'function', function: called }], tool_choice: 'auto' },
        }),
        stopping: configured('stopping', { params: { stop: ['x'], seed: 1 } }),
        own: configured('own', { params: { max_output_tokens: 9, temperature: 0.1 } }),
      },
      retries: 0,
      cooldown: false,
    }
  },
  { env: { KEY: 'sk-up' }, script: strict },
)

describe.each(runtimes)('On %s, a request for a response that its provider makes itself', (runtime) => {
  const ask = async (model: string, more: object = {}) => {
    upstream.seen.length = 0
    const reply = await both.ask(runtime, { model, input: 'hi', ...more }, '/responses')
    expect({ status: reply.status, text: reply.text }).toMatchObject({ status: 200 })
    const { model: _model, input: _input, ...sent } = JSON.parse(upstream.seen.at(-1)?.body ?? '') as Sent
    return { reply, sent, times: upstream.seen.length }
  }

  it.each([
    ['limited', {}, { max_output_tokens: 50 }],
    ['limited', { max_output_tokens: 7 }, { max_output_tokens: 7 }],
    ['capped', { max_output_tokens: 700 }, { max_output_tokens: 50 }],
    [
      'thoughtful',
      { reasoning: { effort: 'high', summary: 'auto' } },
      { reasoning: { summary: 'auto', effort: 'low' } },
    ],
    ['formed', {}, { text: { format: { type: 'json_schema', ...schema }, verbosity: 'low' } }],
    [
      'formed',
      { text: { verbosity: 'high' } },
      { text: { format: { type: 'json_schema', ...schema }, verbosity: 'high' } },
    ],
    ['calling', {}, { tools: [tool], tool_choice: 'auto' }],
    ['own', { temperature: 1 }, { max_output_tokens: 9, temperature: 1 }],
  ])(
    'has what the configuration of %s says of chats by the names of responses, with %j',
    async (model, more, expected) => {
      const { sent, times } = await ask(model, more)
      expect(sent).toEqual(expected)
      expect(times).toBe(1)
    },
  )

  it('goes without what its configuration sets and no response has, and is told so', async () => {
    const first = await ask('stopping')
    expect(first.sent).toEqual({})
    expect(first.reply.headers.get('x-samewire-dropped')).toBe('stop, seed')
    const second = await ask('stopping')
    expect(second.times).toBe(1)
    expect(second.reply.headers.get('x-samewire-dropped')).toBe('stop, seed')
  })

  it('is refused for what the client itself asks of it', async () => {
    await ask('stopping')
    const reply = await both.ask(runtime, { model: 'stopping', input: 'hi', stop: ['y'] }, '/responses')
    expect(reply.status).toBe(400)
    expect(JSON.parse(reply.text)).toMatchObject({ error: { param: 'stop' } })
  })
})

interface Sent extends Record<string, unknown> {
  readonly model: string
}
