import { beforeEach, describe, expect, it } from 'vitest'
import { runtimes, serveBoth } from '../support/both.ts'
import { asking, readResponse } from '../support/response-events.ts'
import { callAnswer, chatAnswer, json } from '../support/upstream.ts'

const { upstream, both } = serveBoth(
  'responses-requests',
  (url) => {
    const up = { type: 'openai-compatible', baseURL: url }
    return { providers: { up, router: { ...up, routes: true } } }
  },
  { script: (request, ...rest) => json(200, answerTo(JSON.parse(request.body)))(request, ...rest) },
)

/** Calls what must be called, keeps to a schema, and tells the probabilities that are asked for. */
function answerTo({ tools = [], tool_choice: choice, logprobs, response_format: format }: Partial<Sent>): object {
  const named = (choice as { readonly function?: { readonly name: string } } | undefined)?.function?.name
  if (named !== undefined || choice === 'required') return callAnswer(named ?? String(tools[0]?.function.name))
  const probable = { content: [{ token: 'Hello!', logprob: -0.1, bytes: [72], top_logprobs: [] }], refusal: null }
  return chatAnswer(format ? '{}' : 'Hello!', 'fake-model', logprobs ? probable : null)
}

interface Sent extends Record<string, unknown> {
  readonly messages: readonly Record<string, unknown>[]
  readonly tools?: readonly { readonly function: Record<string, unknown> }[]
}

const request = (input: unknown, more: object = {}) => asking('up/m', input, more)

const user = (content: unknown) => ({ role: 'user', content })
const call = (id: string, name: string, more: object = {}) => ({
  type: 'function_call',
  id: `fc_${id}`,
  call_id: id,
  name,
  arguments: '{"x":1}',
  status: 'completed',
  ...more,
})
const result = (id: string, output: unknown = 'done') => ({
  type: 'function_call_output',
  id: `fco_${id}`,
  call_id: id,
  output,
})
const said = (text: string) => ({
  type: 'message',
  id: 'msg_1',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
})
const called = (id: string, name = 'f') => ({ id, type: 'function', function: { name, arguments: '{"x":1}' } })
const tool = (name: string, more: object = {}) => ({ type: 'function', name, parameters: { type: 'object' }, ...more })

const namespaced = { type: 'namespace', name: 'agents', description: 'Agents.', tools: [tool('close')] }

describe.each(runtimes)('On %s, a request for a response', (runtime) => {
  beforeEach(() => {
    upstream.seen.length = 0
  })

  async function sentFor(body: object, status = 200): Promise<Sent> {
    const reply = await both.ask(runtime, body, '/responses')
    expect({ status: reply.status, text: reply.text }).toMatchObject({ status })
    readResponse(reply.text)
    expect(upstream.seen[0]?.path).toBe('/chat/completions')
    return JSON.parse(upstream.seen[0]?.body ?? '') as Sent
  }

  const messagesFor = async (input: unknown, more: object = {}) => (await sentFor(request(input, more))).messages

  it('of one text is one message of the user', async () => {
    expect(await sentFor(request('hi'))).toEqual({ model: 'm', messages: [user('hi')] })
  })

  it('is brought whole however long it is', async () => {
    const [instructions, input] = ['Be brief. ', 'hi, "深い"\n'].map((text) => text.repeat(3000))
    expect(await messagesFor(input, { instructions })).toEqual([{ role: 'system', content: instructions }, user(input)])
  })

  it('brings a router what it says of its routing', async () => {
    const routing = { models: ['m', 'n'], provider: { order: ['x'] } }
    await both.ask(runtime, { ...request('hi', routing), model: 'router/m' }, '/responses')
    expect(JSON.parse(upstream.seen[0]?.body ?? '')).toEqual({ model: 'm', messages: [user('hi')], ...routing })
  })

  it('has its instructions in front', async () => {
    expect(await messagesFor('hi', { instructions: 'Be brief.' })).toEqual([
      { role: 'system', content: 'Be brief.' },
      user('hi'),
    ])
  })

  it('has all instructions in front in one message, since many models take no second one', async () => {
    const developer = (text: string) => ({
      type: 'message',
      id: 'msg_client',
      role: 'developer',
      content: [{ type: 'input_text', text }],
      internal_chat_message_metadata_passthrough: { a: 1 },
    })
    expect(await messagesFor([developer('two'), developer('three'), user('hi')], { instructions: 'one' })).toEqual([
      { role: 'system', content: 'one\n\ntwo\n\nthree' },
      user('hi'),
    ])
  })

  it('keeps parts of a text apart', async () => {
    const parts = ['one', 'two'].map((text) => ({ type: 'input_text', text }))
    expect(await messagesFor([{ role: 'user', content: parts }])).toEqual([user('one\ntwo')])
  })

  it('brings images, files and sound', async () => {
    const image = { type: 'input_image', image_url: 'data:image/png;base64,aGk=', detail: 'low' }
    const file = { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,aGk=' }
    const sound = { type: 'input_audio', input_audio: { data: 'aGk=', format: 'wav' } }
    const text = { type: 'input_text', text: 'What are these?' }
    expect(await messagesFor([user([text, image, file, sound])])).toEqual([
      user([
        { type: 'text', text: 'What are these?' },
        { type: 'image_url', image_url: { url: image.image_url, detail: 'low' } },
        { type: 'file', file: { filename: 'a.pdf', file_data: file.file_data } },
        sound,
      ]),
    ])
  })

  it('has one message for what the assistant thought, said and called in one turn', async () => {
    const reasoning = { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'I think.' }] }
    const turn = [reasoning, said('Let me see.'), call('a', 'f'), call('b', 'f'), said('And?')]
    expect(await messagesFor([user('hi'), ...turn, result('a'), result('b'), said('Done.'), user('thanks')])).toEqual([
      user('hi'),
      {
        role: 'assistant',
        content: 'Let me see.\n\nAnd?',
        reasoning_content: 'I think.',
        tool_calls: [called('a'), called('b')],
      },
      { role: 'tool', tool_call_id: 'a', content: 'done' },
      { role: 'tool', tool_call_id: 'b', content: 'done' },
      { role: 'assistant', content: 'Done.' },
      user('thanks'),
    ])
  })

  it('has a message of its own for each round of calls', async () => {
    const rounds = [call('a', 'f'), result('a'), call('b', 'f', { arguments: '' }), result('b')]
    expect(await messagesFor([user('hi'), ...rounds])).toEqual([
      user('hi'),
      { role: 'assistant', content: null, tool_calls: [called('a')] },
      { role: 'tool', tool_call_id: 'a', content: 'done' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'b', type: 'function', function: { name: 'f', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'b', content: 'done' },
    ])
  })

  it('shows what tools return beside text behind all results, which must follow their calls', async () => {
    const image = { type: 'input_image', image_url: 'https://example.com/a.png' }
    const shown = result('a', [{ type: 'input_text', text: 'See:' }, image])
    expect((await messagesFor([user('hi'), call('a', 'f'), call('b', 'f'), shown, result('b')])).slice(2)).toEqual([
      { role: 'tool', tool_call_id: 'a', content: 'See:' },
      { role: 'tool', tool_call_id: 'b', content: 'done' },
      user([{ type: 'image_url', image_url: { url: image.image_url } }]),
    ])
  })

  it('keeps what was said between calls and their results until these are there', async () => {
    const items = [call('a', 'f'), call('b', 'f'), user('Warning!'), result('a'), result('b'), said('Done.')]
    expect((await messagesFor([user('hi'), ...items])).slice(1)).toEqual([
      { role: 'assistant', content: null, tool_calls: [called('a'), called('b')] },
      { role: 'tool', tool_call_id: 'a', content: 'done' },
      { role: 'tool', tool_call_id: 'b', content: 'done' },
      user('Warning!'),
      { role: 'assistant', content: 'Done.' },
    ])
  })

  it('keeps the order of what was said when a result never comes', async () => {
    const items = [call('a', 'f'), user('Stop!'), said('Stopped.'), user('Go on.')]
    const roles = (await messagesFor([user('hi'), ...items])).map(({ role, content }) => [role, content])
    expect(roles).toEqual([
      ['user', 'hi'],
      ['assistant', null],
      ['user', 'Stop!'],
      ['assistant', 'Stopped.'],
      ['user', 'Go on.'],
    ])
  })

  it('tells a refusal of the assistant as what it said', async () => {
    const refused = { role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] }
    expect((await messagesFor([user('hi'), refused, user('please')]))[1]).toEqual({ role: 'assistant', content: 'No.' })
  })

  it('leaves out reasoning that only another provider can read, and items that no chat has', async () => {
    const theirs = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'gAAAA' }
    const search = { type: 'web_search_call', id: 'ws_1', status: 'completed', action: { type: 'search', query: 'x' } }
    const reply = await both.ask(runtime, request([user('hi'), theirs, search, said('Hm.'), user('?')]), '/responses')
    expect(reply.headers.get('x-samewire-dropped')).toBe('input.web_search_call')
    expect(JSON.parse(upstream.seen[0]?.body ?? '').messages).toEqual([
      user('hi'),
      { role: 'assistant', content: 'Hm.' },
      user('?'),
    ])
  })

  it('leaves out results with the calls that no chat has', async () => {
    const shell = {
      type: 'local_shell_call',
      call_id: 'a',
      status: 'completed',
      action: { type: 'exec', command: ['ls'] },
    }
    const reply = await both.ask(runtime, request([user('hi'), shell, result('a'), user('?')]), '/responses')
    expect(reply.headers.get('x-samewire-dropped')).toBe('input.local_shell_call, input.function_call_output')
    expect(JSON.parse(upstream.seen[0]?.body ?? '').messages).toEqual([user('hi'), user('?')])
  })

  it('leaves out parts that only OpenAI reads', async () => {
    const parts = [
      { type: 'encrypted_content', encrypted_content: 'gAAAA' },
      { type: 'input_text', text: 'hi' },
    ]
    expect(await messagesFor([user(parts)])).toEqual([user('hi')])
  })

  it('keeps the images of instructions that become one message', async () => {
    const image = { type: 'input_image', image_url: { url: 'https://example.com/a.png' } }
    const developer = { role: 'developer', content: [{ type: 'input_text', text: 'See:' }, image] }
    expect(await messagesFor([developer, user('hi')], { instructions: 'one' })).toEqual([
      {
        role: 'system',
        content: [
          { type: 'text', text: 'one' },
          { type: 'text', text: 'See:' },
          { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
        ],
      },
      user('hi'),
    ])
  })

  it('gives the fields that chat calls otherwise their names, and keeps the rest', async () => {
    const given = {
      max_output_tokens: 5,
      reasoning: { effort: 'low', summary: 'auto' },
      text: { verbosity: 'low', format: { type: 'json_schema', name: 'n', strict: true, schema: { type: 'object' } } },
      include: ['reasoning.encrypted_content', 'message.output_text.logprobs'],
      top_logprobs: 2,
      temperature: 0.5,
      user: 'u',
      prompt_cache_key: 'k',
      top_k: 3,
    }
    const echoed = { metadata: { a: 'b' }, store: true, client_metadata: { c: 1 }, max_tool_calls: 3, truncation: null }
    const { messages: _, ...sent } = await sentFor(request('hi', { ...given, ...echoed }))
    expect(sent).toEqual({
      model: 'm',
      max_completion_tokens: 5,
      reasoning_effort: 'low',
      verbosity: 'low',
      response_format: { type: 'json_schema', json_schema: { name: 'n', strict: true, schema: { type: 'object' } } },
      logprobs: true,
      top_logprobs: 2,
      temperature: 0.5,
      user: 'u',
      prompt_cache_key: 'k',
      top_k: 3,
    })
  })

  it('asks for the usage of a stream, whatever the client wants of one', async () => {
    await both.ask(
      runtime,
      request('hi', { stream: true, stream_options: { include_obfuscation: true } }),
      '/responses',
    )
    expect(JSON.parse(upstream.seen[0]?.body ?? '')).toMatchObject({
      stream: true,
      stream_options: { include_usage: true },
    })
  })

  it('names what it can’t have in a header', async () => {
    const more = { truncation: 'auto', context_management: [{ type: 'compaction' }], n: 2 }
    const reply = await both.ask(runtime, request('hi', more), '/responses')
    expect(reply.headers.get('x-samewire-dropped')).toBe('truncation, context_management, n')
    expect(readResponse(reply.text)).toMatchObject({ truncation: 'disabled' })
    expect(JSON.parse(upstream.seen[0]?.body ?? '')).toEqual({ model: 'm', messages: [user('hi')] })
  })

  it('is the same for the upstream’s cache whenever it is the same', async () => {
    const body = request([user('hi'), call('a', 'f'), result('a')], { tools: [namespaced, tool('f')], stream: true })
    await both.ask(runtime, body, '/responses')
    await both.ask(runtime, body, '/responses')
    expect(upstream.seen[0]?.body).not.toMatch(/msg_|fc_|fco_/)
    expect(upstream.seen[1]?.body).toBe(upstream.seen[0]?.body)
  })

  describe('with tools', () => {
    const toolsFor = async (more: object) => {
      const sent = await sentFor(request('hi', more))
      return { names: sent.tools?.map((one) => one.function.name), choice: sent.tool_choice }
    }

    it('offers functions as they are', async () => {
      const full = tool('f', { description: 'Does f.', strict: false })
      const sent = await sentFor(
        request('hi', { tools: [full, tool('g')], tool_choice: 'auto', parallel_tool_calls: false }),
      )
      expect(sent).toMatchObject({ tool_choice: 'auto', parallel_tool_calls: false })
      expect(sent.tools).toEqual([
        {
          type: 'function',
          function: { name: 'f', description: 'Does f.', parameters: { type: 'object' }, strict: false },
        },
        { type: 'function', function: { name: 'g', parameters: { type: 'object' } } },
      ])
    })

    it('offers a custom tool as a function of one text, and tells of its grammar', async () => {
      const format = { type: 'grammar', syntax: 'lark', definition: 'start: "a"' }
      const { tools } = await sentFor(
        request('hi', { tools: [{ type: 'custom', name: 'apply_patch', description: 'Patches.', format }] }),
      )
      expect(tools?.[0]?.function).toMatchObject({
        name: 'apply_patch',
        description: 'Patches.\n\nThe input must follow this lark grammar:\nstart: "a"',
        parameters: { properties: { input: { type: 'string' } }, required: ['input'], additionalProperties: false },
      })
    })

    it('offers the functions of a namespace under names of their own, in the history too', async () => {
      const history = [call('a', 'close', { namespace: 'agents' }), result('a'), call('b', 'close'), result('b')]
      const more = { tools: [namespaced, tool('close')] }
      const { messages, tools } = await sentFor(request([user('hi'), ...history], more))
      expect(tools?.map((one) => one.function.name)).toEqual(['agents__close', 'close'])
      expect(messages[1]?.tool_calls).toEqual([called('a', 'agents__close')])
      expect(messages[3]?.tool_calls).toEqual([called('b', 'close')])
    })

    it('offers those too that came in the middle of the conversation', async () => {
      const added = { type: 'additional_tools', role: 'developer', tools: [tool('g'), { type: 'custom', name: 'h' }] }
      const reply = await both.ask(runtime, request([user('hi'), added], { tools: [tool('f')] }), '/responses')
      expect(reply.headers.get('x-samewire-dropped')).toBeNull()
      const { tools } = JSON.parse(upstream.seen[0]?.body ?? '') as Sent
      expect(tools?.map((one) => one.function.name)).toEqual(['f', 'g', 'h'])
    })

    it('keeps those of two namespaces apart whose names amount to the same', async () => {
      const tools = [
        { ...namespaced, name: 'a__b', tools: [tool('c')] },
        { ...namespaced, name: 'a', tools: [tool('b__c')] },
      ]
      const chosen = { type: 'function', namespace: 'a', name: 'b__c' }
      const reply = await both.ask(runtime, request('hi', { tools, tool_choice: chosen }), '/responses')
      const sent = JSON.parse(upstream.seen[0]?.body ?? '') as Sent
      expect(sent.tools?.map((one) => one.function.name)).toEqual(['a__b__c', 'a__b__c_2'])
      expect(readResponse(reply.text).output).toMatchObject([{ namespace: 'a', name: 'b__c' }])
    })

    it('leaves out those that no chat model has, and says so', async () => {
      const tools = [{ type: 'web_search', external_web_access: false }, tool('f'), { type: 'local_shell' }]
      const reply = await both.ask(runtime, request('hi', { tools }), '/responses')
      expect(reply.headers.get('x-samewire-dropped')).toBe('tools.web_search, tools.local_shell')
      expect(readResponse(reply.text).tools).toHaveLength(3)
    })

    it.each([
      ['must be called', 'required'],
      ['is chosen', { type: 'web_search' }],
      ['is allowed', { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'web_search' }] }],
    ])('has none if there are no others, and tells that none can be called where one %s', async (_what, choice) => {
      const more = { tools: [{ type: 'web_search' }], tool_choice: choice }
      const reply = await both.ask(runtime, request('hi', more), '/responses')
      expect(JSON.parse(upstream.seen[0]?.body ?? '')).toEqual({ model: 'm', messages: [user('hi')] })
      expect(reply.headers.get('x-samewire-dropped')).toBe('tools.web_search, tool_choice')
    })

    it('tells that one that was left out is not chosen', async () => {
      const more = { tools: [tool('f'), { type: 'web_search' }], tool_choice: { type: 'web_search' } }
      const reply = await both.ask(runtime, request('hi', more), '/responses')
      expect(reply.headers.get('x-samewire-dropped')).toBe('tools.web_search, tool_choice')
    })

    it('names no more of them than a header holds', async () => {
      const tools = Array.from({ length: 3000 }, (_, at) => ({ type: `${at}`.padStart(at === 0 ? 9000 : 4, 'x') }))
      const reply = await both.ask(runtime, request('hi', { tools }), '/responses')
      const told = reply.headers.get('x-samewire-dropped') ?? ''
      expect(told).toMatch(/^tools\.x{64}%E2%80%A6, tools\.xxx1, .*, \d+ more$/)
      expect(told.split(', ').length - 1 + Number(/(\d+) more$/.exec(told)?.[1])).toBe(3000)
      expect(told.length).toBeLessThan(1100)
    })

    const custom = { type: 'custom', name: 'c' }
    const chosen = (name: string) => ({ type: 'function', function: { name } })
    it.each([
      ['none', 'none', ['f', 'c', 'agents__close'], 'none'],
      ['required', 'required', ['f', 'c', 'agents__close'], 'required'],
      ['a function', { type: 'function', name: 'f' }, ['f', 'c', 'agents__close'], chosen('f')],
      ['a custom tool', { type: 'custom', name: 'c' }, ['f', 'c', 'agents__close'], chosen('c')],
      ['one of OpenAI’s own', { type: 'web_search_preview' }, ['f', 'c', 'agents__close'], 'auto'],
      [
        'some',
        { type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name: 'f' }] },
        ['f'],
        'required',
      ],
    ])('heeds the choice of %s', async (_which, choice, names, expected) => {
      const tools = [tool('f'), custom, namespaced, { type: 'web_search' }]
      expect(await toolsFor({ tools, tool_choice: choice })).toEqual({ names, choice: expected })
    })
  })
})
