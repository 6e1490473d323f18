import { describe, expect, it } from 'vitest'
import { errorOf } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { asking } from '../support/response-events.ts'

const { upstream, both } = serveBoth('responses-refusals', (url) => ({
  providers: { up: { type: 'openai-compatible', baseURL: url } },
}))

const request = (input: unknown, more: object = {}) => asking('up/m', input, more)
const user = (content: unknown) => ({ role: 'user', content })
const call = { type: 'function_call', id: 'fc_a', call_id: 'a', name: 'f', arguments: '{"x":1}', status: 'completed' }
const result = { type: 'function_call_output', id: 'fco_a', call_id: 'a', output: 'done' }
const tool = (name: string) => ({ type: 'function', name, parameters: { type: 'object' } })
const namespaced = { type: 'namespace', name: 'agents', description: 'Agents.', tools: [tool('close')] }

describe.each(runtimes)('On %s, a request for a response that can’t be had', (runtime) => {
  const refusalOf = async (body: object) => {
    upstream.seen.length = 0
    const reply = await both.ask(runtime, body, '/responses')
    expect(upstream.seen).toEqual([])
    return { status: reply.status, ...errorOf(reply) }
  }

  it.each([
    ['a previous response', { previous_response_id: 'resp_1' }, 'previous_response_id', 'previous_response_not_found'],
    ['a response that an object names', { previous_response_id: {} }, 'previous_response_id', 'invalid_type'],
    ['a conversation that a number names', { conversation: 5 }, 'conversation', 'invalid_type'],
    ['a stored prompt', { prompt: { id: 'pmpt_1' } }, 'prompt', 'unsupported_parameter'],
    ['the background', { background: true }, 'background', 'unsupported_parameter'],
  ])('since it needs %s is told so', async (_what, more, param, code) => {
    expect(await refusalOf(request('hi', more))).toMatchObject({ status: 400, param, code })
  })

  it('since it names a conversation is told that there is none, as by OpenAI', async () => {
    const message = "Conversation with id 'conv_1' not found."
    const told = { status: 404, type: 'invalid_request_error', param: null, code: null, message }
    for (const conversation of ['conv_1', { id: 'conv_1' }])
      expect(await refusalOf(request('hi', { conversation }))).toMatchObject(told)
  })

  const notFound = 'previous_response_not_found'
  const unsupported = 'unsupported_parameter'
  const missing = 'missing_required_parameter'
  const invalid = 'invalid_value'
  it.each([
    ['a stored item', [{ type: 'item_reference', id: 'msg_1' }], 'input[0]', notFound],
    ['a stored item without its type', [{ id: 'msg_1' }], 'input[0]', notFound],
    ['an image by id', [user([{ type: 'input_image', file_id: 'f' }])], 'input[0].content[0]', unsupported],
    ['a file by id', [user([{ type: 'input_file', file_id: 'f' }])], 'input[0].content[0]', unsupported],
    ['no content', [{ role: 'user' }], 'input[0].content', missing],
    ['no role', [{ content: 'hi' }], 'input[0].role', missing],
    ['no text', [user([{ type: 'input_text' }])], 'input[0].content[0].text', missing],
    ['no id of a call', [user('hi'), { ...call, call_id: undefined }], 'input[1].call_id', missing],
    ['a result without its call', [result], 'input', null],
    ['a call with an object', [{ ...call, arguments: {} }], 'input[0].arguments', 'invalid_type'],
    ['nothing that chats have', [{ type: 'web_search_call', id: 'ws' }], 'input', unsupported],
    ['no object', ['hi'], 'input[0]', 'invalid_type'],
    ['content of a wrong type', [user(5)], 'input[0].content', 'invalid_type'],
    ['nothing', [], 'input', 'empty_array'],
    ['a number', 5, 'input', 'invalid_type'],
  ])('with an input of %s is told where', async (_what, input, param, code) => {
    expect(await refusalOf(request(input))).toMatchObject({ status: 400, param, code })
  })

  const f = tool('f')
  it.each([
    ['a format that is a text', { text: { format: 'json' } }, 'text.format', 'invalid_type'],
    ['a conversation without an id', { conversation: {} }, 'conversation.id', missing],
    ['a tool in chat’s form', { tools: [f, { type: 'function', function: { name: 'g' } }] }, 'tools[1].name', missing],
    ['a tool without a name', { tools: [{ type: 'custom' }] }, 'tools[0].name', missing],
    [
      'one in a namespace',
      { tools: [{ ...namespaced, tools: [{ type: 'function' }] }] },
      'tools[0].tools[0].name',
      missing,
    ],
    ['a choice of no tool', { tools: [f], tool_choice: { type: 'function', name: 'typo' } }, 'tool_choice', invalid],
    [
      'a choice in chat’s form',
      { tools: [f], tool_choice: { type: 'function', function: { name: 'f' } } },
      'tool_choice.name',
      missing,
    ],
    [
      'a tool allowed that is not there',
      {
        tools: [f],
        tool_choice: { type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name: 'g' }] },
      },
      'tool_choice',
      invalid,
    ],
    ['an unknown mode', { tools: [f], tool_choice: 'banana' }, 'tool_choice', invalid],
    ['a number for a choice', { tools: [f], tool_choice: 5 }, 'tool_choice', 'invalid_type'],
  ])('with %s is told where', async (_what, more, param, code) => {
    expect(await refusalOf(request('hi', more))).toMatchObject({ status: 400, param, code })
  })

  it('since it names what is not stored is told how it can be sent instead', async () => {
    const { message } = await refusalOf(request([{ type: 'item_reference', id: 'msg_1' }, user('hi')]))
    expect(message).toMatch(/^Item with id 'msg_1' not found\. .*`store: false`.*`providerOptions: .*store: false/)
  })

  it('without an input is told so', async () => {
    expect(await refusalOf({ model: 'up/m' })).toMatchObject({ status: 400, param: 'input', code: missing })
  })
})
