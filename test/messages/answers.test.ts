import { describe, expect, it } from 'vitest'
import { opened } from '../../src/wire/sealed.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { asking, type Message, type MessageEvent, readEvents, readMessage, wholeOf } from '../support/messages.ts'
import { chatSaying, usageChunk } from '../support/response-events.ts'
import { chunk, json, stream } from '../support/upstream.ts'

const { upstream, both } = serveBoth('messages-answers', (url) => ({
  providers: { up: { type: 'openai-compatible', baseURL: url }, demo: { type: 'embedded' } },
}))

const done = 'data: [DONE]\n\n'
const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 }
const thinking = { thinking: { type: 'adaptive' } }
const text = (words: string) => ({ type: 'text', text: words })
const call = (index: number, args: string, name?: string) => ({
  index,
  ...(name && { id: `call_${index}`, type: 'function' }),
  function: { ...(name && { name }), arguments: args },
})
const use = (id: string, input: object, name = 'f') => ({ type: 'tool_use', id, name, input })
const claude = (index: number, more: object) => ({
  type: 'reasoning.text',
  format: 'anthropic-claude-v1',
  index,
  ...more,
})

interface Named {
  readonly function: { readonly name: string }
}

interface Sent {
  readonly stream?: boolean
  readonly tools: readonly Named[]
  readonly tool_choice: Named
  readonly messages: readonly { readonly tool_calls?: readonly Named[] }[]
}

const inside = (opaque: unknown) => JSON.parse(opened(opaque)?.text ?? '') as unknown

describe.each(runtimes)('On %s, the answer to a request for a message', (runtime) => {
  async function wholeFor(message: object, finish = 'stop', more: object = {}, asked: object = {}): Promise<Message> {
    upstream.script(json(200, chatSaying(message, finish, more)))
    const reply = await both.ask(runtime, asking('up/m', 'hi', asked), '/messages')
    expect({ status: reply.status, text: reply.text }).toMatchObject({ status: 200 })
    return readMessage(reply.text)
  }

  async function eventsFor(deltas: readonly object[], finish = 'stop', asked: object = {}): Promise<MessageEvent[]> {
    const frames = [...deltas.map((delta) => chunk(delta)), chunk({}, finish), usageChunk(usage), done]
    upstream.script(stream(frames))
    const reply = await both.ask(runtime, asking('up/m', 'hi', { stream: true, ...asked }), '/messages')
    expect([reply.status, reply.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8'])
    return readEvents(reply.text)
  }

  it('is a message', async () => {
    expect(await wholeFor({ content: 'Hello!' })).toEqual({
      ...{ id: expect.any(String), type: 'message', role: 'assistant', model: 'fake-model' },
      ...{ content: [text('Hello!')], stop_reason: 'end_turn', stop_sequence: null },
      usage: { input_tokens: 3, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 2 },
    })
  })

  it('comes in events, in order, with its usage at the end', async () => {
    const events = await eventsFor([{ role: 'assistant', content: '' }, { content: 'Hel' }, { content: '"深い"\n' }])
    const zero = { input_tokens: 0, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 0 }
    expect(events).toEqual([
      {
        type: 'message_start',
        message: {
          ...{ id: expect.stringMatching(/^msg_/), type: 'message', role: 'assistant', model: 'fake-model' },
          ...{ content: [], stop_reason: null, stop_sequence: null, usage: zero },
        },
      },
      { type: 'ping' },
      { type: 'content_block_start', index: 0, content_block: text('') },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hel' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: '"深い"\n' } },
      { type: 'content_block_stop', index: 0 },
      {
        type: 'message_delta',
        delta: { stop_reason: 'end_turn', stop_sequence: null },
        usage: { ...zero, input_tokens: 3, output_tokens: 2 },
      },
      { type: 'message_stop' },
    ])
  })

  it('counts what came from a cache apart from the rest of the input', async () => {
    const told = {
      ...{ prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 },
      prompt_tokens_details: { cached_tokens: 60, cache_write_tokens: 30 },
      completion_tokens_details: { reasoning_tokens: 7 },
    }
    expect((await wholeFor({ content: 'Hi' }, 'stop', { usage: told })).usage).toEqual({
      ...{ input_tokens: 10, cache_creation_input_tokens: 30, cache_read_input_tokens: 60, output_tokens: 20 },
      output_tokens_details: { thinking_tokens: 7 },
    })
  })

  it.each([
    ['length', {}, 'max_tokens'],
    ['content_filter', {}, 'refusal'],
    ['stop', { refusal: 'I will not.' }, 'refusal'],
    ['stop', { tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }] }, 'tool_use'],
    ['length', { tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }] }, 'max_tokens'],
  ])('that ends with %s and %j has stopped for %s', async (finish, message, reason) => {
    const whole = await wholeFor({ content: 'Hm', ...message }, finish)
    expect(whole.stop_reason).toBe(reason)
    const events = await eventsFor(
      [{ content: 'Hm' }, 'tool_calls' in message ? { tool_calls: [call(0, '{}', 'f')] } : message],
      finish,
    )
    expect(wholeOf(events).stop_reason).toBe(reason)
  })

  it('names the stop sequence where the upstream tells it', async () => {
    const stopped = { choice: { stop_reason: 'END' } }
    const asked = { stop_sequences: ['END'] }
    const expected = { stop_reason: 'stop_sequence', stop_sequence: 'END' }
    expect(await wholeFor({ content: 'Hi' }, 'stop', stopped, asked)).toMatchObject(expected)
    const last = chunk({}, 'stop').replace('"finish_reason"', '"stop_reason":"END","finish_reason"')
    upstream.script(stream([chunk({ content: 'Hi' }), last, done]))
    const reply = await both.ask(runtime, asking('up/m', 'hi', { stream: true, ...asked }), '/messages')
    expect(wholeOf(readEvents(reply.text))).toMatchObject(expected)
  })

  it('has calls with their input parsed', async () => {
    const calls = ['{"x":1}', '', '{"x":'].map((args, at) => ({ ...call(at, args, 'f'), index: undefined }))
    const { content } = await wholeFor({ content: 'Look:', tool_calls: calls }, 'tool_calls')
    expect(content).toEqual([
      text('Look:'),
      use('call_0', { x: 1 }),
      use('call_1', {}),
      use('call_2', expect.any(Object) as unknown as object),
    ])
  })

  it('calls a tool by its own name, though that is longer than OpenAI takes it', async () => {
    const name = `mcp__${'warehouse_'.repeat(9)}find`
    const twin = name.replace('find', 'move')
    const tools = [name, twin].map((one) => ({ name: one, input_schema: { type: 'object' } }))
    const history = [
      { role: 'user', content: 'Find it.' },
      { role: 'assistant', content: [use('a', {}, name)] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a', content: 'ok' }] },
    ]
    const asked = { tools, tool_choice: { type: 'tool', name: twin }, messages: history }
    upstream.script((request, ...rest) => {
      const { stream: streams, tool_choice: choice } = JSON.parse(request.body) as Sent
      const called = call(0, '{}', choice.function.name)
      const frames = [chunk({ tool_calls: [called] }), chunk({}, 'tool_calls'), done]
      const whole = json(200, chatSaying({ content: null, tool_calls: [called] }, 'tool_calls'))
      return (streams ? stream(frames) : whole)(request, ...rest)
    })
    const ask = async (streams: boolean) =>
      (await both.ask(runtime, asking('up/m', '', { ...asked, stream: streams }), '/messages')).text
    expect(readMessage(await ask(false)).content).toEqual([use('call_0', {}, twin)])
    expect(wholeOf(readEvents(await ask(true))).content).toEqual([use('call_0', {}, twin)])
    const sent = JSON.parse(upstream.seen.at(-1)?.body ?? '') as Sent
    const names = sent.tools.map((tool) => tool.function.name)
    for (const one of names) expect(one).toMatch(/^mcp__warehouse_[\w-]{1,49}$/)
    expect(new Set(names).size).toBe(2)
    expect(sent.messages[1]?.tool_calls?.[0]?.function.name).toBe(names[0])
    expect(sent.tool_choice.function.name).toBe(names[1])
  })

  it('has one call after the other, however their pieces come', async () => {
    const pieces = [
      { content: 'Look:' },
      { tool_calls: [call(0, '', 'f')] },
      { tool_calls: [call(1, '{"b"', 'g')] },
      { tool_calls: [call(0, '{"a":')] },
      { tool_calls: [call(1, ':2}')] },
      { tool_calls: [call(0, '1}')] },
      { tool_calls: [call(2, '', 'h')] },
    ]
    const events = await eventsFor(pieces, 'tool_calls')
    expect(wholeOf(events)).toMatchObject({
      content: [text('Look:'), use('call_0', { a: 1 }), use('call_1', { b: 2 }, 'g'), use('call_2', {}, 'h')],
      stop_reason: 'tool_use',
    })
  })

  it('tells a call while it is written, also behind another one', async () => {
    const pieces = [
      { tool_calls: [call(0, '{"a":', 'f')] },
      { tool_calls: [call(0, '1}')] },
      { tool_calls: [call(1, '{"b":', 'g')] },
      { tool_calls: [call(1, '2}')] },
    ]
    const deltas = (await eventsFor(pieces, 'tool_calls')).flatMap(({ delta }) => delta?.partial_json ?? [])
    expect(deltas).toEqual(['{"a":', '1}', '{"b":', '2}'])
  })

  it('shows thoughts to who asks for them, with a signature that the gateway knows as its own', async () => {
    const said = { reasoning_content: 'Hm.', content: 'Hi' }
    const { content } = await wholeFor(said, 'stop', {}, thinking)
    expect(content).toEqual([{ type: 'thinking', thinking: 'Hm.', signature: expect.any(String) }, text('Hi')])
    expect(inside(content[0]?.signature)).toEqual([])
    const events = await eventsFor(
      [{ reasoning_content: 'H' }, { reasoning_content: 'm.' }, { content: 'Hi' }],
      'stop',
      thinking,
    )
    expect(wholeOf(events).content).toEqual(content)
  })

  it('shows no thoughts to who asks for none: many programs read the first block only', async () => {
    const said = { reasoning_content: 'Hm.', content: 'Hi' }
    for (const asked of [{}, { thinking: { type: 'disabled' } }]) {
      expect((await wholeFor(said, 'stop', {}, asked)).content).toEqual([text('Hi')])
      expect(
        wholeOf(await eventsFor([{ reasoning_content: 'Hm.' }, { content: 'Hi' }], 'stop', asked)).content,
      ).toEqual([text('Hi')])
    }
  })

  it("keeps Claude's signatures as they are, and what it hides", async () => {
    const hidden = { type: 'reasoning.encrypted', format: 'anthropic-claude-v1', data: 'opaque', index: 1 }
    const details = [claude(0, { text: 'One.', signature: 's1' }), hidden, claude(2, { text: 'Two.', signature: 's2' })]
    const blocks = [
      { type: 'thinking', thinking: 'One.', signature: 's1' },
      { type: 'redacted_thinking', data: 'opaque' },
      { type: 'thinking', thinking: 'Two.', signature: 's2' },
      text('Hi'),
    ]
    const whole = await wholeFor(
      { reasoning_content: 'One.Two.', reasoning_details: details, content: 'Hi' },
      'stop',
      {},
      thinking,
    )
    expect(whole.content).toEqual(blocks)
    const events = await eventsFor(
      [
        { reasoning_content: 'On', reasoning_details: [claude(0, { text: 'On' })] },
        { reasoning_content: 'e.', reasoning_details: [claude(0, { text: 'e.' })] },
        { reasoning_details: [claude(0, { signature: 's1' })] },
        { reasoning_details: [hidden] },
        { reasoning_content: 'Two.', reasoning_details: [claude(2, { text: 'Two.' })] },
        { reasoning_details: [claude(2, { signature: 's2' })] },
        { content: 'Hi' },
      ],
      'stop',
      thinking,
    )
    expect(wholeOf(events).content).toEqual(blocks)
  })

  it('keeps what another model needs back, also for who wants to see no thoughts', async () => {
    const detail = { type: 'reasoning.encrypted', format: 'google-gemini-v1', data: 'sig', id: 'call_0', index: 0 }
    const extra = { ...call(0, '{}', 'f'), extra_content: { google: { thought_signature: 'sig' } } }
    const kept = [detail, { type: 'tool_call.extra', id: 'call_0', extra_content: extra.extra_content }]
    for (const asked of [{}, thinking]) {
      const { content } = await wholeFor({ reasoning_details: [detail], tool_calls: [extra] }, 'tool_calls', {}, asked)
      expect(content).toEqual([{ type: 'redacted_thinking', data: expect.any(String) }, use('call_0', {})])
      expect(inside(content[0]?.data)).toEqual(kept)
      const events = await eventsFor([{ reasoning_details: [detail], tool_calls: [extra] }], 'tool_calls', asked)
      expect(wholeOf(events).content).toEqual(content)
    }
  })

  it('comes from the embedded model too', async () => {
    const body = asking('demo/tiny-chat', 'Hello', { max_tokens: 20 })
    const reply = await both.ask(runtime, body, '/messages')
    expect({ status: reply.status, text: reply.text }).toMatchObject({ status: 200 })
    const whole = readMessage(reply.text)
    const streamed = await both.ask(runtime, { ...body, stream: true }, '/messages')
    const { content, stop_reason, usage: counted } = wholeOf(readEvents(streamed.text))
    expect({ content, stop_reason, usage: counted }).toMatchObject({
      content: whole.content,
      stop_reason: whole.stop_reason,
      usage: whole.usage,
    })
  })
})
