import { beforeEach, describe, expect, it } from 'vitest'
import { anthropicAt, keepsToChoice, streams } from '../support/anthropic.ts'
import { block, event, message, start, stop } from '../support/anthropic-events.ts'
import { chat, eventsOf } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { json, type Script, stream } from '../support/upstream.ts'

const { upstream, both } = serveBoth('anthropic-answers', anthropicAt, { env: { KEY: 'sk-ant-1' } })

type Body = Record<string, unknown>
interface Answer {
  readonly choices: readonly [{ readonly message: Body; readonly finish_reason: string }]
  readonly usage?: Body
}
interface Chunk {
  readonly object: string
  readonly model: string
  readonly choices: readonly { readonly delta: Body; readonly finish_reason: string | null }[]
  readonly usage?: Body | null
}

const text = (words: string) => ({ type: 'text', text: words })
const said = (words: string) => ({ type: 'text_delta', text: words })
const thought = (words: string) => ({ type: 'thinking_delta', thinking: words })
const signed = (signature: string) => ({ type: 'signature_delta', signature })
const input = (partial_json: string) => ({ type: 'input_json_delta', partial_json })
const use = (id: string, name: string, input: object = {}) => ({ type: 'tool_use', id, name, input })
const called = (id: string, name: string, args: string) => ({
  id,
  type: 'function',
  function: { name, arguments: args },
})
const detail = (more: object) => ({ ...more, format: 'anthropic-claude-v1' })
const page = {
  type: 'web_search_result_location',
  url: 'https://example.org',
  title: 'Example',
  encrypted_index: 'x',
  cited_text: 'c',
}

interface Said {
  readonly what: string
  readonly whole: object
  readonly blocks: readonly string[]
  readonly reason?: string
  readonly more?: object
  readonly asked?: object
  readonly message: object
  readonly finish: string
}

/** What Claude says, whole and as a stream, and what the client gets in either case. */
const answers: readonly Said[] = [
  {
    what: 'a text',
    whole: message([text('Hello'), text(' there')]),
    blocks: [...block(0, text(''), said('Hel'), said('lo')), ...block(1, text(''), said(' there'))],
    message: { content: 'Hello there' },
    finish: 'stop',
  },
  ...[
    ['stop_sequence', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['pause_turn', 'length'],
  ].map(([reason = '', finish = '']) => ({
    what: `that it stopped for ${reason}`,
    whole: message([text('Hel')], { stop_reason: reason }),
    blocks: block(0, text(''), said('Hel')),
    reason,
    message: { content: 'Hel' },
    finish,
  })),
  {
    what: 'a refusal',
    whole: message([], {
      stop_reason: 'refusal',
      stop_details: { type: 'refusal', category: 'bio', explanation: 'No.' },
    }),
    blocks: [],
    reason: 'refusal',
    more: { stop_details: { type: 'refusal', category: 'bio', explanation: 'No.' } },
    message: { content: '', refusal: 'No.' },
    finish: 'content_filter',
  },
  {
    what: 'calls',
    whole: message([text('See'), use('t1', 'a', { x: [1, 'ü'] }), use('t2', 'b')], { stop_reason: 'tool_use' }),
    blocks: [
      ...block(0, text(''), said('See')),
      ...block(1, use('t1', 'a'), input(''), input('{"x":[1,'), input('"ü"]}')),
      ...block(2, use('t2', 'b')),
    ],
    reason: 'tool_use',
    message: { content: 'See', tool_calls: [called('t1', 'a', '{"x":[1,"ü"]}'), called('t2', 'b', '{}')] },
    finish: 'tool_calls',
  },
  {
    what: 'calls alone',
    whole: message([use('t1', 'a')], { stop_reason: 'tool_use' }),
    blocks: block(0, use('t1', 'a'), input('{}')),
    reason: 'tool_use',
    message: { content: null, tool_calls: [called('t1', 'a', '{}')] },
    finish: 'tool_calls',
  },
  {
    what: 'thoughts, with what proves them',
    whole: message([
      { type: 'thinking', thinking: 'One two', signature: 's1' },
      { type: 'redacted_thinking', data: 'zz' },
      { type: 'thinking', thinking: 'three', signature: 's2' },
      { type: 'thinking', thinking: '', signature: 's3' },
      text('So'),
    ]),
    blocks: [
      ...block(0, { type: 'thinking', thinking: '', signature: '' }, thought('One '), thought('two'), signed('s1')),
      ...block(1, { type: 'redacted_thinking', data: 'zz' }),
      ...block(2, { type: 'thinking', thinking: '' }, thought('three'), signed('s2')),
      ...block(3, { type: 'thinking', thinking: '' }, signed('s3')),
      ...block(4, text(''), said('So')),
    ],
    message: {
      content: 'So',
      reasoning_content: 'One two\n\nthree',
      reasoning_details: [
        detail({ type: 'reasoning.text', text: 'One two', signature: 's1', index: 0 }),
        detail({ type: 'reasoning.encrypted', data: 'zz', index: 1 }),
        detail({ type: 'reasoning.text', text: 'three', signature: 's2', index: 2 }),
        detail({ type: 'reasoning.text', signature: 's3', index: 3 }),
      ],
    },
    finish: 'stop',
  },
  {
    what: 'the pages that it cites, and no results of its own tools',
    whole: message([
      text('So: '),
      { type: 'server_tool_use', id: 's', name: 'web_search', input: { query: 'q' } },
      { type: 'web_search_tool_result', tool_use_id: 's', content: [] },
      { ...text('it rains'), citations: [page, { type: 'char_location', cited_text: 'd', document_index: 0 }] },
    ]),
    blocks: [
      ...block(0, text(''), said('So: ')),
      ...block(1, { type: 'server_tool_use', id: 's', name: 'web_search', input: {} }, input('{"query":"q"}')),
      ...block(2, { type: 'web_search_tool_result', tool_use_id: 's', content: [] }),
      ...block(
        3,
        text(''),
        { type: 'citations_delta', citation: page },
        { type: 'citations_delta', citation: { type: 'char_location', cited_text: 'd', document_index: 0 } },
        said('it rains'),
      ),
    ],
    message: {
      content: 'So: it rains',
      annotations: [
        {
          type: 'url_citation',
          url_citation: { start_index: 4, end_index: 12, url: 'https://example.org', title: 'Example' },
        },
      ],
    },
    finish: 'stop',
  },
  {
    what: 'JSON by a tool, which is the text for the client',
    whole: message([text('Here:'), use('t1', 'answer_in_json', { a: 1 })], { stop_reason: 'tool_use' }),
    blocks: [
      ...block(0, text(''), said('Here:')),
      ...block(1, use('t1', 'answer_in_json'), input('{"a"'), input(':1}')),
    ],
    reason: 'tool_use',
    asked: { response_format: { type: 'json_object' } },
    message: { content: '{"a":1}' },
    finish: 'stop',
  },
  {
    what: 'a call of another tool where JSON was asked for',
    whole: message([use('t1', 'a', { x: 1 })], { stop_reason: 'tool_use' }),
    blocks: block(0, use('t1', 'a'), input('{"x":1}')),
    reason: 'tool_use',
    asked: {
      response_format: { type: 'json_object' },
      tools: [{ type: 'function', function: { name: 'a', parameters: { type: 'object' } } }],
    },
    message: { content: null, tool_calls: [called('t1', 'a', '{"x":1}')] },
    finish: 'tool_calls',
  },
  {
    what: 'a text where JSON was asked for',
    whole: message([text('I can’t.')]),
    blocks: block(0, text(''), said('I can’t.')),
    asked: { response_format: { type: 'json_object' } },
    message: { content: 'I can’t.' },
    finish: 'stop',
  },
]

const model = 'anthropic/claude-sonnet-4-5'

describe.each(runtimes)('What Claude says, on %s:', (runtime) => {
  beforeEach(() => {
    upstream.seen.length = 0
  })

  async function whole(script: Script, more: object = {}): Promise<Answer> {
    upstream.script(script)
    const reply = await both.ask(runtime, chat(model, more))
    expect([reply.status, reply.text]).toEqual([200, expect.any(String)])
    return JSON.parse(reply.text) as Answer
  }

  async function chunks(script: Script, more: object = {}): Promise<Chunk[]> {
    upstream.script(script)
    const reply = await both.ask(runtime, chat(model, { stream: true, ...more }))
    const data = eventsOf(reply.text).map((one) => one.data)
    expect([reply.status, data.at(-1)]).toEqual([200, '[DONE]'])
    return data.slice(0, -1).map((one) => JSON.parse(one) as Chunk)
  }

  it.each(answers)('$what, whole', async ({ whole: answer, asked, message: wanted, finish }) => {
    const { choices } = await whole(json(200, answer), asked)
    expect(choices).toEqual([
      { index: 0, message: { role: 'assistant', refusal: null, ...wanted }, logprobs: null, finish_reason: finish },
    ])
  })

  it.each(answers)('$what, in a stream', async ({ blocks, reason, more, asked, message: wanted, finish }) => {
    const all = await chunks(streams(blocks, reason, more), asked)
    expect(all[0]?.choices[0]?.delta).toEqual({ role: 'assistant', content: '' })
    expect(all.map(({ object }) => object)).toEqual(all.map(() => 'chat.completion.chunk'))
    expect(all.map(({ choices }) => choices[0]?.finish_reason)).toEqual([...all.slice(1).map(() => null), finish])
    expect(gathered(all)).toEqual({ refusal: null, ...wanted, content: (wanted as Body).content ?? '' })
  })

  it('its usage, with what came from the cache and went into it', async () => {
    const usage = {
      input_tokens: 3,
      cache_creation_input_tokens: 20,
      cache_read_input_tokens: 100,
      output_tokens: 50,
      output_tokens_details: { thinking_tokens: 30 },
      service_tier: 'priority',
    }
    const wanted = {
      prompt_tokens: 123,
      completion_tokens: 50,
      total_tokens: 173,
      prompt_tokens_details: { cached_tokens: 100, cache_write_tokens: 20 },
      completion_tokens_details: { reasoning_tokens: 30 },
    }
    expect(await whole(json(200, message([text('a')], { usage })))).toMatchObject({
      usage: wanted,
      service_tier: 'priority',
    })
    const began = { ...usage, output_tokens: 1, output_tokens_details: null }
    const told = { output_tokens: 50, input_tokens: null, output_tokens_details: { thinking_tokens: 30 } }
    const script = stream([
      event('message_start', { message: message([], { usage: began }) }),
      ...block(0, text(''), said('a')),
      event('message_delta', { delta: { stop_reason: 'end_turn' }, usage: told }),
      event('message_stop'),
    ])
    const all = await chunks(script, { stream_options: { include_usage: true } })
    expect(all.at(-1)).toMatchObject({ choices: [], usage: wanted })
    expect(all.slice(0, -1).map((one) => one.usage)).toEqual(all.slice(0, -1).map(() => null))
    expect((await chunks(script)).every((one) => !('usage' in one))).toBe(true)
  })

  it('an answer whose bytes come one by one', async () => {
    const bytes = new TextEncoder().encode([start, ...block(0, text(''), said('Grüße')), ...stop('end_turn')].join(''))
    const all = await chunks(stream(Array.from(bytes, (byte) => Uint8Array.of(byte))))
    expect(gathered(all)).toEqual({ content: 'Grüße', refusal: null })
  })

  it('an answer that says why it stopped, but not that it has', async () => {
    const [stopped = ''] = stop('end_turn')
    expect(gathered(await chunks(stream([start, ...block(0, text(''), said('Hi')), stopped])))).toMatchObject({
      content: 'Hi',
    })
  })

  it('a whole answer to who asked for a stream', async () => {
    const all = await chunks(json(200, message([{ type: 'thinking', thinking: 'Hm', signature: 's' }, text('Hi')])))
    expect(gathered(all)).toMatchObject({
      content: 'Hi',
      reasoning_details: [detail({ type: 'reasoning.text', text: 'Hm', signature: 's', index: 0 })],
    })
  })

  it('a stream to who asked for a whole answer, with its thoughts joined', async () => {
    const thinking = block(0, { type: 'thinking', thinking: '' }, thought('a'), thought('b'), signed('s'))
    const { choices } = await whole(streams([...thinking, ...block(1, text(''), said('Hi'))]))
    expect(choices[0].message).toMatchObject({
      content: 'Hi',
      reasoning_content: 'ab',
      reasoning_details: [detail({ type: 'reasoning.text', text: 'ab', signature: 's', index: 0 })],
    })
  })

  it('a legacy completion', async () => {
    upstream.script(keepsToChoice)
    const reply = await both.ask(runtime, { model, prompt: 'hi', temperature: 1.5 }, '/completions')
    expect(JSON.parse(reply.text)).toMatchObject({ object: 'text_completion', choices: [{ text: 'Hello' }] })
    expect(JSON.parse(upstream.seen[0]?.body ?? '')).toMatchObject({ max_tokens: 16 })
    expect(reply.headers.get('x-samewire-dropped')).toBe('temperature')
  })

  it('a response', async () => {
    upstream.script(keepsToChoice)
    const reply = await both.ask(runtime, { model, input: 'hi' }, '/responses')
    expect(JSON.parse(reply.text)).toMatchObject({
      status: 'completed',
      output: [{ type: 'message', content: [{ type: 'output_text', text: 'Hello' }] }],
      usage: { input_tokens: 12, output_tokens: 5 },
    })
  })
})

/** What a client makes of the deltas of a stream. */
function gathered(all: readonly Chunk[]): Body {
  const deltas = all.flatMap(({ choices }) => choices.map(({ delta }) => delta))
  const texts = (key: string) => deltas.map((delta) => delta[key] ?? '').join('')
  const lists = (key: string) => deltas.flatMap((delta) => (delta[key] ?? []) as Body[])
  const details = joined(lists('reasoning_details'), ({ index }) => index)
  const calls = joined(lists('tool_calls'), ({ index }) => index)
  return {
    content: texts('content'),
    refusal: texts('refusal') || null,
    ...(texts('reasoning_content') && { reasoning_content: texts('reasoning_content') }),
    ...(details.length > 0 && { reasoning_details: details }),
    ...(calls.length > 0 && { tool_calls: calls.map(({ index: _, ...call }) => call) }),
    ...(lists('annotations').length > 0 && { annotations: lists('annotations') }),
  }
}

function joined(pieces: readonly Body[], key: (piece: Body) => unknown): Body[] {
  const found = new Map<unknown, Body>()
  for (const piece of pieces) {
    const before = found.get(key(piece))
    const own = (before?.function ?? {}) as Body
    const more = (piece.function ?? {}) as Body
    found.set(key(piece), {
      ...before,
      ...piece,
      ...((before?.text ?? piece.text) !== undefined && { text: `${before?.text ?? ''}${piece.text ?? ''}` }),
      ...(piece.function !== undefined && {
        function: { ...own, ...more, arguments: `${own.arguments ?? ''}${more.arguments ?? ''}` },
      }),
    })
  }
  return [...found.values()]
}
