import { beforeEach, describe, expect, it } from 'vitest'
import { runtimes, serveBoth } from '../support/both.ts'
import { asking, readEvents, wholeOf } from '../support/messages.ts'
import { chatAnswer, chatFrames, chunk, json, reset, stream } from '../support/upstream.ts'

const { upstream, both } = serveBoth('messages-failures', (url) => ({
  providers: { up: { type: 'openai-compatible', baseURL: url } },
  models: { two: { deployments: ['up/one'], fallbacks: ['up/two'] } },
  retries: 0,
  cooldown: false,
}))

const user = (content: unknown) => ({ role: 'user', content })
const failure = (message: string, more: object = {}) => ({
  error: { message, type: null, param: null, code: null, ...more },
})

describe.each(runtimes)('On %s, a request for a message', (runtime) => {
  beforeEach(() => {
    upstream.seen.length = 0
    upstream.script(json(200, chatAnswer('Hi')))
  })

  async function errorFor(body: unknown, path = '/messages') {
    const reply = await both.ask(runtime, body, path)
    const { error, ...rest } = JSON.parse(reply.text) as { error: { type: string; message: string } }
    const id = reply.headers.get('request-id')
    expect(id).toMatch(/^req_/)
    expect(rest).toEqual({ type: 'error', request_id: id })
    return { status: reply.status, ...error }
  }

  it.each([
    ['model', { model: undefined }, 'model: Field required'],
    ['max_tokens', { max_tokens: undefined }, 'max_tokens: Field required'],
    ['a whole max_tokens', { max_tokens: '100' }, 'max_tokens: Input should be a valid integer'],
    ['messages', { messages: undefined }, 'messages: Field required'],
    ['any message', { messages: [] }, 'messages: at least one message is required'],
    ['texts to stop at', { stop_sequences: ['a', 1] }, 'stop_sequences.1: Input should be a valid string'],
    [
      'tools, though one must be called,',
      { tool_choice: { type: 'any' } },
      'tool_choice may only be specified while providing tools',
    ],
    ['a list', { messages: {} }, 'messages: Input should be a valid list'],
    ['objects', { messages: ['hi'] }, 'messages.0: Input should be a valid dictionary'],
    ['a role', { messages: [{ content: 'hi' }] }, 'messages.0.role: Field required'],
    [
      'a known role',
      { messages: [{ role: 'tool', content: 'hi' }] },
      "messages.0.role: Input should be 'user' or 'assistant'",
    ],
    ['a content', { messages: [{ role: 'user' }] }, 'messages.0.content: Field required'],
    [
      'a content of the user',
      { messages: [{ role: 'user', content: [] }] },
      'messages.0: user messages must have non-empty content',
    ],
    [
      'a content of the user at the end',
      { messages: [user('a'), { role: 'assistant', content: 'b' }, user([])] },
      'messages.2: user messages must have non-empty content',
    ],
    [
      'a content of any message',
      { messages: [{ role: 'assistant', content: [] }] },
      'messages: at least one message must have content',
    ],
    [
      'the type of a block',
      { messages: [{ role: 'user', content: [{}] }] },
      'messages.0.content.0.type: Field required',
    ],
    [
      'a block',
      { messages: [{ role: 'user', content: ['hi'] }] },
      'messages.0.content.0: Input should be a valid dictionary',
    ],
    [
      'a text',
      { messages: [{ role: 'user', content: [{ type: 'text' }] }] },
      'messages.0.content.0.text: Field required',
    ],
    [
      'a source',
      { messages: [{ role: 'user', content: [{ type: 'image' }] }] },
      'messages.0.content.0.source: Field required',
    ],
    [
      'the source of a block behind others',
      { messages: [{ role: 'user', content: [{ type: 'text', text: 'hi' }, { type: 'image' }] }] },
      'messages.0.content.1.source: Field required',
    ],
    [
      'the text of a block of the assistant behind others',
      { messages: [{ role: 'assistant', content: [{ type: 'text', text: 'hi' }, { type: 'text' }] }] },
      'messages.0.content.1.text: Field required',
    ],
    [
      'the id of a result',
      { messages: [{ role: 'user', content: [{ type: 'tool_result' }] }] },
      'messages.0.content.0.tool_use_id: Field required',
    ],
    [
      'an input',
      { messages: [{ role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'f', input: 'x' }] }] },
      'messages.0.content.0.input: Input should be a valid dictionary',
    ],
    ['names of tools', { tools: [{ input_schema: {} }] }, 'tools.0.name: Field required'],
    [
      'a tool that is there',
      { tool_choice: { type: 'tool', name: 'f' } },
      "tool_choice.name: Tool 'f' not found in provided tools",
    ],
  ])('without %s is refused in the words of Anthropic', async (_, fields, message) => {
    expect(await errorFor(asking('up/m', 'hi', fields))).toEqual({
      status: 400,
      type: 'invalid_request_error',
      message,
    })
    expect(upstream.seen).toEqual([])
  })

  it.each([
    ['an image by the id of a file', [{ type: 'image', source: { type: 'file', file_id: 'file_1' } }], {}],
    ['a document by its address', [{ type: 'document', source: { type: 'url', url: 'https://a.test/a.pdf' } }], {}],
    ['nothing at its end but what no chat has', [{ type: 'container_upload', file_id: 'file_1' }], {}],
    [
      'a tool of Anthropic that must be called',
      'hi',
      { tools: [{ type: 'bash_20250124', name: 'bash' }], tool_choice: { type: 'any' } },
    ],
  ])('with %s is refused', async (_, content, fields) => {
    expect(await errorFor(asking('up/m', content, fields))).toMatchObject({
      status: 400,
      type: 'invalid_request_error',
    })
    expect(upstream.seen).toEqual([])
  })

  it.each([
    ['begins a thread', '/messages', { type: 'create' }],
    ['goes on with a thread', '/messages', { type: 'continue', previous_message_id: 'msg_1' }],
    ['counts what is in a thread', '/messages/count_tokens', { type: 'continue', previous_message_id: 'msg_1' }],
  ])('that %s is refused so that its SDK sends the whole conversation', async (_, path, thread) => {
    for (const stream of [false, true]) {
      expect(await errorFor(asking('up/m', 'hi', { thread, stream }), path)).toEqual({
        status: 400,
        type: 'invalid_request_error',
        message: expect.stringMatching(/^thread: /),
        details: { error_code: 'thread_unsupported_request', unsupported: ['thread'] },
      })
    }
    expect(upstream.seen).toEqual([])
  })

  it.each([
    ['{', 'The request body is not valid JSON'],
    ['[]', 'The request body is not valid JSON: it is not a JSON object.'],
  ])('that is no JSON object, %s, is refused', async (body, message) => {
    expect(await errorFor(body)).toEqual({ status: 400, type: 'invalid_request_error', message })
  })

  it('for an unknown model is told so', async () => {
    expect(await errorFor(asking('nobody', 'hi'))).toMatchObject({ status: 404, type: 'not_found_error' })
  })

  it.each([
    [400, failure('Bad max_completion_tokens'), 400, 'invalid_request_error', 'Bad max_tokens'],
    [401, failure('Bad key'), 502, 'api_error', undefined],
    [404, failure('The model `m` does not exist', { code: 'model_not_found' }), 404, 'not_found_error', undefined],
    [429, failure('Slow down'), 429, 'rate_limit_error', 'Slow down'],
    [429, failure('You have no credit', { code: 'insufficient_quota' }), 402, 'billing_error', 'You have no credit'],
    [500, failure('Oops'), 502, 'api_error', undefined],
    [503, failure('overloaded'), 529, 'overloaded_error', undefined],
    [
      400,
      failure("This model's maximum context length is 4096 tokens. However, you requested 9000 tokens.", {
        code: 'context_length_exceeded',
      }),
      ...([400, 'invalid_request_error', 'prompt is too long: 9000 tokens > 4096 maximum'] as const),
    ],
    [400, failure('input is too long for requested model'), 400, 'invalid_request_error', undefined],
  ])('that is answered with %i %j gets a %i %s', async (status, body, told, type, message) => {
    upstream.script(json(status, body))
    for (const stream of [false, true]) {
      const error = await errorFor(asking('up/m', 'hi', { stream }))
      expect(error).toMatchObject({ status: told, type, ...(message !== undefined && { message }) })
    }
  })

  it('says that a prompt is too long also where nobody counts', async () => {
    upstream.script(json(400, failure('input is too long for requested model')))
    expect((await errorFor(asking('up/m', 'hi'))).message).toMatch(/^prompt is too long: /)
  })

  it('is told of its own field where a server refuses what that is in a chat', async () => {
    const message = "Unsupported parameter: 'stop' is not supported with this model."
    upstream.script(json(400, failure(message, { param: 'stop', code: 'unsupported_parameter' })))
    const error = await errorFor(asking('up/m', 'hi', { stop_sequences: ['x'] }))
    expect(error.message).toBe("Unsupported parameter: 'stop_sequences' is not supported with this model.")
  })

  it.each([
    ['reasoning_effort', { thinking: { type: 'enabled', budget_tokens: 2000 } }],
    ['top_k', { top_k: 40 }],
  ])('is answered without the hint %s where the model takes none, and tells that', async (name, hint) => {
    const refusal = failure(`Unrecognized request argument supplied: ${name}`, { type: 'invalid_request_error' })
    upstream.script((request, ...rest) =>
      (name in (JSON.parse(request.body) as object) ? json(400, refusal) : json(200, chatAnswer('Hi')))(
        request,
        ...rest,
      ),
    )
    for (const stream of [false, true]) {
      const reply = await both.ask(runtime, asking(`up/without-${name}`, 'hi', { ...hint, stream }), '/messages')
      expect([reply.status, reply.headers.get('x-samewire-dropped')], reply.text).toEqual([200, name])
    }
  })

  it('is answered by another model where the first one fails', async () => {
    upstream.script((request, ...rest) =>
      (request.body.includes('"one"') ? json(500, failure('Oops')) : json(200, chatAnswer('Hi')))(request, ...rest),
    )
    const reply = await both.ask(runtime, asking('two', 'hi'), '/messages')
    expect([reply.status, reply.headers.get('x-samewire-model')]).toEqual([200, 'up/two'])
  })

  it.each([
    ['breaks off', stream(chatFrames('Hel').slice(0, 2), 'reset'), 'api_error'],
    ['ends too early', stream(chatFrames('Hel').slice(0, 2)), 'api_error'],
    [
      'tells that its server is overloaded',
      stream([
        ...chatFrames('Hel').slice(0, 2),
        `data: ${JSON.stringify(failure('Overloaded', { code: 503, type: 'overloaded_error' }))}\n\n`,
      ]),
      'overloaded_error',
    ],
    [
      'breaks off in a call',
      stream([
        chunk({ tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '{"x' } }] }),
      ]),
      'api_error',
    ],
  ])('ends with an error if its stream %s', async (_, script, type) => {
    upstream.script(script)
    const reply = await both.ask(runtime, asking('up/m', 'hi', { stream: true }), '/messages')
    expect(reply.status).toBe(200)
    const events = readEvents(reply.text)
    expect(events.at(-1)).toEqual({ type: 'error', error: { type, message: expect.any(String) } })
    expect(events.some(({ type: one }) => one === 'message_stop')).toBe(false)
  })

  it('whose upstream dies at once gets a plain error', async () => {
    upstream.script(reset)
    expect(await errorFor(asking('up/m', 'hi', { stream: true }))).toMatchObject({ status: 502, type: 'api_error' })
  })

  it('for a stream that comes whole is answered with a stream', async () => {
    const reply = await both.ask(runtime, asking('up/m', 'hi', { stream: true }), '/messages')
    expect(wholeOf(readEvents(reply.text)).content).toEqual([{ type: 'text', text: 'Hi' }])
  })

  it('needs a key, in whatever header', async () => {
    const post = (headers: Record<string, string>) =>
      fetch(`${both.addresses[runtime]}/messages`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(asking('up/m', 'hi')),
      })
    const refused = await post({})
    expect(refused.status).toBe(401)
    const error = { type: 'authentication_error', message: 'x-api-key header is required' }
    expect(await refused.json()).toMatchObject({ type: 'error', error })
    for (const headers of [{ 'x-api-key': both.key }, { authorization: `Bearer ${both.key}` }]) {
      expect((await post(headers as unknown as Record<string, string>)).status).toBe(200)
    }
  })
})
