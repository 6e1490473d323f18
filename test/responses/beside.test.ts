import { describe, expect, it } from 'vitest'
import { errorOf } from '../support/ask.ts'
import { runtimes, startBoth } from '../support/both.ts'
import { duringTests } from '../support/during-tests.ts'
import { serveUpstreams } from '../support/gateway.ts'
import { lastOf, readEvents, readResponse } from '../support/response-events.ts'
import { message, response } from '../support/responses.ts'
import { chatAnswer, chatFrames, chunk, json, type Script, stream } from '../support/upstream.ts'

/** Answers at these paths, and has no others. */
const serving =
  (paths: Record<string, unknown>): Script =>
  (request, ...rest) => {
    const path = Object.keys(paths).find((one) => request.path.split('?')[0] === one)
    const script = path === undefined ? json(404, { detail: 'Not Found' }) : json(200, paths[path])
    return script(request, ...rest)
  }

const { up } = serveUpstreams({ up: serving({}) })

const both = duringTests(() =>
  startBoth(
    'beside-responses',
    {
      providers: {
        openai: { type: 'openai', apiKey: 'env:KEY', baseURL: `${up.url}/v1` },
        vllm: { type: 'vllm', baseURL: `${up.url}/v1` },
        llamacpp: { type: 'llamacpp', baseURL: `${up.url}/v1` },
        compatible: { type: 'openai-compatible', baseURL: `${up.url}/v1` },
        demo: { type: 'embedded' },
      },
      retries: 0,
      cooldown: false,
    },
    { KEY: 'sk-up' },
  ),
)

const posts = () => up.seen.filter(({ method }) => method === 'POST')
const sentTo = (path: string) => JSON.parse(posts().find((one) => one.path === path)?.body ?? 'null') as unknown

describe.each(runtimes)('On %s, the length of an input', (runtime) => {
  const count = async (body: object) => {
    const reply = await both.ask(runtime, { input: 'hi', ...body }, '/responses/input_tokens')
    return { reply, counted: JSON.parse(reply.text) as { input_tokens: number; bound?: string } }
  }
  const exact = (tokens: number) => ({ object: 'response.input_tokens', input_tokens: tokens })

  it('is what OpenAI says', async () => {
    up.script(serving({ '/v1/responses/input_tokens': exact(11) }))
    expect((await count({ model: 'openai/m' })).counted).toEqual(exact(11))
    expect(sentTo('/v1/responses/input_tokens')).toEqual({ input: 'hi', model: 'm' })
  })

  it('is what vLLM counts, with its template', async () => {
    up.script(serving({ '/tokenize': { count: 12, max_model_len: 8192, tokens: [] } }))
    const tool = { type: 'function', name: 'f', parameters: { type: 'object' } }
    expect((await count({ model: 'vllm/m', tools: [tool] })).counted).toEqual(exact(12))
    const { type, ...called } = tool
    expect(sentTo('/tokenize')).toEqual({
      model: 'm',
      messages: [{ role: 'user', content: 'hi' }],
      tools: [{ type, function: called }],
      add_generation_prompt: true,
    })
  })

  it('is what llama.cpp counts', async () => {
    up.script(serving({ '/v1/chat/completions/input_tokens': { input_tokens: 13 } }))
    expect((await count({ model: 'llamacpp/m' })).counted).toEqual(exact(13))
  })

  it('is counted by an older llama.cpp in two steps', async () => {
    up.script(serving({ '/apply-template': { prompt: '<|user|>hi' }, '/tokenize': { tokens: [1, 2, 3] } }))
    expect((await count({ model: 'llamacpp/m' })).counted).toEqual(exact(3))
    expect(sentTo('/tokenize')).toMatchObject({ content: '<|user|>hi', parse_special: true })
  })

  it('is what the embedded model reads', async () => {
    const { input_tokens: read } = (await count({ model: 'demo/tiny-chat' })).counted
    const { text } = await both.ask(
      runtime,
      { model: 'demo/tiny-chat', input: 'hi', max_output_tokens: 16 },
      '/responses',
    )
    expect(JSON.parse(text)).toMatchObject({ usage: { input_tokens: read } })
  })

  it('is told also where the model has no room for it', async () => {
    const { counted } = await count({ model: 'demo/tiny-chat', input: 'many words '.repeat(3000) })
    expect(counted.input_tokens).toBeGreaterThan(2048)
  })

  it.each(['openai/older', 'vllm/m', 'llamacpp/m', 'compatible/m'])(
    'is said to be no more than a bound where nobody counts: %s',
    async (model) => {
      up.script(serving({}))
      const { reply, counted } = await count({ model, input: 'ä'.repeat(1000) })
      expect(reply.status).toBe(200)
      expect(counted).toMatchObject({ object: 'response.input_tokens', bound: 'upper' })
      expect(counted.input_tokens).toBeGreaterThan(2000)
      expect(counted.input_tokens).toBeLessThan(4000)
      expect(reply.headers.get('x-samewire-notice')).toContain('bound')
    },
  )

  it('needs an input', async () => {
    const reply = await both.ask(runtime, { model: 'compatible/m' }, '/responses/input_tokens')
    expect(reply.status).toBe(400)
  })

  it('is not guessed where the provider fails', async () => {
    up.script(json(500, { error: { message: 'Out of luck' } }))
    expect((await count({ model: 'vllm/m' })).reply.status).toBe(502)
  })
})

describe.each(runtimes)('On %s, a conversation', (runtime) => {
  const input = [
    { role: 'developer', content: 'Be brief.' },
    { role: 'user', content: 'I am Ada.' },
    { type: 'reasoning', id: 'rs_1', summary: [] },
    { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Hello Ada.' }] },
    { type: 'function_call', call_id: 'c1', name: 'look', arguments: '{}' },
    { type: 'function_call_output', call_id: 'c1', output: 'rain' },
  ]
  const compact = (body: object) => both.ask(runtime, { input, ...body }, '/responses/compact')

  it('is compacted by the provider where it does that', async () => {
    const answer = JSON.stringify({ id: 'resp_1', object: 'response.compaction', output: [], usage: null }, null, 1)
    up.script(serving({ '/v1/responses/compact': JSON.parse(answer) }))
    expect(JSON.parse((await compact({ model: 'openai/m' })).text)).toEqual(JSON.parse(answer))
    expect(sentTo('/v1/responses/compact')).toEqual({ input, model: 'm' })
  })

  it.each(['compatible/m', 'vllm/m', 'openai/older'])('is summed up by the model itself: %s', async (model) => {
    up.script(serving({ '/v1/chat/completions': chatAnswer('Ada asked. It rains.') }))
    const reply = await compact({ model, instructions: 'Speak Latin.' })
    const compacted = JSON.parse(reply.text) as { output: { type: string; encrypted_content?: string }[] }
    expect(compacted).toMatchObject({
      object: 'response.compaction',
      output: [{ role: 'developer' }, { role: 'user' }, { type: 'compaction' }],
      usage: { input_tokens: 3, output_tokens: 2, total_tokens: 5 },
    })
    expect(JSON.stringify(compacted)).not.toContain('It rains')
    const { messages } = sentTo('/v1/chat/completions') as { messages: { role: string; content: string }[] }
    expect(messages[0]).toMatchObject({ role: 'system', content: expect.stringContaining('Speak Latin.') })
    expect(messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'tool', 'user'])
  })

  it('goes on from what it was compacted to', async () => {
    up.script(serving({ '/v1/chat/completions': chatAnswer('Ada asked. It rains.') }))
    const { output } = JSON.parse((await compact({ model: 'compatible/m' })).text) as { output: object[] }
    up.seen.length = 0
    const next = [...output, { role: 'user', content: 'And now?' }]
    await both.ask(runtime, { model: 'compatible/m', input: next }, '/responses')
    const contents = (sentTo('/v1/chat/completions') as { messages: { content: string }[] }).messages.map(
      ({ content }) => content,
    )
    expect(contents).toEqual(['Be brief.', 'I am Ada.', expect.stringContaining('It rains.'), 'And now?'])
    up.seen.length = 0
    up.script(serving({ '/v1/responses': response('completed', { output: [message('hi')] }) }))
    await both.ask(runtime, { model: 'openai/m', input: next }, '/responses')
    expect(JSON.stringify(sentTo('/v1/responses'))).toContain('It rains.')
  })

  it.each([false, true])('is compacted in a response too, which Codex asks for (streamed: %s)', async (isStream) => {
    const frames = chatFrames('Ada asked. ', 'It rains.')
    const path = '/v1/chat/completions'
    up.script(isStream ? stream(frames) : serving({ [path]: chatAnswer('Ada asked. It rains.') }))
    const asked = { model: 'compatible/m', tools: [{ type: 'function', name: 'f' }], stream: isStream }
    const compacting = { ...asked, input: [...input, { type: 'compaction_trigger' }] }
    const { text } = await both.ask(runtime, compacting, '/responses')
    const { status, output } = isStream ? lastOf(readEvents(text)) : readResponse(text)
    expect({ status, output }).toMatchObject({ status: 'completed', output: [{ type: 'compaction' }] })
    const sent = sentTo(path) as { messages: { role: string }[]; tools?: unknown }
    expect(sent.messages.map(({ role }) => role)).toEqual(['developer', 'user', 'assistant', 'tool', 'user'])
    expect(sent.tools).toBeUndefined()
    up.seen.length = 0
    up.script(serving({ [path]: chatAnswer('Yes.') }))
    await both.ask(runtime, { ...asked, input: output, stream: false }, '/responses')
    expect(JSON.stringify(sentTo(path))).toContain('It rains.')
  })

  it('is compacted without the calls whose results are still to come', async () => {
    up.script(serving({ '/v1/chat/completions': chatAnswer('Ada asked.') }))
    const calls = ['c2', 'c3'].map((id) => ({ type: 'function_call', call_id: id, name: 'look', arguments: '{}' }))
    const said = { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'I look.' }] }
    await compact({ model: 'compatible/m', input: [...input, said, ...calls] })
    const { messages } = sentTo('/v1/chat/completions') as { messages: { role: string; tool_calls?: object[] }[] }
    expect(messages.map(({ role, tool_calls: made = [] }) => [role, made.length])).toEqual([
      ['developer', 0],
      ['user', 0],
      ['assistant', 1],
      ['tool', 0],
      ['assistant', 0],
      ['user', 0],
    ])
  })

  it('is compacted in a response by the server that makes it', async () => {
    const compacting = { model: 'openai/m', input: [...input, { type: 'compaction_trigger' }] }
    up.script(serving({ '/v1/responses': response('completed', { output: [{ type: 'compaction' }] }) }))
    await both.ask(runtime, compacting, '/responses')
    expect(sentTo('/v1/responses')).toEqual({ ...compacting, model: 'm' })
  })

  it('is not compacted in the middle', async () => {
    const compacting = { model: 'compatible/m', input: [{ type: 'compaction_trigger' }, ...input] }
    const reply = await both.ask(runtime, compacting, '/responses')
    expect([reply.status, errorOf(reply)]).toMatchObject([400, { param: 'input[0]' }])
  })

  it('fails if it is to be compacted in a stream and the summary breaks off', async () => {
    up.script(stream([...chatFrames('Ada').slice(0, -2), chunk({}, 'length'), 'data: [DONE]\n\n']))
    const compacting = { model: 'compatible/m', input: [...input, { type: 'compaction_trigger' }], stream: true }
    const { text } = await both.ask(runtime, compacting, '/responses')
    expect(lastOf(readEvents(text))).toMatchObject({ status: 'failed', output: [] })
  })

  it.each([
    ['nothing', chatAnswer('')],
    [
      'half',
      {
        ...chatAnswer('Ada'),
        choices: [{ index: 0, message: { role: 'assistant', content: 'Ada' }, finish_reason: 'length' }],
      },
    ],
  ])('is not replaced by a summary of %s', async (_what, answer) => {
    up.script(serving({ '/v1/chat/completions': answer }))
    expect((await compact({ model: 'compatible/m' })).status).toBe(502)
  })
})
