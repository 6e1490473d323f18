import { describe, expect, it } from 'vitest'
import { contentOf, wordsOf } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { chatAnswer, chatFrames, json, stream } from '../support/upstream.ts'

const { upstream, both } = serveBoth('chat-with-input', (url) => ({
  providers: { up: { type: 'openai-compatible', baseURL: url } },
  cooldown: false,
}))

const flat = { type: 'function', name: 'look', description: 'Looks', parameters: { type: 'object' }, strict: false }
const { type, ...called } = flat
const nested = { type, function: called }

describe.each(runtimes)('On %s, a request for a chat', (runtime) => {
  const ask = async (body: object) => {
    upstream.seen.length = 0
    upstream.script(json(200, chatAnswer('Hello')))
    const reply = await both.ask(runtime, { model: 'up/m', ...body })
    return { reply, sent: JSON.parse(upstream.seen.find(({ method }) => method === 'POST')?.body ?? 'null') as unknown }
  }

  it.each([[undefined], [null], [[]]])('may have an input instead of messages (%s)', async (messages) => {
    const { reply, sent } = await ask({
      messages,
      instructions: 'Be brief.',
      input: [
        { role: 'user', content: [{ type: 'input_text', text: 'Look!' }] },
        { type: 'function_call', call_id: 'c1', name: 'look', arguments: '{}' },
        { type: 'function_call_output', call_id: 'c1', output: 'rain' },
      ],
      tools: [flat],
      tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'look' }] },
      reasoning: { effort: 'low' },
      text: { verbosity: 'low' },
      max_output_tokens: 50,
    })
    expect(contentOf(reply.text)).toBe('Hello')
    expect(JSON.parse(reply.text)).toMatchObject({ object: 'chat.completion' })
    expect(sent).toEqual({
      model: 'm',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Look!' },
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'c1', type: 'function', function: { name: 'look', arguments: '{}' } }],
        },
        { role: 'tool', tool_call_id: 'c1', content: 'rain' },
      ],
      tools: [nested],
      tool_choice: 'auto',
      reasoning_effort: 'low',
      verbosity: 'low',
      max_completion_tokens: 50,
    })
  })

  it('is streamed as a chat, with the usage only if it says so', async () => {
    for (const options of [undefined, { include_usage: true }]) {
      upstream.seen.length = 0
      upstream.script(stream(chatFrames('Hel', 'lo')))
      const body = { model: 'up/m', input: 'hi', stream: true, ...(options && { stream_options: options }) }
      expect(wordsOf((await both.ask(runtime, body)).text)).toBe('Hello')
      const sent = JSON.parse(upstream.seen.find(({ method }) => method === 'POST')?.body ?? '') as object
      expect(sent).toEqual({ ...body, model: 'm', input: undefined, messages: [{ role: 'user', content: 'hi' }] })
    }
  })

  it.each([
    [
      { type: 'function', function: { name: 'look' } },
      { type: 'function', function: { name: 'look' } },
    ],
    [{ type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [nested] } }, 'required'],
  ])('may have the tools of a chat and its choice beside an input: %j', async (choice, expected) => {
    const { sent } = await ask({ input: 'hi', tools: [nested], tool_choice: choice })
    expect(sent).toMatchObject({ tools: [nested], tool_choice: expected })
  })

  it('is told which of its tools no chat has', async () => {
    const { reply } = await ask({ input: 'hi', tools: [nested, { type: 'web_search' }] })
    expect(reply.headers.get('x-samewire-dropped')).toBe('tools.web_search')
  })

  it('may have the flat tools of a response beside its messages', async () => {
    const messages = [{ role: 'user', content: 'hi' }]
    const { sent } = await ask({ messages, tools: [flat, nested], tool_choice: { type: 'function', name: 'look' } })
    const choice = { type: 'function', function: { name: 'look' } }
    expect(sent).toEqual({ model: 'm', messages, tools: [nested, nested], tool_choice: choice })
  })

  it('may have an empty list where the assistant only called', async () => {
    const turn = {
      role: 'assistant',
      tool_calls: [{ id: 'c1', type: 'function', function: { name: 'look', arguments: '{}' } }],
    }
    const messages = [
      { role: 'user', content: 'hi' },
      { ...turn, content: [] },
      { role: 'tool', tool_call_id: 'c1', content: 'rain' },
    ]
    const { sent } = await ask({ messages, tools: [nested] })
    expect(sent).toEqual({
      model: 'm',
      messages: [messages[0], { ...turn, content: null }, messages[2]],
      tools: [nested],
    })
  })

  describe('with custom tools', () => {
    const format = { type: 'grammar', syntax: 'lark', definition: 'start: /.+/' }
    const patch = { type: 'custom', name: 'ApplyPatch', description: 'Edits.', format }
    const { type: _, syntax, definition } = format
    const custom = {
      name: 'ApplyPatch',
      description: 'Edits.',
      format: { type: 'grammar', grammar: { syntax, definition } },
    }
    const calledPatch = { id: 'c1', type: 'custom', custom: { name: 'ApplyPatch', input: '*** Begin\n' } }

    it('may have them flat, beside its messages', async () => {
      const messages = [{ role: 'user', content: 'hi' }]
      const choice = { type: 'custom', name: 'ApplyPatch' }
      const { sent } = await ask({ messages, tools: [nested, patch], tool_choice: choice })
      expect(sent).toMatchObject({
        tools: [nested, { type: 'custom', custom }],
        tool_choice: { type: 'custom', custom: { name: 'ApplyPatch' } },
      })
    })

    it('keeps them and their calls where it has an input', async () => {
      for (const tool of [patch, { type: 'custom', custom }]) {
        const { sent } = await ask({
          input: [
            { role: 'user', content: 'hi' },
            { type: 'custom_tool_call', call_id: 'c1', name: 'ApplyPatch', input: '*** Begin\n' },
            { type: 'custom_tool_call_output', call_id: 'c1', output: 'Done' },
          ],
          tools: [flat, tool],
          tool_choice: { type: 'custom', name: 'ApplyPatch' },
        })
        expect(sent).toEqual({
          model: 'm',
          messages: [
            { role: 'user', content: 'hi' },
            { role: 'assistant', content: null, tool_calls: [calledPatch] },
            { role: 'tool', tool_call_id: 'c1', content: 'Done' },
          ],
          tools: [nested, { type: 'custom', custom }],
          tool_choice: { type: 'custom', custom: { name: 'ApplyPatch' } },
        })
      }
    })
  })

  it('without either still needs messages', async () => {
    const { reply } = await ask({})
    expect(JSON.parse(reply.text)).toMatchObject({ error: { param: 'messages' } })
  })

  it('for a response is explained with what a chat leaves out, or refuses', async () => {
    const explained = async (body: object) => {
      const { text } = await both.ask(runtime, { model: 'up/m', input: 'hi', ...body }, '/explain')
      return (JSON.parse(text) as { attempts: [object] }).attempts[0]
    }
    expect(await explained({ tools: [flat, { type: 'web_search' }] })).toMatchObject({
      dropped: ['tools.web_search'],
      refusal: null,
    })
    expect(await explained({ previous_response_id: 'resp_1' })).toMatchObject({
      refusal: { reason: 'incapable', param: 'previous_response_id' },
    })
  })

  it('is explained as what it becomes', async () => {
    const explained = async (body: object, query = '') => {
      const { text } = await both.ask(runtime, { model: 'up/m', ...body }, `/explain${query}`)
      return (JSON.parse(text) as { operation: string }).operation
    }
    expect(await explained({ input: 'hi' }, '?operation=chat')).toBe('chat')
    expect(await explained({ input: 'hi' }, '?operation=responses')).toBe('responses')
    expect(await explained({ input: 'hi' })).toBe('embeddings')
    expect(await explained({ input: ['hi', 'ho'], dimensions: 3 })).toBe('embeddings')
    expect(await explained({ input: 'hi', instructions: 'Be brief.' })).toBe('responses')
    expect(await explained({ input: 'hi', tools: [flat] })).toBe('responses')
    expect(await explained({ input: [{ role: 'user', content: 'hi' }] })).toBe('responses')
    expect(await explained({ input: [{ type: 'function_call_output', call_id: 'c', output: 'x' }] })).toBe('responses')
    expect(await explained({ prompt: { id: 'pmpt_1' } })).toBe('responses')
    expect(await explained({ prompt: 'hi' })).toBe('completions')
  })
})

describe.each(runtimes)('On %s, a stored response', (runtime) => {
  const ask = (method: string, path: string) =>
    fetch(both.addresses[runtime] + path, { method, headers: { authorization: `Bearer ${both.key}` } })

  it.each([
    ['GET', '/responses/resp_1'],
    ['DELETE', '/responses/resp_1'],
    ['GET', '/responses/resp_1?stream=true'],
    ['POST', '/responses/resp_1/cancel'],
    ['GET', '/responses/resp_1/input_items'],
  ])('is not there: %s %s', async (method, path) => {
    const response = await ask(method, path)
    expect(response.status).toBe(404)
    expect(await response.json()).toEqual({
      error: {
        message: "Response with id 'resp_1' not found.",
        type: 'invalid_request_error',
        param: null,
        code: null,
      },
    })
  })

  it('is no other route', async () => {
    expect((await ask('GET', '/responses/compact')).status).toBe(405)
    expect(await (await ask('GET', '/responses/resp_1/other')).json()).toMatchObject({ error: { code: 'unknown_url' } })
  })
})
