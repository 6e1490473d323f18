import { beforeEach, describe, expect, it } from 'vitest'
import { anthropicAt, keepsToChoice } from '../support/anthropic.ts'
import { chat, errorOf } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'

const { upstream, both } = serveBoth('anthropic-request', anthropicAt, { env: { KEY: 'sk-ant-1' } })

type Body = Record<string, unknown>

const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ'
const pdf = 'JVBERi0xLjQKJcfs'
const hi = [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }]
const cache = { cache_control: { type: 'ephemeral' } }
const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
const weather = { type: 'function', function: { name: 'weather', description: 'd', parameters } }
const time = { type: 'function', function: { name: 'time' } }
const weatherTool = { name: 'weather', description: 'd', input_schema: parameters }
const timeTool = { name: 'time', input_schema: { type: 'object', properties: {} } }
const call = (id: string, text: string) => ({ id, type: 'function', function: { name: 'weather', arguments: text } })
const use = (id: string, input: object) => ({ type: 'tool_use', id, name: 'weather', input })
const text = (words: string) => ({ type: 'text', text: words })

describe.each(runtimes)('A chat with Claude, on %s,', (runtime) => {
  beforeEach(() => {
    upstream.script(keepsToChoice)
    upstream.seen.length = 0
  })

  const asked = (more: object, model: string) => both.ask(runtime, chat(`anthropic/${model}`, more))

  /** What the upstream gets. */
  async function sent(more: object, model = 'claude-sonnet-4-5'): Promise<Body> {
    const reply = await asked(more, model)
    expect([reply.status, reply.text]).toEqual([200, expect.any(String)])
    return JSON.parse(upstream.seen.at(-1)?.body ?? '') as Body
  }

  /** What the client is told of what was left out. */
  const told = async (more: object, model = 'claude-sonnet-4-5') =>
    (await asked(more, model)).headers.get('x-samewire-dropped')

  it('goes to the Messages API with its key and version', async () => {
    expect(await sent({})).toEqual({ model: 'claude-sonnet-4-5', max_tokens: 64_000, messages: hi })
    expect(upstream.seen[0]).toMatchObject({
      path: '/v1/messages',
      headers: { 'x-api-key': 'sk-ant-1', 'anthropic-version': '2023-06-01' },
    })
    expect(upstream.seen[0]?.headers.authorization).toBeUndefined()
  })

  it.each<[string, object[], object]>([
    [
      'puts instructions in front apart',
      [
        { role: 'system', content: 'a' },
        { role: 'developer', content: [{ ...text('b'), ...cache }] },
        { role: 'user', content: 'hi' },
      ],
      { system: [text('a'), { ...text('b'), ...cache }], messages: hi },
    ],
    [
      'puts later instructions there too, for models that take none later',
      [
        { role: 'user', content: 'hi' },
        { role: 'system', content: 'be brief' },
      ],
      { system: [text('be brief')], messages: hi },
    ],
    ['takes an instruction alone for a request', [{ role: 'system', content: 'hi' }], { messages: hi }],
    [
      'joins messages of one role and leaves out empty ones',
      [
        { role: 'user', content: 'a' },
        { role: 'assistant', content: '' },
        { role: 'user', content: [text(' '), text('b')] },
        { role: 'assistant', content: null, refusal: 'no' },
        { role: 'assistant', content: 'so \n' },
      ],
      {
        messages: [
          { role: 'user', content: [text('a'), text('b')] },
          { role: 'assistant', content: [text('no'), text('so')] },
        ],
      },
    ],
    [
      'begins with the user',
      [
        { role: 'assistant', content: 'Welcome' },
        { role: 'user', content: 'hi' },
      ],
      { messages: [{ role: 'user', content: [text('.')] }, { role: 'assistant', content: [text('Welcome')] }, ...hi] },
    ],
    [
      'has images and documents as data and by address',
      [
        {
          role: 'user',
          content: [
            { type: 'image_url', image_url: { url: `data:image/jpeg;base64,${png}`, detail: 'low' } },
            { type: 'image_url', image_url: { url: 'https://example.org/a.png' }, ...cache },
            { type: 'file', file: { filename: 'a.pdf', file_data: `data:application/pdf;base64,${pdf}` } },
            { type: 'file', file: { file_data: 'data:text/plain;base64,aGVsbG8=' } },
            { type: 'file', file: { file_id: 'file_011C' } },
          ],
        },
      ],
      {
        messages: [
          {
            role: 'user',
            content: [
              // The type is that of the data, whatever it is said to be.
              { type: 'image', source: { type: 'base64', media_type: 'image/png', data: png } },
              { type: 'image', source: { type: 'url', url: 'https://example.org/a.png' }, ...cache },
              {
                type: 'document',
                source: { type: 'base64', media_type: 'application/pdf', data: pdf },
                title: 'a.pdf',
              },
              { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'hello' } },
              { type: 'document', source: { type: 'file', file_id: 'file_011C' } },
            ],
          },
        ],
      },
    ],
    [
      'has calls and their results, several in one turn',
      [
        { role: 'user', content: 'hi' },
        {
          role: 'assistant',
          content: 'Let me see',
          tool_calls: [call('functions.weather:0', '{"city":"Oslo"}'), call('c2', '')],
        },
        { role: 'tool', tool_call_id: 'functions.weather:0', content: 'rain' },
        {
          role: 'tool',
          tool_call_id: 'c2',
          content: [text('look'), { type: 'image_url', image_url: { url: `data:image/png;base64,${png}` } }],
          ...cache,
        },
        { role: 'user', content: 'And?' },
      ],
      {
        messages: [
          ...hi,
          {
            role: 'assistant',
            content: [text('Let me see'), use('functions_weather_0', { city: 'Oslo' }), use('c2', {})],
          },
          {
            role: 'user',
            content: [
              { type: 'tool_result', tool_use_id: 'functions_weather_0', content: 'rain' },
              {
                type: 'tool_result',
                tool_use_id: 'c2',
                content: [
                  text('look'),
                  { type: 'image', source: { type: 'base64', media_type: 'image/png', data: png } },
                ],
                ...cache,
              },
              text('And?'),
            ],
          },
        ],
      },
    ],
    [
      'has an empty result without content',
      [
        { role: 'user', content: 'hi' },
        { role: 'assistant', content: null, tool_calls: [call('c1', '{}')] },
        { role: 'tool', tool_call_id: 'c1', content: '' },
      ],
      {
        messages: [
          ...hi,
          { role: 'assistant', content: [use('c1', {})] },
          { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'c1' }] },
        ],
      },
    ],
    [
      "gives thoughts back that are Claude's own and signed, and no others",
      [
        { role: 'user', content: 'hi' },
        {
          role: 'assistant',
          content: 'Hello',
          reasoning_content: 'aabb',
          reasoning_details: [
            // As they came in a stream.
            { type: 'reasoning.text', text: 'aa', format: 'anthropic-claude-v1', index: 0 },
            { type: 'reasoning.text', text: 'bb', format: 'anthropic-claude-v1', index: 0 },
            { type: 'reasoning.text', signature: 's1', format: 'anthropic-claude-v1', index: 0 },
            { type: 'reasoning.encrypted', data: 'zz', format: 'anthropic-claude-v1', index: 1 },
            { type: 'reasoning.text', text: 'unsigned', format: 'anthropic-claude-v1', index: 2 },
            { type: 'reasoning.text', text: 'foreign', signature: 's2', format: 'google-gemini-v1', index: 3 },
          ],
        },
        { role: 'user', content: 'Go on' },
      ],
      {
        messages: [
          ...hi,
          {
            role: 'assistant',
            content: [
              { type: 'thinking', thinking: 'aabb', signature: 's1' },
              { type: 'redacted_thinking', data: 'zz' },
              text('Hello'),
            ],
          },
          { role: 'user', content: [text('Go on')] },
        ],
      },
    ],
    [
      'marks for the cache where a message is marked as a whole',
      [{ role: 'user', content: [text('a'), text('b')], ...cache }],
      { messages: [{ role: 'user', content: [text('a'), { ...text('b'), ...cache }] }] },
    ],
  ])('%s', async (_, messages, wanted) => {
    expect(await sent({ messages })).toEqual({ model: 'claude-sonnet-4-5', max_tokens: 64_000, ...wanted })
  })

  it('keeps later instructions in their place, after what the user says, where the model takes them there', async () => {
    const user = (content: string) => ({ role: 'user', content })
    const system = (content: string) => ({ role: 'system', content })
    const messages = [
      ...[system('a'), user('hi'), { role: 'assistant', content: 'Hello' }],
      ...[
        system('b'),
        user('More'),
        { role: 'assistant', content: 'Yes?' },
        user('Go'),
        { role: 'developer', content: 'c' },
      ],
    ]
    expect(await sent({ messages }, 'claude-opus-4-8')).toMatchObject({
      system: [text('a')],
      messages: [
        ...hi,
        { role: 'assistant', content: [text('Hello')] },
        { role: 'user', content: [text('More')] },
        { role: 'system', content: [text('b')] },
        { role: 'assistant', content: [text('Yes?')] },
        { role: 'user', content: [text('Go')] },
        { role: 'system', content: [text('c')] },
      ],
    })
  })

  it.each<[string, object, object]>([
    ['tools', { tools: [weather, time] }, { tools: [weatherTool, timeTool] }],
    ['a mark on a tool', { tools: [{ ...time, ...cache }] }, { tools: [{ ...timeTool, ...cache }] }],
    [
      "Anthropic's own tools",
      { tools: [{ type: 'web_search_20250305', name: 'web_search' }, timeTool] },
      { tools: [{ type: 'web_search_20250305', name: 'web_search' }, timeTool] },
    ],
    [
      'no choice of a tool',
      { tools: [time], tool_choice: 'none' },
      { tools: [timeTool], tool_choice: { type: 'none' } },
    ],
    ['any tool', { tools: [time], tool_choice: 'required' }, { tools: [timeTool], tool_choice: { type: 'any' } }],
    [
      'one tool',
      { tools: [time], tool_choice: { type: 'function', function: { name: 'time' } } },
      { tools: [timeTool], tool_choice: { type: 'tool', name: 'time' } },
    ],
    [
      'some tools',
      {
        tools: [weather, time],
        tool_choice: {
          type: 'allowed_tools',
          allowed_tools: { mode: 'required', tools: [{ type: 'function', function: { name: 'time' } }] },
        },
      },
      { tools: [timeTool], tool_choice: { type: 'any' } },
    ],
    [
      'one call at a time',
      { tools: [time], parallel_tool_calls: false },
      { tools: [timeTool], tool_choice: { type: 'auto', disable_parallel_tool_use: true } },
    ],
    ['a choice without tools', { tool_choice: 'auto', parallel_tool_calls: false }, {}],
    [
      'a strict tool',
      { tools: [{ type: 'function', function: { name: 'time', strict: true, parameters } }] },
      { tools: [{ name: 'time', strict: true, input_schema: { ...parameters, additionalProperties: false } }] },
    ],
    [
      'functions',
      { functions: [{ name: 'time' }] },
      { tools: [timeTool], tool_choice: { type: 'auto', disable_parallel_tool_use: true } },
    ],
    ['a limit', { max_completion_tokens: 7, max_tokens: 9 }, { max_tokens: 7 }],
    ['a limit above what the model can write', { max_tokens: 900_000 }, { max_tokens: 64_000 }],
    ['stop sequences', { stop: ['END', ''] }, { stop_sequences: ['END'] }],
    ['a temperature', { temperature: 0.2, top_p: 1, top_k: 5 }, { temperature: 0.2, top_k: 5 }],
    ['a user', { user: 'u-1' }, { metadata: { user_id: 'u-1' } }],
    ['the usual tier', { service_tier: 'default' }, { service_tier: 'standard_only' }],
    [
      'fields of its own',
      { context_management: { edits: [] }, ...cache },
      { context_management: { edits: [] }, ...cache },
    ],
    ['nothing where null is said', { temperature: null, stop: null, tools: null, user: null, n: null }, {}],
  ])('says %s in its terms', async (_, more, wanted) => {
    const { model: _model, messages: _messages, ...rest } = await sent(more)
    expect(rest).toEqual({ max_tokens: 64_000, ...wanted })
  })

  it.each<[string, object, string, object]>([
    [
      'a number of tokens',
      { reasoning_effort: 'medium', max_tokens: 10_000 },
      'claude-sonnet-4-5',
      { thinking: { type: 'enabled', budget_tokens: 5000 } },
    ],
    [
      'never fewer than it takes',
      { reasoning_effort: 'low', max_tokens: 2000 },
      'claude-haiku-4-5',
      { thinking: { type: 'enabled', budget_tokens: 1024 } },
    ],
    [
      'the number that is asked for',
      { reasoning: { max_tokens: 3000 } },
      'claude-opus-4-1',
      { thinking: { type: 'enabled', budget_tokens: 3000 } },
    ],
    ['nothing for none', { reasoning_effort: 'none' }, 'claude-sonnet-4-5', {}],
    [
      'an effort',
      { reasoning_effort: 'minimal' },
      'claude-opus-4-6',
      { thinking: { type: 'adaptive', display: 'summarized' }, output_config: { effort: 'low' } },
    ],
    [
      'the nearest effort',
      { reasoning_effort: 'xhigh' },
      'claude-sonnet-4-6',
      { thinking: { type: 'adaptive', display: 'summarized' }, output_config: { effort: 'max' } },
    ],
    [
      'the highest effort',
      { think: 'xhigh' },
      'claude-opus-5',
      { thinking: { type: 'adaptive', display: 'summarized' }, output_config: { effort: 'xhigh' } },
    ],
    [
      'an effort out of sight',
      { reasoning: { effort: 'high', exclude: true } },
      'claude-sonnet-5',
      { thinking: { type: 'adaptive', display: 'omitted' }, output_config: { effort: 'high' } },
    ],
    ['that it shall not', { reasoning_effort: 'none' }, 'claude-opus-4-7', { thinking: { type: 'disabled' } }],
    ['as little as it can', { reasoning_effort: 'none' }, 'claude-fable-5', { output_config: { effort: 'low' } }],
    [
      "the client's own words",
      { thinking: { type: 'enabled', budget_tokens: 2048 } },
      'claude-opus-4-5',
      { thinking: { type: 'enabled', budget_tokens: 2048 } },
    ],
    [
      'an effort alone where a call is forced',
      { reasoning_effort: 'high', tools: [time], tool_choice: 'required' },
      'claude-opus-4-8',
      { output_config: { effort: 'high' }, tools: [timeTool], tool_choice: { type: 'any' } },
    ],
  ])('is told how much to think: %s', async (_, more, model, wanted) => {
    const { model: _model, messages: _messages, max_tokens: _most, ...rest } = await sent(more, model)
    expect(rest).toEqual(wanted)
  })

  const schema = {
    type: 'object',
    properties: {
      age: { type: 'integer', minimum: 0, description: 'In years' },
      when: { type: 'string', format: 'date' },
    },
    required: ['age', 'when'],
    additionalProperties: false,
  }
  const format = (given: object) => ({
    response_format: { type: 'json_schema', json_schema: { name: 'x', strict: true, schema: given } },
  })

  it('is held to a schema, in the words that Anthropic enforces', async () => {
    expect((await sent(format(schema))).output_config).toEqual({
      format: {
        type: 'json_schema',
        schema: {
          ...schema,
          properties: {
            age: { type: 'integer', description: 'In years (minimum: 0)' },
            when: { type: 'string', format: 'date' },
          },
        },
      },
    })
  })

  it.each<[string, object, string, object]>([
    ['for a model that can be held to none', format(schema), 'claude-sonnet-4-0', schema],
    [
      'for keys of any name',
      format({ type: 'object', additionalProperties: { type: 'string' } }),
      'claude-opus-5',
      { type: 'object', additionalProperties: { type: 'string' } },
    ],
    ['for any JSON', { response_format: { type: 'json_object' } }, 'claude-sonnet-4-5', { type: 'object' }],
  ])('answers by a tool %s', async (_, more, model, inputSchema) => {
    const body = await sent(more, model)
    expect(body.tools).toEqual([{ name: 'answer_in_json', description: expect.any(String), input_schema: inputSchema }])
    expect(body.tool_choice).toEqual({ type: 'tool', name: 'answer_in_json', disable_parallel_tool_use: true })
    expect(await sent({ ...more, tools: [time] }, model)).toMatchObject({
      tools: [timeTool, { name: 'answer_in_json' }],
      tool_choice: { type: 'any', disable_parallel_tool_use: true },
    })
  })

  it('asks in words where no tool can be forced', async () => {
    const body = await sent({ response_format: { type: 'json_object' } }, 'claude-fable-5-1')
    expect(body.tools).toBeUndefined()
    expect(body.system).toEqual([text(expect.stringContaining('Answer with one JSON object') as unknown as string)])
  })

  it.each<[string, object, string?]>([
    ['temperature', { temperature: 1.5 }],
    ['top_p', { temperature: 0.2, top_p: 0.5 }],
    ['temperature, top_k', { temperature: 0, top_k: 5 }, 'claude-opus-4-7'],
    ['temperature', { temperature: 0, reasoning_effort: 'high' }],
    ['reasoning_effort', { reasoning_effort: 'high', max_tokens: 500 }],
    ['reasoning_effort', { reasoning_effort: 'high', tools: [time], tool_choice: 'required' }],
    ['reasoning_effort', { reasoning_effort: 'none' }, 'claude-mythos-5'],
    [
      'tools[].function.strict',
      { tools: [{ type: 'function', function: { name: 'time', strict: true } }] },
      'claude-sonnet-4-0',
    ],
    ['user', { user: 'ada@example.org' }],
    ['messages[0].name', { messages: [{ role: 'user', name: 'ada', content: 'hi' }] }],
    [
      'verbosity, prompt_cache_key, store, metadata, service_tier',
      { verbosity: 'low', prompt_cache_key: 'k', store: true, metadata: { a: 'b' }, service_tier: 'flex' },
    ],
  ])('goes without %s where that can be, and the client is told', async (dropped, more, model) => {
    expect(await told(more, model)).toBe(dropped)
  })

  it('does not think on where the client has not kept its thoughts: Anthropic would refuse the calls', async () => {
    const called = { role: 'assistant', content: null, tool_calls: [call('c1', '{}')] }
    const result = { role: 'tool', tool_call_id: 'c1', content: 'rain' }
    const user = { role: 'user', content: 'hi' }
    const details = [{ type: 'reasoning.text', text: 'a', signature: 's', format: 'anthropic-claude-v1', index: 0 }]
    const more = { reasoning_effort: 'high', tools: [weather] }
    expect(await told({ ...more, messages: [user, called, result] })).toBe('reasoning_effort')
    const kept = { ...more, messages: [user, { ...called, reasoning_details: details }, result] }
    expect(await told(kept)).toBeNull()
    expect((await sent(kept)).thinking).toEqual({ type: 'enabled', budget_tokens: 32_000 })
  })

  it('says nothing of what is left out where nothing is', async () => {
    expect(await told({ store: false, n: 1, stream_options: null, temperature: 0.5, top_p: 1 })).toBeNull()
  })

  it.each<[string, object]>([
    ['stop', { stop: '\n\n' }],
    ['logprobs', { logprobs: true }],
    ['logit_bias', { logit_bias: { 5: 1 } }],
    ['seed', { seed: 7 }],
    ['presence_penalty', { presence_penalty: 0.5 }],
    ['modalities', { modalities: ['text', 'audio'], audio: { voice: 'a', format: 'wav' } }],
    ['prediction', { prediction: { type: 'content', content: 'x' } }],
    ['web_search_options', { web_search_options: {} }],
    ['response_format', { response_format: { type: 'grammar' } }],
    [
      'messages[0].content[0]',
      { messages: [{ role: 'user', content: [{ type: 'input_audio', input_audio: { data: '', format: 'wav' } }] }] },
    ],
    [
      'messages[0].content[0].file.file_id',
      { messages: [{ role: 'user', content: [{ type: 'file', file: { file_id: 'file-1' } }] }] },
    ],
    [
      'messages[0].content[0].image_url',
      {
        messages: [
          { role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/bmp;base64,Qk0=' } }] },
        ],
      },
    ],
    ['messages[0].role', { messages: [{ role: 'narrator', content: 'x' }] }],
    ['messages', { messages: [{ role: 'user', content: ' ' }] }],
    [
      'messages[1].tool_calls[0].function.arguments',
      {
        messages: [
          { role: 'user', content: 'a' },
          { role: 'assistant', tool_calls: [call('c', '{"a":')] },
        ],
      },
    ],
  ])('is refused for %s, which Claude has not', async (param, more) => {
    const reply = await asked(more, 'claude-sonnet-4-5')
    expect([reply.status, errorOf(reply).param]).toEqual([400, param])
    expect(upstream.seen).toEqual([])
  })

  it('makes several choices of several messages', async () => {
    const reply = await asked({ n: 2 }, 'claude-sonnet-4-5')
    expect((JSON.parse(reply.text) as { choices: unknown[] }).choices).toHaveLength(2)
    expect(upstream.seen).toHaveLength(2)
  })
})
