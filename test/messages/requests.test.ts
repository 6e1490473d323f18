import { beforeEach, describe, expect, it } from 'vitest'
import { sealedDetails } from '../../src/dialects/anthropic/thoughts.ts'
import { type Runtime, runtimes, serveBoth } from '../support/both.ts'
import { asking, readMessage } from '../support/messages.ts'
import { callAnswer, chatAnswer, json } from '../support/upstream.ts'

const { upstream, both } = serveBoth(
  'messages-requests',
  (url) => {
    const up = { type: 'openai-compatible', baseURL: url } as const
    return {
      providers: { up, router: { type: 'openrouter', baseURL: url, apiKey: 'env:KEY' } },
      models: { small: { deployments: [{ model: 'up/small', maxOutput: 4096, contextWindow: 8192 }] } },
    }
  },
  {
    env: { KEY: 'sk-up' },
    script: (request, ...rest) => json(200, answerTo(JSON.parse(request.body)))(request, ...rest),
  },
)

interface Sent extends Record<string, unknown> {
  readonly messages: readonly Record<string, unknown>[]
  readonly tools?: readonly { readonly function: Record<string, unknown> }[]
}

/** Calls what must be called, and keeps to a schema. */
function answerTo({ tools = [], tool_choice: choice, response_format: format }: Partial<Sent>): object {
  const named = (choice as { readonly function?: { readonly name: string } } | undefined)?.function?.name
  if (named !== undefined || choice === 'required') return callAnswer(named ?? String(tools[0]?.function.name))
  return chatAnswer(format ? '{}' : 'Hello!')
}

const user = (content: unknown) => ({ role: 'user', content })
const text = (words: string, more: object = {}) => ({ type: 'text', text: words, ...more })
const mark = { cache_control: { type: 'ephemeral' } }
const use = (id: string, input: object = { x: 1 }) => ({ type: 'tool_use', id, name: 'f', input })
const result = (id: string, more: object = {}) => ({ type: 'tool_result', tool_use_id: id, content: 'done', ...more })
const called = (id: string) => ({ id, type: 'function', function: { name: 'f', arguments: '{"x":1}' } })
const answered = (id: string, content = 'done') => ({ role: 'tool', tool_call_id: id, content })
const tool = { name: 'f', description: 'Does it.', input_schema: { type: 'object', properties: {} } }
const offered = { type: 'function', function: { name: 'f', description: 'Does it.', parameters: tool.input_schema } }
const png = { type: 'base64', media_type: 'image/png', data: 'aGk=' }
const picture = { type: 'image_url', image_url: { url: 'data:image/png;base64,aGk=' } }

describe.each(runtimes)('On %s, a request for a message', (runtime) => {
  beforeEach(() => {
    upstream.seen.length = 0
  })

  async function sentFor(body: object): Promise<Sent & { readonly dropped: string | null }> {
    const reply = await both.ask(runtime, body, '/messages')
    expect({ status: reply.status, text: reply.text }).toMatchObject({ status: 200 })
    readMessage(reply.text)
    expect(upstream.seen[0]?.path).toBe('/chat/completions')
    return { ...(JSON.parse(upstream.seen[0]?.body ?? '') as Sent), dropped: reply.headers.get('x-samewire-dropped') }
  }

  const messagesFor = async (messages: readonly unknown[], more: object = {}) =>
    (await sentFor(asking('up/m', '', { messages, ...more }))).messages

  it('of one text is one message of the user', async () => {
    expect(await sentFor(asking('up/m', 'hi'))).toEqual({
      model: 'm',
      messages: [user('hi')],
      max_completion_tokens: 100,
      dropped: null,
    })
  })

  it.each(['/messages?beta=true', '/v1/messages', '//messages/'])('is taken at %s behind a base URL', async (path) => {
    const reply = await both.ask(runtime, asking('up/m', 'hi'), path)
    expect(readMessage(reply.text).content).toEqual([text('Hello!')])
  })

  it('has its system in front, as text or as blocks', async () => {
    const front = { role: 'system', content: 'Be brief.\n\nBe kind.' }
    expect(await messagesFor([user('hi')], { system: front.content })).toEqual([front, user('hi')])
    upstream.seen.length = 0
    const system = [text('Be brief.'), text('Be kind.')]
    expect(await messagesFor([user('hi')], { system })).toEqual([front, user('hi')])
  })

  it("leaves out Claude Code's line about billing, which changes with its version", async () => {
    const system = [text('x-anthropic-billing-header: cc_version=2.1'), text('Be brief.')]
    expect(await messagesFor([user('hi')], { system })).toEqual([{ role: 'system', content: 'Be brief.' }, user('hi')])
  })

  it('keeps what the system says in the middle of a conversation in its place', async () => {
    const turns = [user('hi'), { role: 'system', content: 'It is late.' }]
    expect(await messagesFor(turns, { system: 'Be brief.' })).toEqual([
      { role: 'system', content: 'Be brief.' },
      ...turns,
    ])
  })

  it('has all that the system says in front in one message, since many models take no second one', async () => {
    const turns = [{ role: 'system', content: [text('two')] }, user('hi')]
    expect(await messagesFor(turns, { system: 'one' })).toEqual([{ role: 'system', content: 'one\n\ntwo' }, user('hi')])
  })

  it('brings images, by data and by address', async () => {
    const address = { type: 'url', url: 'https://example.com/a.png' }
    const blocks = [text('What?'), { type: 'image', source: png }, { type: 'image', source: address }]
    expect(await messagesFor([user(blocks)])).toEqual([
      user([text('What?'), picture, { type: 'image_url', image_url: { url: address.url } }]),
    ])
  })

  it('brings documents, and results of a search as text', async () => {
    const pdf = { type: 'base64', media_type: 'application/pdf', data: 'aGk=' }
    const plain = { type: 'text', media_type: 'text/plain', data: 'Once upon a time' }
    const nested = { type: 'content', content: [text('See:'), { type: 'image', source: png }] }
    const blocks = [
      { type: 'document', title: 'a.pdf', source: pdf },
      { type: 'document', title: 'Tale', context: 'Old.', source: plain },
      { type: 'document', source: nested },
      { type: 'search_result', title: 'Cats', source: 'https://cats.test', content: [text('They purr.')] },
    ]
    expect(await messagesFor([user(blocks)])).toEqual([
      user([
        { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,aGk=' } },
        text('Tale\n\nOld.\n\nOnce upon a time'),
        text('See:'),
        picture,
        text('Cats\n\nhttps://cats.test\n\nThey purr.'),
      ]),
    ])
  })

  it('has calls and their results as chat has them, results first', async () => {
    const turns = [
      user('hi'),
      { role: 'assistant', content: [text('Let me see.'), use('a'), use('b')] },
      user([text('And now?'), result('a'), result('b', { content: [text('one'), text('two')] })]),
    ]
    expect(await messagesFor(turns)).toEqual([
      user('hi'),
      { role: 'assistant', content: 'Let me see.', tool_calls: [called('a'), called('b')] },
      answered('a'),
      answered('b', 'one\ntwo'),
      user('And now?'),
    ])
  })

  it('shows the images of a result behind it', async () => {
    const content = [text('The screen:'), { type: 'image', source: png }]
    const turns = [user('hi'), { role: 'assistant', content: [use('a')] }, user([result('a', { content })])]
    expect(await messagesFor(turns)).toEqual([
      user('hi'),
      { role: 'assistant', content: null, tool_calls: [called('a')] },
      answered('a', 'The screen:'),
      user([picture]),
    ])
  })

  it.each([
    ['no such file', 'Error: no such file'],
    ['<tool_use_error>InputValidationError', '<tool_use_error>InputValidationError'],
    ['Error: no', 'Error: no'],
  ])('says that a tool has failed: %s', async (content, said) => {
    const turns = [
      user('hi'),
      { role: 'assistant', content: [use('a')] },
      user([result('a', { content, is_error: true })]),
    ]
    expect((await messagesFor(turns)).at(-1)).toEqual(answered('a', said))
  })

  it('has an empty result for a tool that says nothing', async () => {
    const turns = [
      user('hi'),
      { role: 'assistant', content: [use('a')] },
      user([{ type: 'tool_result', tool_use_id: 'a' }]),
    ]
    expect((await messagesFor(turns)).at(-1)).toEqual(answered('a', ''))
  })

  it('joins the texts of the assistant, which citations cut in the middle of a sentence', async () => {
    const turns = [user('hi'), { role: 'assistant', content: [text('Grass is '), text('green.')] }, user('why?')]
    expect((await messagesFor(turns))[1]).toEqual({ role: 'assistant', content: 'Grass is green.' })
  })

  it('gives a model the text of earlier thoughts, whoever made them', async () => {
    const thinking = (thought: string, signature: string) => ({ type: 'thinking', thinking: thought, signature })
    const blocks = [thinking('I am Claude.', 'c2ln'), thinking('I am not.', sealedDetails([])), text('Well.')]
    expect((await messagesFor([user('hi'), { role: 'assistant', content: blocks }, user('go on')]))[1]).toEqual({
      role: 'assistant',
      content: 'Well.',
      reasoning_content: 'I am Claude.\n\nI am not.',
    })
  })

  it('leaves out what only Claude reads', async () => {
    const blocks = [{ type: 'redacted_thinking', data: 'opaque' }, text('Well.')]
    const turns = [user('hi'), { role: 'assistant', content: blocks }, user('go on')]
    expect((await messagesFor(turns))[1]).toEqual({ role: 'assistant', content: 'Well.' })
  })

  it("gives back with a call what came with it, as Gemini's own API for chats wants", async () => {
    const extra = { google: { thought_signature: 'sig' } }
    const data = sealedDetails([{ type: 'tool_call.extra', id: 'a', extra_content: extra }])
    const turn = { role: 'assistant', content: [{ type: 'redacted_thinking', data }, use('a')] }
    const [, sent] = await messagesFor([user('hi'), turn, user([result('a')])])
    expect(sent).toEqual({ role: 'assistant', content: null, tool_calls: [{ ...called('a'), extra_content: extra }] })
  })

  it('tells what of a history no chat has', async () => {
    const search = { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: {} }
    const found = { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [] }
    const turns = [user('hi'), { role: 'assistant', content: [search, found, text('Found.')] }, user('thanks')]
    const { messages, dropped } = await sentFor(asking('up/m', '', { messages: turns }))
    expect(messages[1]).toEqual({ role: 'assistant', content: 'Found.' })
    expect(dropped).toBe('messages.server_tool_use, messages.web_search_tool_result')
  })

  it('offers tools with a schema, and tells which others it leaves out', async () => {
    const others = [
      { type: 'web_search_20250305', name: 'web_search' },
      { type: 'bash_20250124', name: 'bash' },
    ]
    const closed = { ...tool.input_schema, additionalProperties: false }
    const strict = {
      ...tool,
      name: 'g',
      type: 'custom',
      input_schema: closed,
      strict: true,
      cache_control: { type: 'ephemeral' },
    }
    const sent = await sentFor(asking('up/m', 'hi', { tools: [tool, ...others, strict] }))
    expect(sent.tools).toEqual([
      offered,
      { type: 'function', function: { ...offered.function, name: 'g', parameters: closed, strict: true } },
    ])
    expect(sent.dropped).toBe('tools.web_search_20250305, tools.bash_20250124')
  })

  it('offers nothing if it can offer no tool', async () => {
    const sent = await sentFor(
      asking('up/m', 'hi', { tools: [{ type: 'bash_20250124', name: 'bash' }], tool_choice: { type: 'auto' } }),
    )
    expect([sent.tools, sent.tool_choice]).toEqual([undefined, undefined])
  })

  it.each([
    [{ type: 'auto' }, { tool_choice: 'auto' }],
    [{ type: 'any' }, { tool_choice: 'required' }],
    [{ type: 'none' }, { tool_choice: 'none' }],
    [
      { type: 'tool', name: 'f', disable_parallel_tool_use: true },
      { tool_choice: { type: 'function', function: { name: 'f' } }, parallel_tool_calls: false },
    ],
  ])('says %j in the words of a chat', async (choice, words) => {
    const { tool_choice, parallel_tool_calls } = await sentFor(
      asking('up/m', 'hi', { tools: [tool], tool_choice: choice }),
    )
    expect({ tool_choice, ...(parallel_tool_calls !== undefined && { parallel_tool_calls }) }).toEqual(words)
  })

  it('says its settings in the words of a chat', async () => {
    const settings = {
      ...{ temperature: 0, top_p: 0.9, top_k: 40, stop_sequences: ['\n\nHuman:'], service_tier: 'standard_only' },
      metadata: { user_id: `{"device_id":"${'a'.repeat(100)}"}` },
    }
    expect(await sentFor(asking('up/m', 'hi', settings))).toEqual({
      ...{ model: 'm', messages: [user('hi')], max_completion_tokens: 100, dropped: null },
      ...{ temperature: 0, top_p: 0.9, top_k: 40, stop: ['\n\nHuman:'], service_tier: 'default' },
      user: `{"device_id":"${'a'.repeat(50)}`,
    })
  })

  it.each([
    [{ thinking: { type: 'adaptive' }, output_config: { effort: 'max' } }, 'max'],
    [{ thinking: { type: 'adaptive' } }, undefined],
    [{ thinking: { type: 'disabled' }, output_config: { effort: 'high' } }, 'none'],
    [{ thinking: { type: 'enabled', budget_tokens: 1024 } }, 'low'],
    [{ thinking: { type: 'enabled', budget_tokens: 8000 } }, 'medium'],
    [{ thinking: { type: 'enabled', budget_tokens: 31_999 } }, 'high'],
    [{}, undefined],
  ])('says how much to think: %j', async (thinking, effort) => {
    expect((await sentFor(asking('up/m', 'hi', thinking))).reasoning_effort).toBe(effort)
  })

  it.each([(format: object) => ({ output_config: { format } }), (format: object) => ({ output_format: format })])(
    'wants an answer by a schema: %s',
    async (fields) => {
      const schema = { type: 'object', properties: {}, additionalProperties: false }
      const { response_format: format } = await sentFor(asking('up/m', 'hi', fields({ type: 'json_schema', schema })))
      expect(format).toEqual({ type: 'json_schema', json_schema: { name: 'output', strict: true, schema } })
    },
  )

  const string = { type: 'string' }
  const closed = (properties: object, required: readonly string[]) => ({
    ...{ type: 'object', properties, required, additionalProperties: false },
  })
  it.each([
    ['an object whose properties are all required', closed({ a: string, b: closed({}, []) }, ['a', 'b']), true],
    ['a list of such', closed({ a: { type: 'array', items: closed({ b: string }, ['b']) } }, ['a']), true],
    ['an optional property', closed({ a: string, b: string }, ['a']), false],
    ['one inside', closed({ a: closed({ b: string }, []) }, ['a']), false],
    ['one in a list', closed({ a: { type: 'array', items: closed({ b: string }, []) } }, ['a']), false],
    ['one in an alternative', closed({ a: { anyOf: [string, closed({ b: string }, [])] } }, ['a']), false],
    [
      'one in a definition',
      { ...closed({ a: { $ref: '#/$defs/b' } }, ['a']), $defs: { b: closed({ c: string }, []) } },
      false,
    ],
    ['other properties', { type: 'object', properties: {} }, false],
    ['all of several', closed({ a: { allOf: [string] } }, ['a']), false],
  ])('is as strict as OpenAI is, with a schema that has %s', async (_, schema, strict) => {
    const format = { type: 'json_schema', schema }
    const sent = await sentFor(asking('up/m', 'hi', { output_config: { format } }))
    expect(sent.response_format).toEqual({ type: 'json_schema', json_schema: { name: 'output', strict, schema } })
    upstream.seen.length = 0
    const offering = await sentFor(asking('up/m', 'hi', { tools: [{ ...tool, input_schema: schema, strict: true }] }))
    expect(offering.tools?.[0]?.function).toMatchObject({ parameters: schema, strict })
    expect(offering.dropped).toBe(strict ? null : 'tools.strict')
  })

  it('tells of what is not done, and is silent about what changes no answer', async () => {
    const { dropped, ...sent } = await sentFor(
      asking('up/m', 'hi', {
        ...{ context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] }, future: { a: 1 } },
        ...{
          mcp_servers: [{ type: 'url', url: 'https://mcp.test' }],
          container: 'c',
          cache_control: { type: 'ephemeral' },
        },
        ...{ seed: 7, tools: [], metadata: {}, inference_geo: 'eu' },
      }),
    )
    expect(sent).toEqual({ model: 'm', messages: [user('hi')], max_completion_tokens: 100, seed: 7 })
    expect(dropped).toBe('context_management, future, mcp_servers, container')
  })

  it('marks what is to be cached where the upstream takes marks', async () => {
    const fields = {
      ...{ system: [text('Be brief.', mark)], tools: [{ ...tool, ...mark }] },
      messages: [
        user([text('one'), text('two', mark)]),
        { role: 'assistant', content: [use('a')] },
        user([result('a', mark)]),
      ],
    }
    await sentFor(asking('router/m', '', fields))
    const sent = JSON.parse(upstream.seen[0]?.body ?? '') as Sent
    expect(sent.tools).toEqual([{ ...offered, ...mark }])
    expect(sent.messages).toEqual([
      { role: 'system', content: [text('Be brief.', mark)] },
      user([text('one'), text('two', mark)]),
      { role: 'assistant', content: null, tool_calls: [called('a')] },
      { role: 'tool', tool_call_id: 'a', content: [text('done', mark)] },
    ])
    upstream.seen.length = 0
    expect(JSON.stringify(await sentFor(asking('up/m', '', fields)))).not.toContain('cache_control')
  })

  it.each([
    ['as many tokens as fit', 'hi', 32_000, 4096],
    ['what room there is', 'word '.repeat(4000), 32_000, 1505],
    ['an answer of any length where hardly any room is left', 'word '.repeat(4800), 32_000, undefined],
    ['what the client wants where that fits', 'hi', 10, 10],
  ])('asks a small model for %s', async (_, prompt, asked, limit) => {
    const { max_completion_tokens: sent = undefined } = await sentFor(asking('small', prompt, { max_tokens: asked }))
    expect(sent).toBe(limit)
  })

  it('is the same bytes every time', async () => {
    const turn = { role: 'assistant', content: [{ type: 'thinking', thinking: 'Hm.', signature: 's' }, use('a')] }
    const body = asking('up/m', '', { messages: [user('hi'), turn, user([result('a')])], tools: [tool] })
    await sentFor(body)
    await sentFor(body)
    expect(upstream.seen[0]?.body).toBe(upstream.seen[1]?.body)
  })

  it('is brought whole however long it is', async () => {
    const [system, input] = ['Be brief. ', 'hi, "深い"\n'].map((words) => words.repeat(3000))
    expect(await messagesFor([user(input)], { system })).toEqual([{ role: 'system', content: system }, user(input)])
  })
})

describe.each(runtimes)('On %s, a request that is refused for its max_tokens', (runtime) => {
  it.each([
    [
      'max_tokens is too large: 32000. This model supports at most 4096 completion tokens, whereas you provided 32000.',
      4096,
    ],
    ['max_tokens: 32000 > 8192, which is the maximum allowed number of output tokens for m', 8192],
    ['`max_tokens` must be less than or equal to `2048`, the maximum value for `max_tokens`', 2048],
    ['Invalid max_tokens value, the valid range of max_tokens is [1, 8192]', 8192],
    [
      "This model's maximum context length is 16384 tokens. However, you requested 32010 tokens (10 in the messages, 32000 in the completion).",
      16_384 - 10,
    ],
  ])('asks for less: %s', async (message, most) => {
    const model = `up/m${message.length}-${runtime}`
    const limits: unknown[] = []
    upstream.script((request, ...rest) => {
      const { max_completion_tokens: limit } = JSON.parse(request.body) as { max_completion_tokens: number }
      limits.push(limit)
      const refusal = { error: { message, type: 'invalid_request_error', param: null, code: null } }
      return json(limit > most ? 400 : 200, limit > most ? refusal : chatAnswer('Hello!'))(request, ...rest)
    })
    for (const _ of [1, 2]) {
      const reply = await both.ask(runtime, asking(model, 'hi', { max_tokens: 32_000 }), '/messages')
      expect(readMessage(reply.text).content).toEqual([text('Hello!')])
    }
    // Not refused a second time.
    expect(limits.length).toBe(3)
    expect(limits.slice(1).every((limit) => limit === limits[1] && Number(limit) > most / 2)).toBe(true)
  })

  it('is told so if nothing helps', async () => {
    const message = "This model's maximum context length is 4096 tokens. However, your prompt has 9000 tokens."
    upstream.script(json(400, { error: { message, code: 'context_length_exceeded' } }))
    const reply = await both.ask(runtime as Runtime, asking('up/full', 'hi', { max_tokens: 10 }), '/messages')
    expect(reply.status).toBe(400)
    expect(JSON.parse(reply.text)).toMatchObject({
      type: 'error',
      error: { type: 'invalid_request_error', message: 'prompt is too long: 9000 tokens > 4096 maximum' },
    })
  })
})
