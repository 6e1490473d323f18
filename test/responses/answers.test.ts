import { describe, expect, it } from 'vitest'
import { runtimes, serveBoth } from '../support/both.ts'
import {
  asking,
  chatSaying,
  type Item,
  lastOf,
  type Response,
  readEvents,
  readResponse,
} from '../support/response-events.ts'
import { callAnswer, chatAnswer, chunk, json, stream } from '../support/upstream.ts'

const { upstream, both } = serveBoth('responses-answers', (url) => ({
  providers: { up: { type: 'openai-compatible', baseURL: url }, demo: { type: 'embedded' } },
}))

const called = (id: string, name: string, args: string) => ({
  id,
  type: 'function',
  function: { name, arguments: args },
})
const weather = { type: 'function', name: 'weather', parameters: { type: 'object' } }
const patch = { type: 'custom', name: 'apply_patch' }
const agents = {
  type: 'namespace',
  name: 'agents',
  description: 'Agents.',
  tools: [{ type: 'function', name: 'close', parameters: { type: 'object' }, strict: false }],
}

describe.each(runtimes)('On %s, the response', (runtime) => {
  async function responseTo(more: object, answer: object): Promise<Response> {
    upstream.script(json(200, answer))
    const reply = await both.ask(runtime, asking('up/m', 'hi', more), '/responses')
    expect([reply.status, reply.headers.get('content-type')]).toEqual([200, 'application/json'])
    return readResponse(reply.text)
  }

  const outputFor = async (more: object, message: object, finish = 'stop'): Promise<readonly Partial<Item>[]> => {
    const { output } = await responseTo(more, chatSaying(message, finish))
    return output.map(({ id: _, ...item }) => item)
  }

  const saying = (text: string, more: object = {}) => ({
    type: 'message',
    status: 'completed',
    role: 'assistant',
    content: [{ type: 'output_text', text, annotations: [], logprobs: [], ...more }],
  })

  it('has the text, the model and the usage', async () => {
    const usage = {
      prompt_tokens: 30,
      completion_tokens: 20,
      total_tokens: 50,
      prompt_tokens_details: { cached_tokens: 10 },
      completion_tokens_details: { reasoning_tokens: 5 },
    }
    const response = await responseTo({}, chatSaying({ content: 'Hello!' }, 'stop', { usage, service_tier: 'flex' }))
    expect(response).toMatchObject({
      id: expect.stringMatching(/^resp_\w{48}$/),
      object: 'response',
      status: 'completed',
      model: 'fake-model',
      error: null,
      incomplete_details: null,
      instructions: null,
      store: false,
      service_tier: 'flex',
      usage: {
        input_tokens: 30,
        input_tokens_details: { cached_tokens: 10, cache_write_tokens: 0 },
        output_tokens: 20,
        output_tokens_details: { reasoning_tokens: 5 },
        total_tokens: 50,
      },
    })
    expect(response.output).toEqual([{ ...saying('Hello!'), id: expect.any(String) }])
    const [created, completed] = [response.created_at, response.completed_at] as [number, number]
    expect(Math.abs(created - Date.now() / 1000)).toBeLessThan(60)
    expect(completed).toBeGreaterThanOrEqual(created)
  })

  it('repeats what was asked for', async () => {
    const asked = {
      instructions: 'Be brief.',
      max_output_tokens: 50,
      metadata: { a: 'b' },
      parallel_tool_calls: false,
      prompt_cache_key: 'k',
      reasoning: { effort: 'low' },
      safety_identifier: 's',
      temperature: 0.5,
      text: { verbosity: 'low' },
      tool_choice: 'required',
      top_p: 0.5,
      user: 'u',
    }
    expect(await responseTo({ ...asked, tools: [weather] }, callAnswer(weather.name))).toMatchObject({
      ...asked,
      reasoning: { effort: 'low', summary: null },
      text: { verbosity: 'low', format: { type: 'text' } },
      tools: [{ ...weather, strict: null, description: null }],
    })
  })

  it('tells a refusal', async () => {
    expect(await outputFor({}, { refusal: 'I won’t.' })).toEqual([
      { ...saying(''), content: [{ type: 'refusal', refusal: 'I won’t.' }] },
    ])
  })

  it('has an empty message if the model says nothing: agents ask for ever if there is none', async () => {
    expect(await outputFor({}, { content: '' })).toEqual([saying('')])
    expect(await outputFor({}, { content: null, reasoning_content: 'Hm.' })).toMatchObject([
      { type: 'reasoning', status: 'completed' },
      saying(''),
    ])
  })

  describe('to a model that reasons', () => {
    const message = { reasoning_content: 'I think.', content: 'So.' }

    it('has the reasoning before the text', async () => {
      expect(await outputFor({}, message)).toEqual([
        {
          type: 'reasoning',
          status: 'completed',
          summary: [],
          content: [{ type: 'reasoning_text', text: 'I think.' }],
        },
        saying('So.'),
      ])
    })

    it.each(['summary', 'generate_summary'])(
      'has it as a summary for a client that asks for one by %s',
      async (name) => {
        const [reasoning] = await outputFor({ reasoning: { [name]: 'auto' } }, message)
        expect(reasoning).toEqual({
          type: 'reasoning',
          status: 'completed',
          summary: [{ type: 'summary_text', text: 'I think.' }],
        })
      },
    )

    it('has it in a form that only the gateway reads, which gives it back to the model', async () => {
      const asked = { include: ['reasoning.encrypted_content'], reasoning: { summary: 'auto' } }
      const { output } = await responseTo(asked, chatSaying({ ...message, reasoning_content: 'Je pense, 深い.' }))
      const [reasoning, ...rest] = output
      expect(reasoning?.encrypted_content).not.toContain('pense')
      upstream.seen.length = 0
      const history = [{ role: 'user', content: 'hi' }, { ...reasoning, summary: [] }, ...rest]
      await both.ask(runtime, asking('up/m', history), '/responses')
      expect(JSON.parse(upstream.seen[0]?.body ?? '').messages[1]).toEqual({
        role: 'assistant',
        content: 'So.',
        reasoning_content: 'Je pense, 深い.',
      })
    })
  })

  describe('with calls', () => {
    const functionCall = (callId: string, name: string, args: string, more: object = {}) => ({
      type: 'function_call',
      status: 'completed',
      call_id: callId,
      name,
      arguments: args,
      ...more,
    })

    it('has each as an item', async () => {
      const calls = [called('call_a', 'weather', '{"city":"Paris"}'), called('call_b', 'weather', '{"city":"Köln"}')]
      expect(
        await outputFor({ tools: [weather] }, { content: 'Let me see.', tool_calls: calls }, 'tool_calls'),
      ).toEqual([
        saying('Let me see.'),
        functionCall('call_a', 'weather', '{"city":"Paris"}'),
        functionCall('call_b', 'weather', '{"city":"Köln"}'),
      ])
    })

    it.each([
      ['thought', { reasoning_content: 'Hm.' }],
      ['said nothing else', {}],
    ])('gives back what Gemini wants back with a call, also streamed, where it has %s', async (_what, more) => {
      const extra = { google: { thought_signature: 'EjQKMg==' } }
      const calls = [{ ...called('call_a', 'weather', '{}'), extra_content: extra }, called('call_b', 'weather', '{}')]
      const message = { ...more, tool_calls: calls }
      const asked = { tools: [weather], include: ['reasoning.encrypted_content'] }
      const { output: whole } = await responseTo(asked, chatSaying(message, 'tool_calls'))
      upstream.script(stream([chunk(message), chunk({}, 'tool_calls'), 'data: [DONE]\n\n']))
      const { text } = await both.ask(runtime, asking('up/m', 'hi', { ...asked, stream: true }), '/responses')
      upstream.script(json(200, chatAnswer('Fine.')))
      for (const output of [whole, lastOf(readEvents(text)).output]) {
        expect(output.map(({ type }) => type)).toEqual(['reasoning', 'function_call', 'function_call'])
        upstream.seen.length = 0
        const results = ['a', 'b'].map((id) => ({ type: 'function_call_output', call_id: `call_${id}`, output: '20°' }))
        const input = [{ role: 'user', content: 'hi' }, ...output, ...results]
        await both.ask(runtime, asking('up/m', input, asked), '/responses')
        const sent = JSON.parse(upstream.seen[0]?.body ?? '') as { messages: object[] }
        expect(sent.messages[1]).toEqual({ role: 'assistant', content: null, ...message })
      }
    })

    it('has one in the form of 2023 too', async () => {
      const [call] = await outputFor({}, { content: null, function_call: { name: 'f', arguments: '{"x":1}' } })
      expect(call).toMatchObject({
        type: 'function_call',
        name: 'f',
        arguments: '{"x":1}',
        call_id: expect.any(String),
      })
    })

    it('has no reasoning for what a client that wants none could not give back', async () => {
      const call = { ...called('call_a', 'weather', '{}'), extra_content: { google: { thought_signature: 'EjQ=' } } }
      expect(await outputFor({ tools: [weather] }, { tool_calls: [call] }, 'tool_calls')).toEqual([
        functionCall('call_a', 'weather', '{}'),
      ])
    })

    it('has one of a custom tool with its text', async () => {
      const input = '*** Begin Patch\n"ü"'
      const calls = [called('call_a', 'apply_patch', JSON.stringify({ input }))]
      expect(await outputFor({ tools: [patch] }, { tool_calls: calls }, 'tool_calls')).toEqual([
        { type: 'custom_tool_call', status: 'completed', call_id: 'call_a', name: 'apply_patch', input },
      ])
    })

    it.each([
      ['under another name', '{"patch":"x"}', 'x'],
      ['in another form', '{"file":"x","lines":2}', '{"file":"x","lines":2}'],
    ])('has what a model gives a custom tool %s', async (_how, args, input) => {
      const calls = [called('call_a', 'apply_patch', args)]
      expect(await outputFor({ tools: [patch] }, { tool_calls: calls }, 'tool_calls')).toMatchObject([
        { type: 'custom_tool_call', input },
      ])
    })

    it.each(['agents__close', 'close'])('has one into a namespace by its name there (%s)', async (name) => {
      const calls = [called('call_a', name, '{}')]
      expect(await outputFor({ tools: [agents] }, { tool_calls: calls }, 'tool_calls')).toEqual([
        functionCall('call_a', 'close', '{}', { namespace: 'agents' }),
      ])
    })
  })

  it.each([
    ['length', 'max_output_tokens'],
    ['content_filter', 'content_filter'],
  ])('is incomplete after %s', async (finish, reason) => {
    expect(await responseTo({}, chatSaying({ content: 'Half an' }, finish))).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason },
      completed_at: null,
      output: [{ type: 'message', status: 'incomplete', content: [{ text: 'Half an' }] }],
    })
  })

  it('of an answer that ends amid the text of a custom tool has the text so far', async () => {
    const calls = [called('call_a', 'apply_patch', '{"input":"one\\ntwo\\u00e')]
    expect(await outputFor({ tools: [patch] }, { tool_calls: calls }, 'length')).toMatchObject([
      { type: 'custom_tool_call', status: 'incomplete', input: 'one\ntwo' },
    ])
  })

  it('has the sources of a text', async () => {
    const cited = { url: 'https://example.com', title: 'Example', start_index: 0, end_index: 4 }
    const annotations = [{ type: 'url_citation', url_citation: cited }]
    expect(await outputFor({}, { content: 'As is known.', annotations })).toEqual([
      saying('As is known.', { annotations: [{ type: 'url_citation', ...cited }] }),
    ])
  })

  it('has the probabilities of tokens for a client that wants them', async () => {
    const token = { token: 'Hi', logprob: -0.1, bytes: [72, 105], top_logprobs: [] }
    const choice = { logprobs: { content: [token], refusal: null } }
    const answer = chatSaying({ content: 'Hi' }, 'stop', { choice })
    expect((await responseTo({ include: ['message.output_text.logprobs'] }, answer)).output).toMatchObject([
      saying('Hi', { logprobs: [token] }),
    ])
    expect((await responseTo({}, answer)).output).toMatchObject([saying('Hi')])
  })

  it('has no usage if the upstream tells of none', async () => {
    const { usage: _, ...answer } = chatSaying({ content: 'x' })
    expect(await responseTo({}, answer)).toMatchObject({ status: 'completed', usage: null })
  })

  it('is had of the embedded model too', async () => {
    const asked = asking('demo/tiny-chat', 'What is the capital of France?', { temperature: 0, max_output_tokens: 16 })
    const reply = await both.ask(runtime, asked, '/responses')
    const response = readResponse(reply.text)
    const chat = { model: 'demo/tiny-chat', messages: [{ role: 'user', content: asked.input }], temperature: 0 }
    const same = await both.ask(runtime, { ...chat, max_completion_tokens: 16 })
    const { choices, usage } = JSON.parse(same.text)
    expect(response.output).toMatchObject([{ content: [{ text: choices[0].message.content }] }])
    expect(response.usage).toMatchObject({ input_tokens: usage.prompt_tokens, output_tokens: usage.completion_tokens })
  })
})
