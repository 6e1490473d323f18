import { describe, expect, it } from 'vitest'
import { eventsOf } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { asking, deltasOf, type Event, lastOf, readEvents, usageChunk } from '../support/response-events.ts'
import { chatFrames, chunk, stream } from '../support/upstream.ts'

const { upstream, both } = serveBoth('responses-streams', (url) => ({
  providers: { up: { type: 'openai-compatible', baseURL: url }, demo: { type: 'embedded' } },
  models: { untouched: { deployments: ['up/m'], streams: 'untouched' } },
}))

const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 }
const done = 'data: [DONE]\n\n'
const weather = { type: 'function', name: 'weather', parameters: { type: 'object' } }
const patch = { type: 'custom', name: 'apply_patch' }

/** A piece of a call. */
const piece = (index: number, args: string, name?: string) =>
  chunk({
    tool_calls: [
      {
        index,
        ...(name && { id: `call_${index}`, type: 'function' }),
        function: { ...(name && { name }), arguments: args },
      },
    ],
  })

/** What an event is about: its type, and its place. */
const gist = ({ type, output_index: at }: Event) =>
  `${type.slice('response.'.length)}${at === undefined ? '' : ` ${at}`}`

describe.each(runtimes)('On %s, the stream of a response', (runtime) => {
  async function eventsFor(frames: readonly string[], more: object = {}): Promise<Event[]> {
    upstream.script(stream(frames))
    const reply = await both.ask(runtime, asking('up/m', 'hi', { stream: true, ...more }), '/responses')
    expect([reply.status, reply.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8'])
    return readEvents(reply.text)
  }

  it('says all there is to a text, in order, and then all at once', async () => {
    const events = await eventsFor([...chatFrames('Hel', 'lo ', '"深い"\n').slice(0, -1), usageChunk(usage), done])
    const text = 'Hello "深い"\n'
    const place = { output_index: 0, content_index: 0, item_id: expect.stringMatching(/^msg_/) }
    const part = { type: 'output_text', text, annotations: [], logprobs: [] }
    const item = { type: 'message', role: 'assistant', id: expect.stringMatching(/^msg_/) }
    expect(events.map(({ sequence_number: _, ...event }) => event)).toEqual([
      {
        type: 'response.created',
        response: expect.objectContaining({ status: 'in_progress', output: [], usage: null }),
      },
      {
        type: 'response.in_progress',
        response: expect.objectContaining({ status: 'in_progress', output: [], usage: null }),
      },
      {
        type: 'response.output_item.added',
        output_index: 0,
        item: { ...item, status: 'in_progress', content: [] },
      },
      { type: 'response.content_part.added', ...place, part: { ...part, text: '' } },
      { type: 'response.output_text.delta', ...place, delta: 'Hel', logprobs: [] },
      { type: 'response.output_text.delta', ...place, delta: 'lo ', logprobs: [] },
      { type: 'response.output_text.delta', ...place, delta: '"深い"\n', logprobs: [] },
      { type: 'response.output_text.done', ...place, text, logprobs: [] },
      { type: 'response.content_part.done', ...place, part },
      { type: 'response.output_item.done', output_index: 0, item: { ...item, status: 'completed', content: [part] } },
      {
        type: 'response.completed',
        response: expect.objectContaining({
          status: 'completed',
          model: 'fake-model',
          output: [{ ...item, status: 'completed', content: [part] }],
          usage: expect.objectContaining({ input_tokens: 3, output_tokens: 2, total_tokens: 5 }),
        }),
      },
    ])
    expect(new Set(events.flatMap(({ response }) => response?.id ?? [])).size).toBe(1)
  })

  it('is the same however its chunks are cut', async () => {
    const whole = [...chatFrames('one', ' two\\', ' "three" ', '😀', '').slice(0, -1), usageChunk(usage), done].join('')
    const bytes = Buffer.from(whole)
    const seen = new Set<string>()
    for (const size of [bytes.length, 1000, 7, 100]) {
      const pieces: Uint8Array[] = []
      for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size))
      upstream.script(stream(pieces))
      const reply = await both.ask(runtime, asking('up/m', 'hi', { stream: true }), '/responses')
      const events = readEvents(reply.text)
      expect(deltasOf(events, 'output_text.delta')).toBe('one two\\ "three" 😀')
      seen.add(events.map(gist).join('\n'))
    }
    expect(seen.size).toBe(1)
  })

  it('keeps the comments between events, and takes nothing else for one', async () => {
    const frames = [...chatFrames(': a', 'b: c'), ': the end\n\n']
    const pieces = [': one\r\n: two\n\n', ...frames.join('').split(/(?=:)/)]
    for (const model of ['up/m', 'untouched']) {
      upstream.script(stream(pieces))
      const { text } = await both.ask(runtime, asking(model, 'hi', { stream: true }), '/responses')
      expect(text.split('\n').filter((line) => line.startsWith(':'))).toEqual([': one', ': two'])
      expect(deltasOf(readEvents(text), 'output_text.delta')).toBe(': ab: c')
    }
  })

  it('reads each chunk of an upstream that makes them in other forms', async () => {
    const forms = [
      'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n',
      'data:  { "choices" : [ { "delta" : { "content" : "b" , "role": null }, "index" : 0 } ] }\n\n',
      'data: {"note":"\\"content\\":\\"x\\"","choices":[{"index":0,"delta":{"content":"c"}}]}\n\n',
      'data: {"x":{"content":"x"},"choices":[{"index":0,"delta":{"content":"d"}}]}\n\n',
      'data: {"x":{"content":"y"},"choices":[{"index":0,"delta":{"content":"e"}}]}\n\n',
      'data: {"choices":[{"index":0,"delta":{"content":"f","annotations":[]}}]}\n\n',
    ]
    const events = await eventsFor([...forms, chunk({}, 'stop'), done])
    expect(deltasOf(events, 'output_text.delta')).toBe('abcdef')
  })

  it('says reasoning before the text', async () => {
    const frames = [chunk({ reasoning_content: 'I ' }), chunk({ reasoning_content: 'think.' }), ...chatFrames('So.')]
    const events = await eventsFor(frames)
    expect(events.map(gist).slice(2)).toEqual([
      ...['output_item.added 0', 'content_part.added 0', 'reasoning_text.delta 0', 'reasoning_text.delta 0'],
      ...['reasoning_text.done 0', 'content_part.done 0', 'output_item.done 0', 'output_item.added 1'],
      ...['content_part.added 1', 'output_text.delta 1', 'output_text.done 1', 'content_part.done 1'],
      ...['output_item.done 1', 'completed'],
    ])
    expect(deltasOf(events, 'reasoning_text.delta')).toBe('I think.')
  })

  it('says it as a summary for a client that asks for one, and gives it to carry', async () => {
    const frames = [chunk({ reasoning_content: 'I ' }), chunk({ reasoning_content: 'think.' }), ...chatFrames('So.')]
    const include = ['reasoning.encrypted_content']
    const events = await eventsFor(frames, { reasoning: { summary: 'auto' }, include })
    expect(events.map(gist).slice(2, 9)).toEqual([
      ...['output_item.added 0', 'reasoning_summary_part.added 0', 'reasoning_summary_text.delta 0'],
      ...['reasoning_summary_text.delta 0', 'reasoning_summary_text.done 0', 'reasoning_summary_part.done 0'],
      'output_item.done 0',
    ])
    const [begun, ended] = events.flatMap(({ item }) => (item?.type === 'reasoning' ? [item] : []))
    expect(begun).toMatchObject({ summary: [], encrypted_content: null })
    expect(ended).toMatchObject({
      summary: [{ type: 'summary_text', text: 'I think.' }],
      encrypted_content: expect.stringMatching(/^samewire1\./),
    })
  })

  it('says a refusal', async () => {
    const events = await eventsFor([chunk({ refusal: 'I ' }), chunk({ refusal: 'won’t.' }), chunk({}, 'stop'), done])
    expect(events.map(gist).slice(3, 8)).toEqual([
      ...['content_part.added 0', 'refusal.delta 0', 'refusal.delta 0', 'refusal.done 0', 'content_part.done 0'],
    ])
    expect(lastOf(events).output).toMatchObject([{ content: [{ type: 'refusal', refusal: 'I won’t.' }] }])
  })

  it('says calls, also those whose pieces come in turn', async () => {
    const frames = [
      chunk({ content: 'Let me see.' }),
      piece(0, '', 'weather'),
      piece(0, '{"city":'),
      piece(1, '{"city"', 'weather'),
      piece(0, '"Paris"}'),
      piece(1, ':"Köln"}'),
      chunk({}, 'tool_calls'),
      usageChunk(usage),
      done,
    ]
    const events = await eventsFor(frames, { tools: [weather] })
    expect(events.map(gist).slice(6)).toEqual([
      ...['content_part.done 0', 'output_item.done 0', 'output_item.added 1', 'function_call_arguments.delta 1'],
      ...['output_item.added 2', 'function_call_arguments.delta 2', 'function_call_arguments.delta 1'],
      ...['function_call_arguments.delta 2', 'function_call_arguments.done 1', 'output_item.done 1'],
      ...['function_call_arguments.done 2', 'output_item.done 2', 'completed'],
    ])
    const call = { type: 'function_call', status: 'completed', name: 'weather', id: expect.any(String) }
    expect(lastOf(events).output.slice(1)).toEqual([
      { ...call, call_id: 'call_0', arguments: '{"city":"Paris"}' },
      { ...call, call_id: 'call_1', arguments: '{"city":"Köln"}' },
    ])
    const said = events.filter(({ type }) => type === 'response.function_call_arguments.done')
    expect(said).toMatchObject([
      { name: 'weather', arguments: '{"city":"Paris"}' },
      { name: 'weather', arguments: '{"city":"Köln"}' },
    ])
  })

  it('says a call of a custom tool in its own form', async () => {
    const frames = [
      piece(0, '{"inp', 'apply_patch'),
      piece(0, 'ut":"a\\n'),
      piece(0, 'b"}'),
      chunk({}, 'tool_calls'),
      done,
    ]
    const events = await eventsFor(frames, { tools: [patch] })
    expect(events.map(gist).slice(2)).toEqual([
      ...['output_item.added 0', 'custom_tool_call_input.delta 0', 'custom_tool_call_input.delta 0'],
      ...['custom_tool_call_input.done 0', 'output_item.done 0', 'completed'],
    ])
    expect(lastOf(events).output).toMatchObject([
      { type: 'custom_tool_call', call_id: 'call_0', name: 'apply_patch', input: 'a\nb' },
    ])
  })

  it('says the text of a custom tool as it comes, whatever cuts it', async () => {
    const text = 'a"\\\n\t/ü 😀 \\d\u0001'
    const args = [
      JSON.stringify({ input: text }),
      ` { "input" : ${JSON.stringify(text).replace('ü', '\\u00fc').replace('😀', '\\uD83D\\ude00')} } `,
    ]
    for (const given of args) {
      for (const size of [1, 2, 3, 7]) {
        const pieces = given.match(new RegExp(`.{1,${size}}`, 'gsu')) ?? []
        const frames = pieces.map((one, at) => piece(0, one, at === 0 ? 'apply_patch' : undefined))
        const events = await eventsFor([...frames, chunk({}, 'tool_calls'), done], { tools: [patch] })
        expect(deltasOf(events, 'custom_tool_call_input.delta')).toBe(text)
        expect(events.filter(({ delta }) => delta !== undefined).length).toBeGreaterThan(2)
        expect(lastOf(events).output).toMatchObject([{ input: text }])
      }
    }
  })

  it.each([
    ['with escapes and line breaks that JSON has not', '{"input":"^\\d+\n\\uZZ"}', '^\\d+\n\\uZZ'],
    ['cut inside an escape', '{"input":"a\\u00', 'a'],
    ['under another name', `{"patch":"${'x'.repeat(200)}"}`, 'x'.repeat(200)],
    ['in no form at all', 'a "b" '.repeat(50), 'a "b" '.repeat(50)],
  ])('says the text of a custom tool also if the model writes it %s', async (_how, args, text) => {
    const frames = [piece(0, args.slice(0, 15), 'apply_patch'), piece(0, args.slice(15)), chunk({}, 'tool_calls'), done]
    const events = await eventsFor(frames, { tools: [patch] })
    expect(deltasOf(events, 'custom_tool_call_input.delta')).toBe(text)
    expect(lastOf(events).output).toMatchObject([{ input: text }])
  })

  it.each([
    ['length', 'max_output_tokens'],
    ['content_filter', 'content_filter'],
  ])('ends as incomplete after %s', async (finish, reason) => {
    const events = await eventsFor([chunk({ content: 'Half an' }), chunk({}, finish), done])
    expect(events.at(-1)?.type).toBe('response.incomplete')
    expect(lastOf(events)).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason },
      output: [{ status: 'incomplete', content: [{ text: 'Half an' }] }],
    })
  })

  it('has an empty message if the model says nothing', async () => {
    const events = await eventsFor([
      chunk({ role: 'assistant', content: '' }),
      chunk({}, 'stop'),
      usageChunk(usage),
      done,
    ])
    expect(events.map(gist).slice(2)).toEqual([
      ...['output_item.added 0', 'content_part.added 0', 'output_text.done 0', 'content_part.done 0'],
      ...['output_item.done 0', 'completed'],
    ])
  })

  it('has the sources and the probabilities of its text', async () => {
    const cited = { url: 'https://example.com', title: 'Example', start_index: 0, end_index: 2 }
    const token = { token: 'Hi', logprob: -0.1, bytes: [72, 105], top_logprobs: [] }
    const half = { ...token, token: '', bytes: [240] }
    const probable = (content: string, one: object) =>
      chunk({ content }).replace('"delta"', `"logprobs":${JSON.stringify({ content: [one] })},"delta"`)
    const events = await eventsFor(
      [
        probable('Hi', token),
        probable('', half),
        chunk({ annotations: [{ type: 'url_citation', url_citation: cited }] }),
        chunk({}, 'stop'),
        done,
      ],
      { include: ['message.output_text.logprobs'] },
    )
    expect(events.map(gist).slice(4, 8)).toEqual([
      ...['output_text.delta 0', 'output_text.delta 0', 'output_text.annotation.added 0', 'output_text.done 0'],
    ])
    expect(events.slice(4, 6).map(({ logprobs }) => logprobs)).toEqual([[token], [half]])
    expect(lastOf(events).output).toMatchObject([
      { content: [{ text: 'Hi', logprobs: [token, half], annotations: [{ type: 'url_citation', ...cited }] }] },
    ])
  })

  it('tells the service tier when the upstream does', async () => {
    const tiered = chunk({}, 'stop').replace('"object"', '"service_tier":"flex","object"')
    expect(lastOf(await eventsFor([chunk({ content: 'x' }), tiered, done], { service_tier: 'auto' }))).toMatchObject({
      service_tier: 'flex',
    })
  })

  it('ends as it should when the upstream forgets its `[DONE]`', async () => {
    const events = await eventsFor([chunk({ content: 'x' }), chunk({}, 'stop'), usageChunk(usage)])
    expect(lastOf(events)).toMatchObject({ status: 'completed', usage: { total_tokens: 5 } })
  })

  it('is had of the embedded model too, and says the same as its chat', async () => {
    const asked = { temperature: 0, stream: true }
    const reply = await both.ask(
      runtime,
      asking('demo/tiny-chat', 'hi', { ...asked, max_output_tokens: 16 }),
      '/responses',
    )
    const events = readEvents(reply.text)
    const messages = [{ role: 'user', content: 'hi' }]
    const chat = { model: 'demo/tiny-chat', messages, max_completion_tokens: 16 }
    const frames = eventsOf((await both.ask(runtime, { ...chat, ...asked })).text).slice(0, -1)
    const deltas = frames.map(({ data }) => JSON.parse(data).choices[0]?.delta.content ?? '')
    expect(deltasOf(events, 'output_text.delta')).toBe(deltas.join(''))
    expect(lastOf(events).usage).toMatchObject({ total_tokens: expect.any(Number) })
  })
})
