import { describe, expect, it } from 'vitest'
import { runtimes, serveBoth } from '../support/both.ts'
import { chatSaying, lastOf, readEvents as readStrictly } from '../support/response-events.ts'
import { message, opening, readEvents, response, responseEvent, responseFrames, usage } from '../support/responses.ts'
import { json, stream } from '../support/upstream.ts'

const key = 'sk-0123456789abcdef'

const { upstream, both } = serveBoth(
  'native-streams',
  (url) => ({
    providers: {
      up: { type: 'openai', baseURL: url, apiKey: 'env:KEY' },
      spare: { type: 'openai-compatible', baseURL: url },
    },
    models: {
      checked: { deployments: ['up/m'], streams: 'checked', idleTimeout: 0.3 },
      observed: { deployments: ['up/m'], streams: 'observed', idleTimeout: 0.3 },
      ...Object.fromEntries(
        (['checked', 'observed'] as const).map((streams) => [
          `${streams} and metered`,
          { deployments: [{ model: `up/${streams}`, tpm: 10 }], fallbacks: ['up/other'], streams },
        ]),
      ),
      safe: { deployments: ['up/m'], fallbacks: ['up/other'] },
    },
    retries: 0,
    cooldown: false,
  }),
  { env: { KEY: key } },
)

const asked = (model: string) => ({ model, input: 'hi', stream: true })
const whole = responseFrames(['Hel', 'lo', ' there'])
const words = Array.from({ length: 100 }, (_, at) => `${at}"\n `)
const ways = runtimes.flatMap((runtime) => [[runtime, 'checked'] as const, [runtime, 'observed'] as const])

/** Sorted, since calls that a chat streams may go on side by side. */
const typesOf = (events: readonly { readonly type: string }[]) => events.map(({ type }) => type).sort()

describe.each(ways)('On %s, a response that its upstream streams and is %s', (runtime, model) => {
  const ask = () => both.ask(runtime, asked(model), '/responses')

  it.each(['completed', 'incomplete'])('goes out as it is if it ends as %s', async (end) => {
    const frames = responseFrames(['a', 'b'], end)
    upstream.script(stream(frames))
    expect((await ask()).text).toBe(frames.join(''))
  })

  it('keeps a [DONE] that the upstream sends', async () => {
    upstream.script(stream([...whole, 'data: [DONE]\n\n']))
    expect((await ask()).text).toBe(`${whole.join('')}data: [DONE]\n\n`)
  })

  it('keeps what the upstream says of its failure after content', async () => {
    const error = { code: 'image_parse_error', message: 'Out of luck' }
    upstream.script(stream(responseFrames(['a'], 'failed', { error, metadata: { a: 'b' } })))
    const events = readEvents((await ask()).text)
    const failed = response('failed', { error, metadata: { a: 'b' }, output: [message('a')], usage })
    expect(events.at(-1)).toEqual({ type: 'response.failed', sequence_number: events.length - 1, response: failed })
    expect(events.filter(({ type }) => type === 'response.failed')).toHaveLength(1)
  })

  it.each(['reset', 'silence'] as const)('is no failure if it is followed by a %s of the connection', async (after) => {
    upstream.script(stream(whole, after))
    expect((await ask()).text).toBe(whole.join(''))
  })

  it.each([
    ['ends without a last event', whole.slice(0, opening + 3), 'end'],
    ['breaks', whole.slice(0, opening + 3), 'reset'],
    ['falls silent', whole.slice(0, opening + 3), 'silence'],
    ['breaks inside an event', [...whole.slice(0, opening + 2), whole[opening + 2]?.slice(0, 60) ?? ''], 'end'],
    [
      'breaks inside the event that says it is complete',
      [...whole.slice(0, -1), whole.at(-1)?.slice(0, -40) ?? ''],
      'end',
    ],
    [
      'breaks between the lines of an event',
      [...whole.slice(0, opening + 3), 'event: response.output_text.done\n'],
      'end',
    ],
  ] as const)('fails in its own words, with the next number, where it %s', async (_what, pieces, after) => {
    upstream.script(stream(pieces, after))
    const events = readEvents((await ask()).text)
    const last = events.at(-1)
    expect(last).toMatchObject({ type: 'response.failed', response: { id: 'resp_up', status: 'failed' } })
    expect(last?.response?.error).toEqual({ code: expect.any(String), message: expect.stringMatching(/\w+/) })
    expect(events.filter(({ type }) => /failed|completed|incomplete/.test(type))).toHaveLength(1)
    // What there is of a cut event need not have its number.
    const numbers = events.flatMap(({ sequence_number: number }) => number ?? [])
    expect(numbers).toEqual([...new Set(numbers)].sort((one, other) => one - other))
  })

  it.each([
    ['ends', ''],
    ['sends an error', responseEvent('error', opening + words.length, { message: 'Out of luck' })],
    ['sends what is no JSON', 'data: {"type":"resp\n\n'],
    ['says that it is done', 'data: [DONE]\n\n'],
  ])('goes on with its numbers where it %s after many pieces', async (_what, piece) => {
    upstream.script(stream([...responseFrames(words).slice(0, opening + words.length), piece]))
    const { text } = await ask()
    // Where it is only observed, all of it has gone out.
    const events = readEvents(text.replace('data: {"type":"resp\n\n', ''))
    expect(events.length).toBeGreaterThan(opening + words.length)
    expect(events.at(-1)?.type).toBe('response.failed')
    expect(events.map(({ sequence_number: number }) => number)).toEqual(events.map((_, at) => at))
  })

  it('tells in the end what there was of an item that was being made', async () => {
    upstream.script(stream(responseFrames(words).slice(0, opening + words.length)))
    const last = readEvents((await ask()).text).at(-1)
    const content = [{ type: 'output_text', text: words.join(''), annotations: [] }]
    expect(last?.response?.output).toEqual([{ ...message(''), status: 'incomplete', content }])
  })

  it('tells in the end what there was of each item that was being made', async () => {
    const items = [
      { id: 'rs_1', type: 'reasoning', summary: [] },
      { id: 'fc_1', type: 'function_call', status: 'in_progress', call_id: 'c1', name: 'f', arguments: '' },
      { id: 'fc_2', type: 'function_call', status: 'in_progress', call_id: 'c2', name: 'g', arguments: '' },
    ]
    const delta = (kind: string, place: number, text: string) =>
      ({ type: `response.${kind}.delta`, output_index: place, item_id: items[place]?.id, delta: text }) as const
    const part = { output_index: 0, item_id: 'rs_1', summary_index: 0, part: { type: 'summary_text', text: '' } }
    const said = [
      { type: 'response.created', response: response('in_progress') },
      ...items.map((item, place) => ({ type: 'response.output_item.added', output_index: place, item })),
      { type: 'response.reasoning_summary_part.added', ...part },
      ...['H', 'm', '\n'].map((text) => ({ ...delta('reasoning_summary_text', 0, text), summary_index: 0 })),
      ...['{"a', '":"\ud83d', '\ude00'].flatMap((text) => [
        delta('function_call_arguments', 1, text),
        delta('function_call_arguments', 2, text.toUpperCase()),
      ]),
    ]
    upstream.script(stream(said.map(({ type, ...fields }, number) => responseEvent(type, number, fields))))
    const last = readEvents((await ask()).text).at(-1)
    expect(last).toMatchObject({ type: 'response.failed', sequence_number: said.length })
    expect(last?.response?.output).toEqual([
      { ...items[0], summary: [{ type: 'summary_text', text: 'Hm\n' }] },
      { ...items[1], status: 'incomplete', arguments: '{"a":"😀' },
      { ...items[2], status: 'incomplete', arguments: '{"A":"😀' },
    ])
  })

  it('says in the end which of its items were whole', async () => {
    upstream.script(stream(whole.slice(0, -1)))
    expect(readEvents((await ask()).text).at(-1)?.response?.output).toEqual([message('Hello there')])
  })

  it.each([
    ['flat', { code: 'server_error', message: 'Out of luck', param: null }],
    ['nested', { error: { code: 'server_error', message: 'Out of luck' } }],
  ])('fails where the upstream sends an error event, %s', async (_how, fields) => {
    upstream.script(stream([...whole.slice(0, opening + 2), responseEvent('error', opening + 2, fields)]))
    const last = readEvents((await ask()).text).at(-1)
    expect(last).toMatchObject({ type: 'response.failed', response: { error: { code: 'server_error' } } })
    expect(JSON.stringify(last)).toContain('Out of luck')
  })

  it('ends once where the upstream sends both an error and its own end', async () => {
    const error = responseEvent('error', opening + 1, { error: { code: 'server_error', message: 'Out of luck' } })
    const failed = responseEvent('response.failed', opening + 2, { response: response('failed') })
    upstream.script(stream([...whole.slice(0, opening + 1), error + failed]))
    const events = readEvents((await ask()).text)
    expect(events.filter(({ type }) => type === 'response.failed')).toHaveLength(1)
    expect(events.at(-1)?.type).toBe('response.failed')
  })

  it('counts for what its model may use in a minute as its usage says', async () => {
    upstream.script(stream(whole))
    const served: (string | null)[] = []
    // Two are all that fit, and a minute may end once. Without its usage each would count for one token.
    for (let count = 0; count < 5; count++) {
      const { headers } = await both.ask(runtime, asked(`${model} and metered`), '/responses')
      served.push(headers.get('x-samewire-model'))
    }
    expect(served).toContain('up/other')
  })

  it('has not begun before its first content', async () => {
    const failed = responseEvent('response.failed', 2, {
      response: response('failed', { error: { code: 'server_error', message: 'Out of luck' } }),
    })
    for (const pieces of [whole.slice(0, opening), [...whole.slice(0, 2), failed], []]) {
      upstream.script(stream(pieces))
      expect(await ask()).toMatchObject({ status: 502 })
    }
  })
})

describe.each(runtimes)('On %s, a response', (runtime) => {
  it('is streamed as one that a chat streams if its upstream sends it whole', async () => {
    const call = (name: string, args: string) => ({ id: `call_${name}`, function: { name, arguments: args } })
    const said = {
      reasoning_content: 'Hm.',
      content: 'Hello',
      tool_calls: [call('f', '{}'), call('g', '{"input":"x"}')],
    }
    const tools = [
      { type: 'function', name: 'f' },
      { type: 'custom', name: 'g' },
    ]
    for (const more of [{}, { reasoning: { summary: 'auto' } }]) {
      const body = { input: 'hi', tools, ...more }
      upstream.script(json(200, chatSaying(said, 'tool_calls')))
      const { text } = await both.ask(runtime, { ...body, model: 'spare/m' }, '/responses')
      const streamed = await both.ask(runtime, { ...body, model: 'spare/m', stream: true }, '/responses')
      upstream.script(json(200, text))
      const reply = await both.ask(runtime, { ...body, model: 'safe', stream: true }, '/responses')
      const events = readStrictly(`${reply.text}data: [DONE]\n\n`)
      expect(lastOf(events)).toEqual(JSON.parse(text))
      expect(typesOf(events)).toEqual(typesOf(readStrictly(streamed.text)))
      expect(reply.headers.get('x-samewire-model')).toBe('up/m')
    }
  })

  it('that is incomplete stays so if its upstream sends it whole', async () => {
    const refused = { type: 'refusal', refusal: 'No.' }
    const output = [{ ...message(''), status: 'incomplete', content: [refused] }]
    upstream.script(json(200, response('incomplete', { output, incomplete_details: { reason: 'content_filter' } })))
    const events = readEvents((await both.ask(runtime, asked('safe'), '/responses')).text)
    expect(events.map(({ delta }) => delta ?? '').join('')).toBe('No.')
    expect(events.at(-1)).toMatchObject({ type: 'response.incomplete', response: { output } })
  })

  it('is never garbage', async () => {
    upstream.script(stream([...whole.slice(0, opening + 1), 'data: {"type":"resp\n\n', ...whole.slice(opening + 1)]))
    const { text } = await both.ask(runtime, asked('checked'), '/responses')
    expect(readEvents(text).at(-1)?.type).toBe('response.failed')
  })

  it.each([
    ['in its failure', (error: object) => responseFrames(['a'], 'failed', { error }), 'bad key'],
    [
      'in an error',
      (error: object) => [...whole.slice(0, opening + 1), responseEvent('error', opening + 1, { error })],
      'bad key',
    ],
    [
      'as that of a refused key',
      (error: object) => responseFrames(['a'], 'failed', { error: { ...error, code: 'invalid_api_key' } }),
      'credentials',
    ],
  ])('keeps the key that the upstream tells %s to itself', async (_how, frames, word) => {
    upstream.script(stream(frames({ code: 'server_error', message: `bad key ${key} for Bearer ${key}` })))
    const { text } = await both.ask(runtime, asked('checked'), '/responses')
    expect(readEvents(text).at(-1)).toMatchObject({ type: 'response.failed', response: { status: 'failed' } })
    expect(text).toContain(word)
    expect(text).not.toContain(key.slice(3))
  })

  it('ends once, whatever the upstream says after that', async () => {
    const number = whole.length
    const more = [
      responseEvent('error', number, { code: 'server_error', message: 'Out of luck' }),
      responseEvent('response.failed', number + 1, { response: response('failed') }),
      (whole[opening] ?? '').replace(`"sequence_number":${opening}`, `"sequence_number":${number + 2}`),
      'data: garbage\n\n',
    ]
    upstream.script(stream([...whole, ...more, 'data: [DONE]\n\n']))
    const { text } = await both.ask(runtime, asked('checked'), '/responses')
    expect(text).toBe(`${whole.join('')}data: [DONE]\n\n`)
    upstream.script(stream([...whole, ...more]))
    const reply = await both.ask(runtime, { model: 'checked', input: 'hi' }, '/responses')
    expect(JSON.parse(reply.text)).toMatchObject({ status: 'completed', output: [message('Hello there')] })
  })

  it('comes from the next model where the upstream fails before content', async () => {
    const failed = responseEvent('error', 1, { code: 'server_error', message: 'Out of luck' })
    upstream.script(stream([whole[0] ?? '', failed]), stream(whole))
    const reply = await both.ask(runtime, asked('safe'), '/responses')
    expect(reply.text).toBe(whole.join(''))
    expect(upstream.seen.at(-1)?.body).toContain('"other"')
  })

  it('is whole for a client that wants no stream, also if the upstream streams it', async () => {
    upstream.script(stream([...whole, 'data: [DONE]\n\n']))
    const reply = await both.ask(runtime, { model: 'checked', input: 'hi' }, '/responses')
    expect(JSON.parse(reply.text)).toMatchObject({ status: 'completed', output: [message('Hello there')] })
    upstream.script(stream(whole.slice(0, -1)))
    expect((await both.ask(runtime, { model: 'checked', input: 'hi' }, '/responses')).status).toBe(502)
  })

  it('reaches a client that wants no stream byte for byte', async () => {
    const answer = JSON.stringify(response('completed', { output: [message('hi')] }), null, 1)
    upstream.script(json(200, answer))
    const reply = await both.ask(runtime, { model: 'checked', input: 'hi' }, '/responses')
    expect(reply.text).toBe(answer)
  })
})
