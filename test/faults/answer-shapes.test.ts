import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { chat, contentOf, errorOf, eventsOf, wordsOf } from '../support/ask.ts'
import { type Both, runtimes, startBoth } from '../support/both.ts'
import {
  chatAnswer,
  chatFrames,
  chunk,
  type FakeUpstream,
  fakeUpstream,
  json,
  type Script,
  stream,
  text,
} from '../support/upstream.ts'

/** Answers 200 with these bytes and this content type, or with none. */
const typed =
  (type: string | undefined, ...pieces: string[]): Script =>
  async (_request, response) => {
    response.writeHead(200, type === undefined ? {} : { 'content-type': type })
    for (const piece of pieces) {
      await new Promise<void>((written) => response.write(piece, () => written()))
      await new Promise((turn) => setImmediate(turn))
    }
    response.end()
  }

const event = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`
const end = 'data: [DONE]\n\n'
const good = chatAnswer('Hello there') as { choices: object[] }

interface Whole {
  readonly object: string
  readonly id: string
  readonly usage?: object
  readonly choices: {
    readonly index: number
    readonly message: Record<string, unknown>
    readonly logprobs: unknown
    readonly finish_reason: string
  }[]
}
interface Piece {
  readonly object: string
  readonly usage?: object | null
  readonly choices: { index: number; delta: Record<string, unknown>; logprobs: unknown; finish_reason: string | null }[]
}

const wholeOf = (reply: { text: string }) => JSON.parse(reply.text) as Whole
const piecesOf = (reply: { text: string }) =>
  eventsOf(reply.text)
    .filter(({ data }) => data !== '[DONE]')
    .map(({ data }) => JSON.parse(data) as Piece)
const deltasOf = (reply: { text: string }) =>
  piecesOf(reply).flatMap(({ choices }) => choices.map(({ delta }) => delta))

describe.each(runtimes)('A good answer in an odd shape (%s)', (runtime) => {
  let upstream: FakeUpstream
  let both: Both

  beforeAll(async () => {
    upstream = await fakeUpstream()
    const provider = { type: 'openai-compatible', baseURL: upstream.url }
    both = await startBoth(`answer-shapes-${runtime}`, {
      providers: {
        up: provider,
        local: { type: 'ollama', baseURL: upstream.url },
      },
      // One, so that an answer which is given up would be asked for again.
      retries: 1,
    })
  })

  afterAll(async () => {
    await both.close()
    await upstream.close()
  })

  /** Asks for what the upstream says once, and holds that it was asked once. */
  const once = async (script: Script, more: object = {}, path?: string) => {
    upstream.seen.length = 0
    upstream.script(script)
    const body = path ? { model: 'up/m', prompt: 'hi', ...more } : chat('up/m', more)
    const reply = await both.ask(runtime, body, path)
    expect({ tries: upstream.seen.length, status: reply.status, text: reply.status < 400 || reply.text }).toEqual({
      tries: 1,
      status: 200,
      text: true,
    })
    return reply
  }

  // Third-party servers that serialize all fields of their answer type; `code: 0` is how many Chinese APIs say success.
  const empties = [
    null,
    {},
    '',
    [],
    false,
    { message: '', code: null },
    { message: null, type: '', param: null, code: 0 },
    { code: 0, message: 'success' },
    { errors: [], detail: {} },
    'none',
  ]

  it.each(empties)('is passed on whole, without an error that says nothing: %j', async (error) => {
    const reply = await once(json(200, { ...good, error }))
    expect(contentOf(reply.text)).toBe('Hello there')
    // Clients ask whether there is an `error`: what is none to them stays, as every other byte does.
    expect(JSON.parse(reply.text)).toEqual(error ? good : { ...good, error })
  })

  it.each(empties)('is streamed, with an error in its chunks that says nothing: %j', async (error) => {
    const frames = chatFrames('Hello', ' there').map((frame) =>
      frame === end ? frame : event({ ...JSON.parse(frame.slice(6)), error }),
    )
    const reply = await once(stream(frames), { stream: true })
    expect(wordsOf(reply.text)).toBe('Hello there')
    expect(reply.text.endsWith(end)).toBe(true)
  })

  it.each(['oh', { message: 'The model crashed', code: null }, { code: 500 }, { type: 'server_error' }, ['oh'], true])(
    'is none beside an error that says something: %j',
    async (error) => {
      upstream.script(json(200, { ...good, error }))
      errorOf(await both.ask(runtime, chat('up/m')))
      upstream.script(stream([event({ ...JSON.parse(chunk({ content: 'x' }).slice(6)), error }), end]))
      errorOf(await both.ask(runtime, chat('up/m', { stream: true })))
    },
  )

  // foundry-dev-tools#195: application/json; nearai/private-ml-sdk#20: no type at all.
  describe.each(['text/plain', 'application/octet-stream', 'application/json', 'text/html', undefined])(
    'as a stream labelled %s',
    (type) => {
      it.each([
        ['data', chatFrames('Hello', ' there')],
        ['a comment', [': OPENROUTER PROCESSING\n\n', ...chatFrames('Hello', ' there')]],
        ['an event name', chatFrames('Hello', ' there').map((frame) => `event: message\n${frame}`)],
        ['an id', chatFrames('Hello', ' there').map((frame, at) => `id: ${at}\n${frame}`)],
        ['a byte order mark', ['\uFEFF', ...chatFrames('Hello', ' there')]],
        ['blank lines', ['\n\n', '\r\n', ...chatFrames('Hello', ' there')]],
        ['half a field', ['da', 'ta', ...chatFrames('Hello', ' there').join('').slice(4).split(/(?=l)/)]],
      ])('is streamed if it begins with %s', async (_, pieces) => {
        const reply = await once(typed(type, ...pieces), { stream: true })
        expect(wordsOf(reply.text.replace(/^\uFEFF/, ''))).toBe('Hello there')
        expect(reply.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
        expect(reply.text.endsWith(end)).toBe(true)
      })

      it('is made whole for a client that asked for no stream', async () => {
        const reply = await once(typed(type, ...chatFrames('Hello', ' there')))
        expect(reply.headers.get('content-type')).toBe('application/json')
        expect(wholeOf(reply)).toMatchObject({ object: 'chat.completion', id: 'chatcmpl-fake', model: 'fake-model' })
        expect(wholeOf(reply).choices).toEqual([
          {
            index: 0,
            message: { role: 'assistant', content: 'Hello there', refusal: null },
            logprobs: null,
            finish_reason: 'stop',
          },
        ])
      })
    },
  )

  describe.each<[string, unknown]>([
    ['a list', [good]],
    ['`data` beside the code 0', { code: 0, message: 'success', data: good }],
    ['`data` beside the code 200', { code: 200, msg: 'ok', success: true, data: good }],
    ['`data` beside a code of its own for success', { code: 20000, message: 'OK', status: true, data: good }],
    ['`data` beside an empty error', { code: '', message: '', error: null, data: [good] }],
    ['`result`', { result: good, success: true, errors: [], messages: [] }],
    ['the text of a function’s `body`', { statusCode: 200, headers: {}, body: JSON.stringify(good) }],
    ['`data`, with its usage outside', { data: { ...good, usage: undefined }, usage: { total_tokens: 5 } }],
  ])('inside %s', (_, wrapped) => {
    it('is taken out of it', async () => {
      const answer = wholeOf(await once(json(200, wrapped)))
      expect(answer).toMatchObject({ ...good, usage: { total_tokens: 5 } })
      expect(answer).not.toHaveProperty('data')
    })

    it('becomes a stream', async () => {
      const reply = await once(json(200, wrapped), { stream: true })
      expect(wordsOf(reply.text)).toBe('Hello there')
      expect(reply.text.endsWith(end)).toBe(true)
    })
  })

  it('keeps what it says of its own codes and data, byte for byte', async () => {
    const said = { ...good, code: 7, message: 'Careful', success: false, data: [good], result: { choices: [] } }
    expect((await once(json(200, said))).text).toBe(JSON.stringify(said))
  })

  it.each(['application/json', 'text/event-stream', 'text/plain', undefined])(
    'becomes a stream if it comes whole, labelled %s',
    async (type) => {
      const options = { stream: true, stream_options: { include_usage: true } }
      const reply = await once(typed(type, '\n  ', JSON.stringify(good)), options)
      expect(wordsOf(reply.text)).toBe('Hello there')
      expect(deltasOf(reply)[0]).toEqual({ role: 'assistant', content: '' })
      const pieces = piecesOf(reply)
      expect(new Set(pieces.map(({ object }) => object))).toEqual(new Set(['chat.completion.chunk']))
      expect(pieces.at(-2)?.choices[0]).toMatchObject({ delta: {}, finish_reason: 'stop' })
      expect(pieces.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 5 } })
      expect(reply.text.endsWith(end)).toBe(true)
    },
  )

  // hyperonym/basaran#144, comet-ml/opik#5149
  describe.each(['application/x-ndjson', 'application/json', 'text/event-stream', undefined])(
    'as a chunk a line, labelled %s',
    (type) => {
      const bare = (frames: readonly string[]) => frames.map((frame) => frame.replace(/^data: /, ''))
      it.each([
        ['line ends', bare(chatFrames('Hello', ' there')).map((line) => line.replace('\n\n', '\n'))],
        ['blank lines', bare(chatFrames('Hello', ' there'))],
        ['CRLF', bare(chatFrames('Hello', ' there')).map((line) => line.replace('\n\n', '\r\n'))],
        ['no [DONE]', bare(chatFrames('Hello', ' there')).slice(0, -1)],
        ['a framed [DONE]', [...bare(chatFrames('Hello', ' there')).slice(0, -1), end]],
        [
          'cuts anywhere',
          bare(chatFrames('Hello', ' there'))
            .join('')
            .split(/(?=[e}])/),
        ],
      ])('is streamed with %s between, and made whole', async (_, pieces) => {
        const reply = await once(typed(type, ...pieces), { stream: true })
        expect(wordsOf(reply.text)).toBe('Hello there')
        expect(reply.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
        expect(reply.text.endsWith(end)).toBe(true)
        expect(contentOf((await once(typed(type, ...pieces))).text)).toBe('Hello there')
      })
    },
  )

  it('is streamed as the lines come, not at their end', async () => {
    let goOn = () => {}
    const gone = new Promise<void>((resolve) => {
      goOn = resolve
    })
    const [first = '', ...rest] = chatFrames('Hello', ' there').map((frame) => frame.slice(6))
    upstream.script(async (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' })
      response.write(first + rest[0])
      await gone
      response.end(rest.slice(1).join(''))
    })
    const response = await fetch(`${both.addresses[runtime]}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${both.key}` },
      body: JSON.stringify(chat('up/m', { stream: true })),
    })
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    let said = ''
    while (!said.includes('Hello')) said += (await reader?.read())?.value ?? ''
    goOn()
    for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) said += next.value
    expect(wordsOf(said)).toBe('Hello there')
  })

  it('becomes a stream without usage, since none was asked for', async () => {
    const reply = await once(json(200, good), { stream: true })
    expect(reply.text).not.toContain('usage')
  })

  it('becomes a stream with its thoughts, its calls and all of its choices', async () => {
    const call = { id: 'call_1', type: 'function', function: { name: 'look', arguments: '{"at":"data: [DONE]"}' } }
    const another = { ...call, id: 'call_2' }
    const message = { role: 'assistant', content: null, reasoning_content: 'Hm.', tool_calls: [call, another] }
    const choices = [
      { index: 0, message, finish_reason: 'tool_calls' },
      { index: 1, message: { role: 'assistant', content: 'No.' }, logprobs: { content: [1] }, finish_reason: 'length' },
    ]
    const reply = await once(json(200, { ...good, choices }), { stream: true })
    const all = piecesOf(reply).flatMap((piece) => piece.choices)
    expect(all.filter(({ index }) => index === 0).map(({ delta }) => delta)).toEqual([
      { role: 'assistant', content: '' },
      { reasoning_content: 'Hm.' },
      { tool_calls: [{ index: 0, ...call }] },
      { tool_calls: [{ index: 1, ...another }] },
      {},
    ])
    expect(all.filter(({ index }) => index === 1).slice(1)).toEqual([
      { index: 1, delta: { content: 'No.' }, logprobs: { content: [1] }, finish_reason: null },
      { index: 1, delta: {}, logprobs: null, finish_reason: 'length' },
    ])
  })

  it('becomes a whole answer with its thoughts, its calls by index, and its usage', async () => {
    const first = { index: 0, id: 'call_1', type: 'function', function: { name: 'look', arguments: '' } }
    const second = { index: 1, id: 'call_2', type: 'function', function: { name: 'go', arguments: '{"x"' } }
    const reply = await once(
      stream([
        chunk({ role: 'assistant', content: null, reasoning_content: 'Hm' }),
        chunk({ reasoning_content: '.' }),
        chunk({ tool_calls: [first] }),
        chunk({ tool_calls: [second] }),
        chunk({ tool_calls: [{ index: 0, function: { arguments: '{"a":1}' } }] }),
        chunk({ tool_calls: [{ index: 1, id: 'call_2', function: { name: null, arguments: ':2}' } }] }),
        chunk({}, 'tool_calls'),
        event({ id: 'x', choices: [], usage: { total_tokens: 9 } }),
        end,
      ]),
    )
    const answer = wholeOf(reply)
    expect(answer.usage).toEqual({ total_tokens: 9 })
    expect(answer.choices[0]?.finish_reason).toBe('tool_calls')
    expect(answer.choices[0]?.message).toEqual({
      role: 'assistant',
      content: null,
      refusal: null,
      reasoning_content: 'Hm.',
      tool_calls: [
        { id: 'call_1', type: 'function', function: { name: 'look', arguments: '{"a":1}' } },
        { id: 'call_2', type: 'function', function: { name: 'go', arguments: '{"x":2}' } },
      ],
    })
  })

  // InternLM/lmdeploy#3412: SGLang's calls all say index 0, and repeat their id with each piece; vLLM's say an empty id.
  it.each([
    ['repeat it', 'call_a', 'call_b'],
    // poolsideai/pool#9
    ['say others that they make up', 'call_x', 'call_y'],
    ['say an empty one', '', ''],
  ])('becomes a whole answer whose calls share an index, and whose pieces %s', async (_, one, two) => {
    const opened = (id: string, name: string) => ({ tool_calls: [{ index: 0, id, function: { name, arguments: '' } }] })
    const more = (id: string, text: string) => ({
      tool_calls: { index: 0, id, function: { name: '', arguments: text } },
    })
    const pieces = [
      opened('call_a', 'look'),
      more(one, '{}'),
      opened('call_b', 'look'),
      more(two, '{"x":'),
      more(two, '1}'),
    ]
    const reply = await once(stream([...pieces.map((piece) => chunk(piece)), chunk({}, 'tool_calls'), end]))
    expect(wholeOf(reply).choices[0]?.message.tool_calls).toEqual([
      { id: 'call_a', type: 'function', function: { name: 'look', arguments: '{}' } },
      { id: 'call_b', type: 'function', function: { name: 'look', arguments: '{"x":1}' } },
    ])
  })

  it.each([
    ['eos_token', 'stop'],
    ['MAX_TOKENS', 'length'],
    [{ type: 'length' }, 'length'],
  ])(
    'becomes a whole answer that is put right as others are, with the finish reason %j as %s',
    async (given, reason) => {
      const of = (delta: object, finish: unknown) =>
        event({ id: 'x', model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })
      const parts = [{ type: 'text', text: 'Hello' }]
      const reply = await once(stream([of({ content: parts }, null), of({}, given), end]))
      expect(wholeOf(reply).choices).toMatchObject([{ message: { content: 'Hello' }, finish_reason: reason }])
    },
  )

  it('becomes a whole answer with its calls if each piece repeats its id and its name', async () => {
    const piece = (id: string, text: string) =>
      chunk({ tool_calls: [{ id, function: { name: 'look', arguments: text } }] })
    const pieces = [piece('call_a', ''), piece('call_a', '{"x":'), piece('call_a', '1}'), piece('call_b', '{"x":2}')]
    const reply = await once(stream([...pieces, chunk({}, 'tool_calls'), end]))
    expect(wholeOf(reply).choices[0]?.message.tool_calls).toEqual([
      { id: 'call_a', type: 'function', function: { name: 'look', arguments: '{"x":1}' } },
      { id: 'call_b', type: 'function', function: { name: 'look', arguments: '{"x":2}' } },
    ])
  })

  it('is whole if it comes as the only chunk of a stream, which says that it is over', async () => {
    const only = (finish: string | null) => chunk({ role: 'assistant', content: 'Hello' }, finish).slice(6)
    for (const rest of ['', end]) {
      expect(contentOf((await once(typed('application/json', only('stop') + rest))).text)).toBe('Hello')
      upstream.script(typed('application/json', only(null) + rest))
      expect((await both.ask(runtime, chat('up/m'))).status).toBeGreaterThanOrEqual(500)
    }
  })

  // microsoft/foundry-local#263
  it('becomes a whole answer of one choice if its choice’s index counts the chunks', async () => {
    const of = (index: number, delta: object, finish: string | null = null) =>
      event({ id: 'x', model: 'm', choices: [{ index, delta, finish_reason: finish }] })
    const reply = await once(stream([of(0, { content: 'Hel' }), of(1, { content: 'lo' }), of(2, {}, 'stop'), end]))
    expect(wholeOf(reply).choices).toMatchObject([{ index: 0, message: { content: 'Hello' }, finish_reason: 'stop' }])
  })

  it('becomes a whole answer with each of several choices, a refusal and probabilities', async () => {
    const of = (index: number, delta: object, finish: string | null = null, logprobs: object | null = null) =>
      event({ id: 'x', model: 'm', choices: [{ index, delta, logprobs, finish_reason: finish }] })
    const reply = await once(
      stream([
        of(1, { role: 'assistant', refusal: 'No' }),
        of(0, { role: 'assistant', content: 'Y' }, null, { content: [{ token: 'Y' }], refusal: null }),
        of(1, { refusal: ' way' }),
        of(0, { content: 'es' }, null, { content: [{ token: 'es' }], refusal: null }),
        of(0, {}, 'length'),
        of(1, {}, 'stop'),
        end,
      ]),
      { n: 2 },
    )
    expect(wholeOf(reply).choices).toEqual([
      {
        index: 0,
        message: { role: 'assistant', content: 'Yes', refusal: null },
        logprobs: { content: [{ token: 'Y' }, { token: 'es' }], refusal: null },
        finish_reason: 'length',
      },
      {
        index: 1,
        message: { role: 'assistant', content: null, refusal: 'No way' },
        logprobs: null,
        finish_reason: 'stop',
      },
    ])
  })

  // BYK/loreai#605: whole answers in the events of a stream.
  it('becomes a whole answer if a single event holds it', async () => {
    expect(wholeOf(await once(stream([event(good), end]))).choices).toEqual(good.choices)
  })

  // decolua/9router#3492 and gumieri/nenya#17.
  it.each([
    ['its end', '\n\ndata: [DONE]\n\n'],
    ['its end, without a line between', 'data: [DONE]\n\n'],
    [
      'an error about its own end',
      '\ndata: {"error":{"message":"upstream stream ended without [DONE]"}}\n\ndata: [DONE]',
    ],
  ])('is good if a stream of nothing but %s follows it', async (_, rest) => {
    const answer = chatAnswer('A stream ends with\ndata: [DONE]\n\n')
    expect(JSON.parse((await once(typed('text/event-stream', JSON.stringify(answer) + rest))).text)).toEqual(answer)
    const reply = await once(typed('text/event-stream', JSON.stringify(answer) + rest), { stream: true })
    expect(wordsOf(reply.text)).toBe('A stream ends with\ndata: [DONE]\n\n')
  })

  it('becomes a whole completion on the old route, and a stream there', async () => {
    const of = (text: string, finish: string | null = null) =>
      event({ id: 'c', object: 'text_completion', model: 'm', choices: [{ index: 0, text, finish_reason: finish }] })
    const reply = await once(stream([of('Hel'), of('lo'), of('', 'length'), end]), {}, '/completions')
    expect(JSON.parse(reply.text)).toMatchObject({
      object: 'text_completion',
      choices: [{ index: 0, text: 'Hello', finish_reason: 'length' }],
    })
    const answer = { id: 'c', object: 'text_completion', choices: [{ index: 0, text: 'Hello', finish_reason: 'stop' }] }
    const streamed = await once(json(200, answer), { stream: true }, '/completions')
    expect(eventsOf(streamed.text).map(({ data }) => data.match(/"text":"(\w*)"/)?.[1])).toEqual([
      'Hello',
      '',
      undefined,
    ])
    expect(streamed.text.endsWith(end)).toBe(true)
  })

  it('is quoted in a prompt and an answer without being taken for another shape', async () => {
    const words = 'data: {"error": {}}\n\n{"choices":[]} <html>'
    expect(contentOf((await once(json(200, chatAnswer(words)))).text)).toBe(words)
    expect(wordsOf((await once(stream(chatFrames(words)), { stream: true })).text)).toBe(words)
    expect(wordsOf((await once(json(200, chatAnswer(words)), { stream: true })).text)).toBe(words)
  })

  describe('is none', () => {
    const asked = async (script: Script, more: object) => {
      upstream.seen.length = 0
      upstream.script(script)
      const error = errorOf(await both.ask(runtime, chat('up/m', more)))
      return { code: error.code, tries: upstream.seen.length, message: error.message }
    }
    const truncated = { code: 'upstream_stream_truncated', tries: 2 }

    it('if a stream that nobody asked for is cut', async () => {
      const frames = chatFrames('Hello', ' there')
      expect(await asked(stream(frames.slice(0, 2)), {})).toMatchObject(truncated)
      expect(await asked(stream([...frames.slice(0, 2), end]), {})).toMatchObject(truncated)
      expect(await asked(stream(frames.slice(0, 2), 'reset'), {})).toMatchObject(truncated)
    })

    it('if the lines of a stream are cut, report an error, or are none', async () => {
      const lines = chatFrames('Hello', ' there').map((frame) => frame.slice(6))
      expect(await asked(stream(lines.slice(0, 2)), {})).toMatchObject(truncated)
      const error = { message: 'It crashed', code: 500 }
      const told = [lines[0] ?? '', `${JSON.stringify({ error })}\n`]
      expect(await asked(stream(told), {})).toMatchObject({ code: 'upstream_error', tries: 2 })
      expect(await asked(stream(told), { stream: true })).toMatchObject({ code: 'upstream_error', tries: 2 })
      const broken = [lines[0] ?? '', 'Internal Server Error\n']
      expect((await asked(stream(broken), { stream: true })).tries).toBe(2)
    })

    it('if a stream that nobody asked for reports an error', async () => {
      const error = { message: 'It crashed', code: 500 }
      const told = await asked(stream([...chatFrames('Hello').slice(0, 2), event({ error }), end]), {})
      expect(told).toMatchObject({ code: 'upstream_error', tries: 2 })
      expect(told.message).toContain('It crashed')
    })

    // cloudflare/cloudflare-docs#15116, edenai/edenai-apis#360
    it.each<[string, unknown, string]>([
      ['a code beside its answer', { code: 500, message: 'It crashed', data: good }, 'It crashed'],
      ['a code and no data', { code: 20012, msg: 'It crashed', data: null }, 'It crashed'],
      ['a code in words', { code: 'ServiceUnavailable', message: 'It crashed', request_id: 'x' }, 'It crashed'],
      ['no success', { result: null, success: false, errors: [{ code: 7009, message: 'It crashed' }] }, 'It crashed'],
      ['a status of its own', { choices: null, base_resp: { status_code: 1000, status_msg: 'It crashed' } }, 'crashed'],
      ['an error in a list', [{ error: { message: 'It crashed', code: 500 } }], 'It crashed'],
      ['an error in its data', { code: 0, data: { error: { message: 'It crashed' } } }, 'It crashed'],
      ['an error in a text', { statusCode: 500, body: '{"error":{"message":"It crashed"}}' }, 'It crashed'],
    ])('if an envelope reports %s', async (_what, said, message) => {
      for (const more of [{}, { stream: true }]) {
        const told = await asked(json(200, said), more)
        expect(told).toMatchObject({ code: 'upstream_error', tries: 2, message: expect.stringContaining(message) })
      }
    })

    it.each<[string, unknown]>([
      ['a code', { code: 20012, msg: 'It crashed', data: null }],
      ['no success', { result: null, success: false, errors: [{ code: 7009, message: 'It crashed' }] }],
      ['a status of its own', { choices: null, base_resp: { status_code: 1000, status_msg: 'It crashed' } }],
    ])('if the first event of a stream is an envelope that reports %s', async (_what, said) => {
      const told = await asked(stream([event(said), end]), { stream: true })
      expect(told).toMatchObject({ code: 'upstream_error', tries: 2, message: expect.stringContaining('It crashed') })
    })

    it('if an envelope reports that its key was refused, which no second try would change', async () => {
      const told = await asked(json(200, { code: 401, msg: 'Invalid token', data: null }), {})
      expect(told).toMatchObject({ code: 'upstream_credentials_rejected', tries: 1 })
    })

    it('if whole JSON for a stream is an error, is cut, or has no choices', async () => {
      const error = { message: 'It crashed', code: 500 }
      expect(await asked(json(200, { error }), { stream: true })).toMatchObject({ code: 'upstream_error', tries: 2 })
      const invalid = { code: 'upstream_invalid_response', tries: 2 }
      expect(await asked(json(200, '{"choices":[{"mess'), { stream: true })).toMatchObject(invalid)
      expect(await asked(json(200, { id: 'x', choices: [] }), { stream: true })).toMatchObject(invalid)
    })

    it.each(['<html>hi</html>', 'error code: 1015', 'Internal Server Error', 'data', 'identity unknown'])(
      'if it is only a text: %s',
      async (said) => {
        const invalid = { code: 'upstream_invalid_response', tries: 2 }
        expect(await asked(text(200, said), { stream: true })).toMatchObject(invalid)
        expect(await asked(text(200, said), {})).toMatchObject(invalid)
      },
    )
  })

  it('comes from a provider with lines of JSON, which stay a stream, and become whole', async () => {
    const line = (content: string, done = false) =>
      `${JSON.stringify({ model: 'm', message: { role: 'assistant', content }, done, eval_count: 2 })}\n`
    upstream.script(typed('application/json', line('Hello'), line('', true)))
    const streamed = await both.ask(runtime, chat('local/m', { stream: true }))
    expect(wordsOf(streamed.text)).toBe('Hello')
    const whole = await both.ask(runtime, chat('local/m'))
    expect(contentOf(whole.text)).toBe('Hello')
    expect(wholeOf(whole).usage).toMatchObject({ completion_tokens: 2 })
    upstream.script(typed('application/json', line('Hello', true)))
    expect(wordsOf((await both.ask(runtime, chat('local/m', { stream: true }))).text)).toBe('Hello')
  })
})
