import { beforeEach, describe, expect, it } from 'vitest'
import { sealedDetails } from '../../src/dialects/anthropic/thoughts.ts'
import { eventsOf } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { asking, type MessageEvent, wholeOf } from '../support/messages.ts'
import { json, stream } from '../support/upstream.ts'

const { upstream, both } = serveBoth(
  'messages-native',
  (url) => ({
    providers: { claude: { type: 'anthropic', baseURL: url, apiKey: 'env:KEY' } },
    retries: 0,
    cooldown: false,
  }),
  { env: { KEY: 'sk-ant-up' } },
)

const event = (type: string, fields: object = {}) => `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`
const message = {
  ...{ id: 'msg_up', type: 'message', role: 'assistant', model: 'claude-x', content: [{ type: 'text', text: 'Hi' }] },
  ...{ stop_reason: 'end_turn', stop_sequence: null, usage: { input_tokens: 3, output_tokens: 2 }, future: [1] },
}
const opening = [
  event('message_start', { message: { ...message, content: [], stop_reason: null } }),
  event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
  event('ping'),
  event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'Hi' } }),
]
const frames = [
  ...opening,
  event('content_block_stop', { index: 0 }),
  event('message_delta', { delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 2 } }),
  event('message_stop'),
]

describe.each(runtimes)('On %s, a request for a message of Claude', (runtime) => {
  beforeEach(() => {
    upstream.seen.length = 0
    upstream.script(json(200, message))
  })

  it('goes up as it is, but for the model, with the headers of its API and none of its key', async () => {
    const body =
      '{ "model":"claude/claude-x","max_tokens": 10, "messages":[{"role":"user","content":"hi"}],"future":[1.0]}'
    const response = await fetch(`${both.addresses[runtime]}/messages?beta=true`, {
      method: 'POST',
      headers: {
        ...{ 'content-type': 'application/json', 'x-api-key': both.key, 'x-app': 'cli' },
        ...{ 'anthropic-version': '2023-06-01', 'anthropic-beta': 'future-2027-01-01' },
      },
      body,
    })
    expect([response.status, await response.json()]).toEqual([200, message])
    const seen = upstream.seen.at(-1)
    expect([seen?.path, seen?.body]).toEqual(['/v1/messages', body.replace('claude/claude-x', 'claude-x')])
    expect(seen?.headers).toMatchObject({
      ...{ 'x-api-key': 'sk-ant-up', 'anthropic-version': '2023-06-01', 'anthropic-beta': 'future-2027-01-01' },
    })
    expect(seen?.headers).not.toHaveProperty('x-app')
  })

  it('is told in a browser too what Anthropic says of its limits, and the ids of the request', async () => {
    const told = { 'anthropic-ratelimit-input-tokens-remaining': '49000', 'request-id': 'req_up' }
    upstream.script(json(200, message, told))
    const { headers } = await both.ask(runtime, asking('claude/claude-x', 'hi'), '/messages')
    const readable = headers.get('access-control-expose-headers')?.split(', ') ?? []
    const names = ['request-id', 'x-samewire-upstream-request-id', 'anthropic-ratelimit-input-tokens-remaining']
    expect(readable).toEqual(expect.arrayContaining(names))
    expect(names.map((name) => headers.get(name))).toEqual([
      expect.stringMatching(/^req_[\da-f]{32}$/),
      'req_up',
      '49000',
    ])
  })

  it('gets its stream as it comes', async () => {
    upstream.script(stream(frames))
    const reply = await both.ask(runtime, asking('claude/claude-x', 'hi', { stream: true }), '/messages')
    expect([reply.status, reply.text]).toEqual([200, frames.join('')])
  })

  const content = [
    { type: 'thinking', thinking: 'Hm.', signature: 'c2ln' },
    { type: 'redacted_thinking', data: 'aGlkZGVu' },
    { type: 'text', text: 'Cats purr.', citations: [{ type: 'char_location', cited_text: 'purr' }] },
    { type: 'tool_use', id: 'toolu_1', name: 'f', input: { x: { y: 1 } } },
    { type: 'tool_use', id: 'toolu_2', name: 'g', input: {} },
  ]

  it('gets a stream although its server answers whole', async () => {
    const usage = { input_tokens: 3, output_tokens: 2 }
    upstream.script(json(200, { ...message, content, stop_reason: 'tool_use', usage }))
    const reply = await both.ask(runtime, asking('claude/claude-x', 'hi', { stream: true }), '/messages')
    expect([reply.status, reply.headers.get('content-type')]).toEqual([
      200,
      expect.stringMatching(/^text.event-stream/),
    ])
    const types = eventsOf(reply.text).map(({ event: name }) => name)
    expect([types[0], types.slice(-2)]).toEqual(['message_start', ['message_delta', 'message_stop']])
    const whole = wholeOf(eventsOf(reply.text).map(({ data }) => JSON.parse(data) as MessageEvent))
    const uncited = content.map((block) => ('citations' in block ? { ...block, citations: [] } : block))
    expect(whole).toEqual({ ...message, content: uncited, stop_reason: 'tool_use', usage })
    expect(reply.text).toContain('"delta":{"type":"citations_delta","citation":{"type":"char_location"')
  })

  it('gets a whole answer although its server sends a stream', async () => {
    const cited = { type: 'citations_delta', citation: { type: 'char_location', cited_text: 'purr' } }
    const deltas: readonly (readonly object[])[] = [
      ['H', 'm.']
        .map((thinking) => ({ type: 'thinking_delta', thinking }))
        .concat([{ type: 'signature_delta', signature: 'c2ln' } as never]),
      [],
      [...['Cats ', 'purr.'].map((text) => ({ type: 'text_delta', text })), cited],
      ['{"x":{', '"y":1}}'].map((json) => ({ type: 'input_json_delta', partial_json: json })),
      [{ type: 'input_json_delta', partial_json: '' }],
    ]
    const openings = [
      { type: 'thinking', thinking: '', signature: '' },
      content[1],
      { type: 'text', text: '' },
      { ...content[3], input: {} },
      content[4],
    ]
    const blocks = openings.flatMap((block, index) => [
      event('content_block_start', { index, content_block: block }),
      ...(deltas[index] ?? []).map((delta) => event('content_block_delta', { index, delta })),
      event('content_block_stop', { index }),
    ])
    const end = { delta: { stop_reason: 'tool_use', stop_sequence: null }, usage: { output_tokens: 9 } }
    const said = [...frames.slice(0, 1), event('ping'), ...blocks, event('message_delta', end), event('message_stop')]
    upstream.script(stream(said))
    const reply = await both.ask(runtime, asking('claude/claude-x', 'hi'), '/messages')
    const usage = { input_tokens: 3, output_tokens: 9 }
    expect([reply.status, JSON.parse(reply.text)]).toEqual([
      200,
      { ...message, content, stop_reason: 'tool_use', usage },
    ])
  })

  it('gets an error for a stream that breaks off where a whole answer was asked for', async () => {
    upstream.script(stream(opening))
    const reply = await both.ask(runtime, asking('claude/claude-x', 'hi'), '/messages')
    expect([reply.status, JSON.parse(reply.text)]).toMatchObject([502, { type: 'error', error: { type: 'api_error' } }])
  })

  it('goes without what only the gateway can read', async () => {
    const user = { role: 'user', content: 'hi' }
    const own = { type: 'thinking', thinking: 'Hm.', signature: 'c2ln' }
    const others = { ...own, signature: sealedDetails([]) }
    const said = { type: 'text', text: 'Well.' }
    const messages = [user, { role: 'assistant', content: [others, own, said] }, user]
    await both.ask(runtime, asking('claude/claude-x', '', { messages }), '/messages')
    const sent = JSON.parse(upstream.seen.at(-1)?.body ?? '') as { messages: unknown[] }
    expect(sent.messages).toEqual([user, { role: 'assistant', content: [own, said] }, user])
  })

  it('brings the calls of another model by ids that Anthropic takes', async () => {
    const call = (id: string) => ({ type: 'tool_use', id, name: 'f', input: { 'a.b:0': 'functions.f:0' } })
    const result = (id: string) => ({ type: 'tool_result', tool_use_id: id, content: 'functions.f:0' })
    const history = (one: string, other: string) => [
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: [call(one), call(other)] },
      { role: 'user', content: [result(one), result(other)] },
    ]
    const asked = asking('claude/claude-x', '', { messages: history('functions.f:0', 'toolu_01-a') })
    for (const path of ['/messages', '/messages/count_tokens']) {
      await both.ask(runtime, asked, path)
      const sent = JSON.parse(upstream.seen.at(-1)?.body ?? '') as { messages: unknown[] }
      expect(sent.messages).toEqual(history('functions_f_0', 'toolu_01-a'))
    }
    const own = JSON.stringify(asking('claude/claude-x', '', { messages: history('toolu_1', 'a-b') }), null, 1)
    await both.ask(runtime, own, '/messages')
    expect(upstream.seen.at(-1)?.body).toBe(own.replace('claude/claude-x', 'claude-x'))
  })

  it('is counted by it', async () => {
    upstream.script(json(200, { input_tokens: 42 }))
    const { max_tokens: _, ...body } = asking('claude/claude-x', 'hi')
    const reply = await both.ask(runtime, body, '/messages/count_tokens')
    expect([upstream.seen.at(-1)?.path, JSON.parse(reply.text)]).toEqual([
      '/v1/messages/count_tokens',
      { input_tokens: 42 },
    ])
  })

  it.each([
    ['breaks off', stream(opening, 'reset'), 'api_error'],
    ['ends too early', stream(opening), 'api_error'],
    [
      'tells an error',
      stream([...opening, event('error', { error: { type: 'overloaded_error', message: 'Overloaded' } })]),
      'overloaded_error',
    ],
  ])('ends with an error if its stream %s', async (_, script, type) => {
    upstream.script(script)
    const reply = await both.ask(runtime, asking('claude/claude-x', 'hi', { stream: true }), '/messages')
    expect(reply.text.startsWith(opening.join(''))).toBe(true)
    const last = /event: error\ndata: (.*)\n\n$/.exec(reply.text)?.[1]
    expect(JSON.parse(last ?? '')).toEqual({ type: 'error', error: { type, message: expect.any(String) } })
  })

  it.each([
    ['says that it stops, but not why', [...opening, event('message_stop')]],
    ['ends its block and says that it stops, but not why', [...frames.slice(0, -2), event('message_stop')]],
  ])('ends with an error, and without that end, if its stream %s', async (_, pieces) => {
    upstream.script(stream(pieces))
    const { text } = await both.ask(runtime, asking('claude/claude-x', 'hi', { stream: true }), '/messages')
    expect(text.startsWith(pieces.slice(0, -1).join(''))).toBe(true)
    expect(text).not.toContain('message_stop')
    expect(text).toMatch(/event: error\ndata: .*\n\n$/)
  })

  it.each([
    ['its connection breaks', stream(frames, 'reset')],
    [
      'its upstream tells an error',
      stream([...frames, event('error', { error: { type: 'api_error', message: 'x' } })]),
    ],
  ])('is whole if all has come before %s', async (_, script) => {
    upstream.script(script)
    const reply = await both.ask(runtime, asking('claude/claude-x', 'hi', { stream: true }), '/messages')
    expect(reply.text).toBe(frames.join(''))
  })

  it.each([
    [529, 'overloaded_error', 'Overloaded', 529, 'overloaded_error'],
    [429, 'rate_limit_error', 'Slow down', 429, 'rate_limit_error'],
    [404, 'not_found_error', 'model: claude-x', 404, 'not_found_error'],
    [400, 'invalid_request_error', 'prompt is too long: 219898 tokens > 200000 maximum', 400, 'invalid_request_error'],
    [400, 'invalid_request_error', 'Your credit balance is too low to access the Anthropic API.', 402, 'billing_error'],
  ])('is refused with %i %s %s as with %i %s', async (status, type, words, told, toldType) => {
    upstream.script(json(status, { type: 'error', error: { type, message: words }, request_id: 'req_up' }))
    for (const stream of [true, false]) {
      const reply = await both.ask(runtime, asking('claude/claude-x', 'hi', { stream }), '/messages')
      const { error } = JSON.parse(reply.text) as { error: { type: string; message: string } }
      expect([reply.status, error.type]).toEqual([told, toldType])
      if (status === 400 && told === 400) expect(error.message).toBe(words)
    }
  })
})
