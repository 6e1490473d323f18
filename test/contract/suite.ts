import { describe, expect, it } from 'vitest'
import type { Environment } from '../../src/config/providers.ts'
import type { Config } from '../../src/config/schema.ts'
import { type Delivery, type Exchange, exchangePath, type MadeUp } from '../support/exchange.ts'
import {
  type Answer,
  chunksOf,
  framesOf,
  readAnswer,
  readStream,
  type Said,
  type ToolCall,
  type WireError,
  withCallsRead,
} from './read.ts'
import { openaiRequests, type Recordings, type Subject } from './subjects.ts'
import { streamOf } from './wires.ts'

/** Where the contract is held: how a gateway comes to be there, and where the told upstream is. */
export interface Runtime {
  readonly upstream: string
  open(config: Config, env: Environment): Promise<OpenGateway>
}

export interface OpenGateway {
  /** `path` begins with `/v1`. */
  send(path: string, init?: RequestInit): Promise<Response>
  close(): Promise<void>
}

const key = 'sk-the-gateways-own-key'
const finishes = ['stop', 'length', 'tool_calls', 'content_filter', 'function_call']
const clientHeaders = {
  'content-type': 'application/json',
  authorization: 'Bearer sk-of-the-client',
  cookie: 'a=b',
  'openai-organization': 'org-of-the-client',
  'x-stainless-lang': 'js',
}

/** What every client relies on, whichever provider answers. */
export function testProvider(subject: Subject, runtime: Runtime): void {
  const client = new Client(subject, runtime)
  const local = subject.address === undefined
  const exact = subject.answers === 'untouched'

  describe(subject.name, () => {
    describe('chat', () => {
      it.each(Object.keys(subject.chats))('answers %s with the recorded text, calls and reason', async (label) => {
        const got = await client.chat(label)
        expect(got.status, got.text).toBe(200)
        expect(readAnswer(got.text)).toEqual(client.recordedAnswer(label))
      })

      it.each(Object.keys(subject.chats))('streams %s with the recorded text, calls and reason', async (label) => {
        const got = await client.chat(`${label}_stream`)
        expect(got.status, got.text).toBe(200)
        expect(readStream(got.text)).toEqual(client.recordedAnswer(`${label}_stream`))
      })

      it.each(['chat', 'chat_tool', 'chat_reasoning'])('says in a stream what it says whole: %s', async (label) => {
        const [whole, streamed] = [await client.chat(label), await client.chat(`${label}_stream`)]
        expect(readStream(streamed.text)).toEqual(readAnswer(whole.text))
      })

      it('has every key that the wire requires', async () => {
        for (const label of ['chat', 'chat_tool', 'chat_length']) {
          checkAnswer(JSON.parse((await client.chat(label)).text) as Answer, !exact)
        }
      })

      it.each(['chat_stream', 'chat_tool_stream', 'chat_tool_parallel_stream', 'chat_length_stream'])(
        'streams frames that every client reads: %s',
        async (label) => checkStream((await client.chat(label)).text),
      )

      it('has the headers that clients and proxies look for', async () => {
        const whole = await client.chat('chat')
        const streamed = await client.chat('chat_stream')
        expect(whole.headers['content-type']).toMatch(/^application\/json/)
        expect(streamed.headers['content-type']).toBe('text/event-stream; charset=utf-8')
        expect(streamed.headers['cache-control']).toMatch(/no-cache/)
        for (const { headers } of [whole, streamed]) {
          checkHeaders(headers)
          expect(headers['x-samewire-model']).toBe(`up/${subject.model}`)
          expect(headers['x-samewire-attempts']).toBe('1')
          expect(headers).not.toHaveProperty('x-samewire-reason')
        }
      })

      it('tells the usage of a whole answer', async () => {
        const { usage } = JSON.parse((await client.chat('chat')).text) as Answer
        expect(usage).toMatchObject({ prompt_tokens: 13, completion_tokens: 11, total_tokens: 24 })
      })

      it('tells the usage of a stream in a chunk of its own before the end, when it is asked', async () => {
        const chunks = chunksOf((await client.chat('chat_stream')).text)
        const last = chunks.at(-1)
        expect(last?.choices).toEqual([])
        expect(last?.usage).toMatchObject({ prompt_tokens: 13, completion_tokens: 11, total_tokens: 24 })
        expect(chunks.slice(0, -1).filter(({ usage }) => usage)).toEqual([])
      })

      it('tells no usage in a stream when it is not asked', async () => {
        // Ollama's own API and a model in the process say it, or not, by what the gateway does; a server is asked.
        const label = client.hasRecorded('chat_stream_nousage') && !local ? 'chat_stream_nousage' : 'chat_stream'
        const got = await client.chat(label, {}, { stream_options: undefined })
        const chunks = chunksOf(got.text)
        expect(chunks.length).toBeGreaterThan(2)
        expect(chunks.filter(({ usage }) => usage)).toEqual([])
        expect(chunks.filter(({ choices }) => choices.length === 0)).toEqual([])
      })

      if (subject.answers !== 'untouched' && !subject.name.includes('transformers')) {
        it('gives reasoning apart from the text, as reasoning_content', async () => {
          const whole = JSON.parse((await client.chat('chat_reasoning')).text) as Answer
          expect(whole.choices[0]?.message).toMatchObject({
            content: 'pong',
            reasoning_content: 'The user says: ping\n',
          })
          const chunks = chunksOf((await client.chat('chat_reasoning_stream')).text)
          const deltas = chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta))
          expect(deltas.map((delta) => delta?.reasoning_content ?? '').join('')).toBe('The user says: ping\n')
          expect(deltas.map((delta) => delta?.content ?? '').join('')).toBe('pong')
        })
      }

      it.each(subject.refuses)('refuses %s by its name, as it would have no effect', async (param, fields) => {
        const got = await client.chat('chat', {}, fields)
        expect(got.status).toBe(400)
        expect(errorOf(got)).toMatchObject({ type: 'invalid_request_error', code: 'unsupported_parameter' })
        expect(errorOf(got).param).toContain(param)
      })
    })

    if (local) return testLocal(client)
    testBytes(client)
    testCuts(client)
    testLegacy(client)
    testMissing(client)
    testRefusals(client)
    testBreaks(client)
  })
}

/** What only a model in the process can be asked. */
function testLocal(client: Client): void {
  it('tells of a model that it does not carry, in the envelope', async () => {
    const got = await client.send('/v1/chat/completions', { model: 'up/davinci-codex', messages: [user('hi')] })
    expect(got.status).toBe(404)
    expect(errorOf(got)).toMatchObject({ type: 'invalid_request_error', code: 'model_not_found' })
  })

  it('tells of a prompt that is too long in the words that clients look for', async () => {
    checkOverflow(await client.chat('err_context'))
    checkOverflow(await client.chat('err_context', {}, { stream: true }))
  })

  it('completes a prompt on the legacy route, whole and streamed', async () => {
    const body = { model: 'up/tiny-chat', prompt: 'Once upon', max_tokens: 6, temperature: 0 }
    const whole = await client.send('/v1/completions', body)
    const streamed = await client.send('/v1/engines/up%2Ftiny-chat/completions', { ...body, stream: true })
    const said = [{ content: ' and ara":_y', reasoning: '', calls: [], finish: 'length' }]
    expect(readAnswer(whole.text)).toEqual(said)
    expect(readStream(streamed.text)).toEqual(said)
    expect(framesOf(streamed.text).at(-1)).toBe('[DONE]')
    expect(JSON.parse(whole.text)).toMatchObject({ object: 'text_completion', id: expect.stringMatching(/^cmpl-/) })
  })
}

function testBytes(client: Client): void {
  const { subject } = client

  if (subject.answers === 'untouched') {
    it.each(['chat', 'chat_tool', 'chat_logprobs'])('passes the bytes of an answer untouched: %s', async (label) => {
      expect((await client.chat(label)).text).toBe(client.recorded(label).body)
    })

    it.each(['chat_stream', 'chat_tool_parallel_stream', 'chat_logprobs_stream'])(
      'passes the bytes of a stream untouched: %s',
      async (label) => {
        for (const cut of [undefined, 3, 11] as const) {
          const got = await client.chat(label, cut === undefined ? {} : { cut })
          expect(got.text).toBe(client.recorded(label).body)
        }
      },
    )
  }

  if (subject.requests === 'untouched') {
    it("sends the client's bytes, but for the name of the model", async () => {
      // Only what is on its list can be asked of a server that would answer to any name.
      const name = subject.listedOnly ? 'tiny-chat' : 'some/model:tag'
      const body =
        '{ "seed":12345678901234567890,\n "messages" : [{"role":"user","content":"na\\u00efve \\ud83c\\udf89 é"}],' +
        `"x_future":{"model":"kept","a":1.0e2,"a":2}, "model"\t:"up/${name}" , "temperature":0.70 }`
      const tag = client.tag()
      const got = await client.sendTo(['chat', { tag }], '/v1/chat/completions', body)
      expect(got.status, got.text).toBe(200)
      const [seen] = await client.seen(tag)
      expect(seen?.body).toBe(body.replace(`up/${name}`, name))
    })
  }

  it("sends the gateway's own key and none of the client's headers", async () => {
    const tag = client.tag()
    await client.sendTo(['chat', { tag }], '/v1/chat/completions', client.request('chat'))
    const [seen] = await client.seen(tag)
    const withKey = subject.wire?.keyHeader(key) ?? { authorization: `Bearer ${key}` }
    expect(seen?.headers).toMatchObject({ ...withKey, 'content-type': 'application/json' })
    const names = Object.keys(seen?.headers ?? {})
    expect(names.filter((name) => /^(cookie|openai-organization|x-stainless-lang)$/.test(name))).toEqual([])
    expect(JSON.stringify(seen)).not.toContain('sk-of-the-client')
  })

  if (subject.lists) {
    it('lists what the server lists, and finds a model of it by its name', async () => {
      await client.with(['chat', {}], async (gateway) => {
        const list = await read(await gateway.send('/v1/models'))
        const ids = (JSON.parse(list.text) as { data: { id: string }[] }).data.map(({ id }) => id)
        const id = ids.find((name) => /^up\/tiny-chat(:latest)?$/.test(name))
        expect(ids).toContain(id)
        const one = await read(await gateway.send(`/v1/models/${encodeURIComponent(id ?? '')}`))
        expect(JSON.parse(one.text)).toMatchObject({ id, object: 'model', created: expect.any(Number) })
        expect((await gateway.send('/v1/models/up%2Fdavinci-codex')).status).toBe(404)
        // A bare name that is on a list is as good as one with its provider.
        const body = JSON.stringify({ model: 'tiny-chat', messages: [user('hi')] })
        const got = await gateway.send('/v1/chat/completions', { method: 'POST', headers: clientHeaders, body })
        expect((await read(got)).headers['x-samewire-model']).toMatch(/^up\/tiny-chat/)
      })
    })
  }
}

/** However the network cuts a stream, and however a server dresses it, the client reads the same. */
function testCuts(client: Client): void {
  const { subject } = client
  const deliveries: readonly (readonly [string, Delivery])[] = [
    ['every byte by itself', { cut: 'every byte' }],
    ['random pieces', { cut: 1 }],
    ['other random pieces', { cut: 2 }],
    ['lines that end in CRLF', { lineEnds: 'CRLF' }],
    ['lines that end in CRLF, in random pieces', { lineEnds: 'CRLF', cut: 5 }],
    ['comments in between', { between: 'comments', cut: 9 }],
    ['data: null first', { first: 'null' }],
    ['no [DONE]', { done: 'missing' }],
    ['no [DONE], in random pieces', { done: 'missing', cut: 4 }],
    ['no blank line after [DONE]', { done: 'without a blank line' }],
    [
      'CRLF and no blank line at the end, byte by byte',
      {
        lineEnds: 'CRLF',
        done: 'without a blank line',
        cut: 'every byte',
      },
    ],
  ]

  describe('a stream that comes with', () => {
    it.each(deliveries)('%s reads the same', async (_, delivery) => {
      // Ollama's lines know neither comments nor null.
      const { first: _null, ...plain } = delivery
      const label = delivery.cut === 'every byte' ? 'chat_length_stream' : 'chat_tool_parallel_stream'
      const got = await client.chat(label, subject.wire?.hasEvents === false ? plain : delivery)
      expect(readStream(got.text)).toEqual(client.recordedAnswer(label))
      expect(got.text.split('data: [DONE]').length - 1).toBe(1)
      expect(got.text.trimEnd().endsWith('data: [DONE]')).toBe(true)
      expect(got.text.replaceAll('\r', '').endsWith('\n\n')).toBe(true)
    })

    it('characters cut into halves reads the same', async () => {
      const words = ['naïve', ' 🎉', '日本語', ' \u2028 "quoted" \\ ']
      for (const cut of ['every byte', 6] as const) {
        const got = await client.made(spoken(subject, words), { stream: true }, { cut })
        expect(readStream(got.text)[0]?.content).toBe(words.join(''))
      }
    })
  })
}

function testLegacy(client: Client): void {
  const { subject } = client
  const [whole, streamed] = subject.completion ?? []
  if (!whole || !streamed) return

  describe('the legacy route', () => {
    const exact = (subject.completions ?? subject.answers) === 'untouched'
    const request = { prompt: 'Once upon', max_tokens: 6, temperature: 0 }

    it.each(['/v1/completions', '/v1/engines/up%2FMODEL/completions', '/v1/engines/up/MODEL/completions'])(
      'completes a prompt on %s',
      async (route) => {
        const path = route.replace('MODEL', subject.model)
        const body = route === '/v1/completions' ? { model: `up/${subject.model}`, ...request } : request
        const got = await client.sendTo([whole, {}], path, JSON.stringify(body))
        expect(got.status, got.text).toBe(200)
        expect(readAnswer(got.text)).toEqual(client.recordedAnswer(whole))
        expect(JSON.parse(got.text)).toMatchObject({
          id: expect.stringMatching(/./),
          object: 'text_completion',
          created: expect.any(Number),
          choices: [{ index: 0, text: expect.any(String) }],
        })
        if (exact) expect(got.text).toBe(client.recorded(whole).body)
      },
    )

    it.each([{}, { cut: 8 }, { done: 'missing' }] satisfies Delivery[])('streams a prompt: %j', async (delivery) => {
      const body = JSON.stringify({ model: `up/${subject.model}`, ...request, stream: true })
      const got = await client.sendTo([streamed, delivery], '/v1/completions', body)
      expect(readStream(got.text)).toEqual(client.recordedAnswer(streamed))
      expect(framesOf(got.text.replace(/\n+$/, '\n\n')).at(-1)).toBe('[DONE]')
      expect(got.headers['content-type']).toBe('text/event-stream; charset=utf-8')
      for (const chunk of chunksOf(got.text)) {
        expect(chunk).toMatchObject({ object: 'text_completion', id: expect.stringMatching(/./) })
      }
    })
  })
}

function testMissing(client: Client): void {
  const { subject } = client

  describe.each(subject.missing)('a model that is missing, as $said says it', ({ answer, reason }) => {
    const asked = { ...client.request('chat'), model: 'up/davinci-codex' }

    it.each([false, true])('is the 404 that clients know (stream: %j)', async (stream) => {
      const got = await client.sendTo([answer, {}], '/v1/chat/completions', { ...asked, stream })
      expect(got.status).toBe(404)
      expect(got.headers['content-type']).toMatch(/^application\/json/)
      checkHeaders(got.headers)
      expect(errorOf(got)).toMatchObject({ type: 'invalid_request_error', code: 'model_not_found' })
      // Ollama says of its cloud that it is off, whatever the model.
      expect(errorOf(got).message).toMatch(/davinci-codex|cloud is disabled/)
      expect(got.headers['x-samewire-reason']).toBe(reason)
      expect(got.headers).not.toHaveProperty('x-samewire-model')
    })

    it('is told in the words of 2023 on the legacy route', async () => {
      const body = JSON.stringify({ prompt: 'hi' })
      const got = await client.sendTo([answer, {}], '/v1/engines/up%2Fdavinci-codex/completions', body)
      expect(got.status).toBe(404)
      expect(got.text).toBe(
        '{"error":{"message":"The model: `up/davinci-codex` does not exist","type":"invalid_request_error","param":null,"code":"model_not_found"}}',
      )
    })

    it.each([false, true])('is answered by the fallback, and it is told (stream: %j)', async (stream) => {
      const got = await client.sendTo(
        [answer, {}],
        '/v1/chat/completions',
        { ...asked, stream },
        stream ? 'chat_stream' : 'chat',
      )
      expect(got.status, got.text).toBe(200)
      const [said] = stream ? readStream(got.text) : readAnswer(got.text)
      expect(said?.content).toBe('Hello! How can I help you?')
      expect(got.headers['x-samewire-model']).toBe('backup/tiny-chat')
      expect(got.headers['x-samewire-attempts']).toBe('2')
      expect(got.headers['x-samewire-reason']).toBe(reason)
      const model = stream ? chunksOf(got.text)[0]?.model : (JSON.parse(got.text) as Answer).model
      expect(model).toBe('tiny-chat')
    })
  })

  if (subject.provider.type === 'llamacpp') {
    it('finds a model missing that the server would answer to but does not list', async () => {
      await client.with(['err_model', {}], async (gateway) => {
        await gateway.send('/v1/models')
        const body = JSON.stringify({ model: 'up/davinci-codex', messages: [user('hi')] })
        const got = await read(
          await gateway.send('/v1/chat/completions', { method: 'POST', headers: clientHeaders, body }),
        )
        expect(got.status).toBe(404)
        expect(errorOf(got).code).toBe('model_not_found')
        expect(got.headers['x-samewire-attempts']).toBe('0')
      })
    })
  }
}

function testRefusals(client: Client): void {
  const { subject } = client
  const html = '<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>'

  it.each([false, true])(
    'tells of a prompt that is too long in the words that clients look for (stream: %j)',
    async (stream) => {
      const got = await client.sendTo([subject.overflow, {}], '/v1/chat/completions', {
        ...client.request('chat'),
        stream,
      })
      checkOverflow(got)
    },
  )

  const refusals: readonly (readonly [string, MadeUp, number, Partial<WireError>])[] = [
    [
      'a web page',
      { status: 502, headers: { 'content-type': 'text/html' }, body: html },
      502,
      { type: 'server_error' },
    ],
    [
      'a web page under 200',
      { status: 200, headers: { 'content-type': 'text/html' }, body: html },
      502,
      { type: 'server_error' },
    ],
    ['nothing', { status: 500, headers: {}, body: '' }, 502, { type: 'server_error', code: 'upstream_error' }],
    ['nothing under 200', { status: 200, body: '' }, 502, { type: 'server_error' }],
    [
      'a text',
      { status: 500, headers: { 'content-type': 'text/plain' }, body: 'out of cheese' },
      502,
      { type: 'server_error' },
    ],
    ['a string as its error', json(400, { error: 'boom' }), 400, { message: 'boom', type: 'invalid_request_error' }],
    [
      'JSON in a string',
      json(400, { error: JSON.stringify({ error: { message: 'deep down', code: 7 } }) }),
      400,
      { message: 'deep down', code: null },
    ],
    [
      'JSON in a message',
      json(400, { error: { message: JSON.stringify({ error: { message: 'deep down' } }) } }),
      400,
      { message: 'deep down' },
    ],
    [
      'a detail',
      json(422, { detail: 'field required' }),
      422,
      { message: 'field required', type: 'invalid_request_error' },
    ],
    [
      'details',
      json(422, { detail: [{ loc: ['body'], msg: 'bad field' }] }),
      422,
      { message: expect.stringContaining('bad field') },
    ],
    [
      'a number as its code',
      json(400, { error: { code: 400, message: 'no', type: 'invalid_request_error' } }),
      400,
      { message: 'no', code: null },
    ],
    [
      'a conflict',
      json(409, { error: { message: 'busy', type: 'conflict' } }),
      502,
      { code: 'upstream_error', message: expect.stringContaining('busy') },
    ],
    [
      'no room',
      json(429, { error: { message: 'slow down', type: 'tokens' } }),
      429,
      { code: 'rate_limit_exceeded', type: 'tokens' },
    ],
    [
      'a rejected key',
      json(401, { error: { message: `Incorrect API key: ${key}` } }),
      502,
      { code: 'upstream_credentials_rejected' },
    ],
    ['an error under 200', json(200, { error: { message: 'the model has crashed' } }), 502, { type: 'server_error' }],
  ]

  describe('an upstream that answers with', () => {
    it.each(refusals)('%s is told of in the envelope', async (_, answer, status, error) => {
      for (const stream of [false, true]) {
        const got = await client.made(answer, { stream })
        expect(got.status, got.text).toBe(status)
        expect(got.headers['content-type']).toMatch(/^application\/json/)
        checkHeaders(got.headers)
        expect(errorOf(got)).toMatchObject(error)
        expect(got.text).not.toMatch(/<html|sk-the-gateways/)
      }
    })

    it('an error as the first event of a stream is an error and no stream', async () => {
      const got = await client.made(failing(subject, []), { stream: true })
      expect(got.status).toBe(502)
      expect(errorOf(got)).toMatchObject({ type: 'server_error', message: expect.stringContaining('out of memory') })
    })

    it('a stream without a word is an error and no stream', async () => {
      const got = await client.made({ ...spoken(subject, []), body: '' }, { stream: true })
      expect(got.status).toBe(502)
      expect(errorOf(got).type).toBe('server_error')
    })
  })
}

/** A stream that breaks off is told apart from one that ends, by every client. */
function testBreaks(client: Client): void {
  const { subject } = client

  describe('a stream that', () => {
    const label = 'chat_tool_result_stream'
    const cases = (['break', 'end'] as const).flatMap((what) => [0.5, 0.7].map((share) => [what, share] as const))

    it.each(cases)('comes to its %s after a share of %d ends with an error event', async (what, share) => {
      const { body } = client.recorded(label)
      const bytes = Math.floor(new TextEncoder().encode(body).length * share)
      const got = await client.chat(label, { after: { bytes, what } })
      expect(got.status, got.text).toBe(200)
      const said = checkBroken(got.text)
      const whole = client.recordedAnswer(label)[0]?.content ?? ''
      expect(said?.content).not.toBe('')
      expect(whole.startsWith(said?.content ?? '')).toBe(true)
      expect(said?.content.length).toBeLessThan(whole.length)
    })

    it('fails in the middle with an error of its own ends with it', async () => {
      const got = await client.made(failing(subject, ['Hel', 'lo']), { stream: true })
      expect(got.status).toBe(200)
      expect(checkBroken(got.text)?.content).toBe('Hello')
      expect(got.text).toContain('out of memory')
    })

    if (subject.recordings.name.endsWith('v1')) {
      it("ends as Ollama's /v1 does when its runner dies is no whole answer", async () => {
        const spoken = ['Hel', 'lo'].map((content) => chunk({ role: 'assistant', content }))
        const body = [...spoken, chunk({ role: 'assistant', content: '' }, null, '')].join('')
        const got = await client.made({ status: 200, headers: sse, body }, { stream: true })
        expect(checkBroken(got.text)?.content).toBe('Hello')
      })
    }
  })
}

/** Servers' quirks that no recording shows. */
export function testQuirks(subject: Subject, runtime: Runtime): void {
  const client = new Client(subject, runtime)

  if (subject.provider.engine === 'tgi') {
    describe('TGI', () => {
      const call = (id: string, name: string | null, text: string) => ({
        role: 'assistant',
        tool_calls: [{ index: 0, id, type: 'function', function: { name, arguments: text } }],
      })
      const tgi = (delta: unknown, finish: string | null = null) =>
        `data: ${JSON.stringify({ id: '', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }], usage: null })}\n\n`
      const body = [
        tgi(call('0', 'get_weather', '')),
        tgi(call('0', null, '{"city":')),
        tgi(call('0', null, ' "Paris"}')),
        tgi({ role: 'assistant', content: '', tool_calls: null }, 'stop'),
        'data: [DONE]\n\n',
      ].join('')

      it('has its tool calls told once, numbered and finished as such', async () => {
        const got = await client.made({ status: 200, headers: sse, body }, { stream: true })
        checkStream(got.text)
        expect(readStream(got.text)).toEqual([
          {
            content: '',
            reasoning: '',
            calls: [{ name: 'get_weather', arguments: { city: 'Paris' } }],
            finish: 'tool_calls',
          },
        ])
        const [first] = chunksOf(got.text).flatMap(({ choices }) =>
          choices.flatMap(({ delta }) => delta?.tool_calls ?? []),
        )
        expect(first?.id).toMatch(/^call_\w{24}$/)
      })

      it('is asked for max_tokens, the only limit that it knows', async () => {
        const tag = client.tag()
        const { max_tokens: _, ...rest } = client.request('chat')
        await client.sendTo(['chat', { tag }], '/v1/chat/completions', { ...rest, max_completion_tokens: 7 })
        const [seen] = await client.seen(tag)
        expect(JSON.parse(seen?.body ?? '')).toMatchObject({ max_tokens: 7 })
        expect(seen?.body).not.toContain('max_completion_tokens')
      })

      it('that fails in the middle of a stream is believed', async () => {
        const failed =
          tgi({ role: 'assistant', content: 'Hel' }) +
          data({ error: { message: 'out of memory', http_status_code: 422 } })
        const got = await client.made({ status: 200, headers: sse, body: failed }, { stream: true })
        expect(checkBroken(got.text)?.content).toBe('Hel')
      })
    })
  }

  if (subject.provider.engine === 'transformers') {
    it('transformers gets no field that it would refuse', async () => {
      const tag = client.tag()
      const fields = { top_k: 5, store: false, max_completion_tokens: 9, max_tokens: undefined, stop: [] }
      const got = await client.chat('chat', { tag }, fields)
      expect(got.status, got.text).toBe(200)
      const [seen] = await client.seen(tag)
      expect(Object.keys(JSON.parse(seen?.body ?? '') as object).sort()).toEqual([
        'max_tokens',
        'messages',
        'model',
        'temperature',
      ])
    })
  }

  if (subject.name === 'huggingface, the router') {
    it('the router, which only chats, completes a prompt all the same, whole and streamed', async () => {
      for (const stream of [false, true]) {
        const body = JSON.stringify({ model: `up/${subject.model}`, prompt: 'hi', stream })
        const got = await client.sendTo([stream ? 'chat_stream' : 'chat', {}], '/v1/completions', body)
        const [said] = stream ? readStream(got.text) : readAnswer(got.text)
        expect(said).toMatchObject({ content: 'Hello! How can I help you?', finish: 'stop' })
        if (stream) expect(framesOf(got.text).at(-1)).toBe('[DONE]')
      }
    })

    it('a stream over the router that breaks off is no whole answer on the legacy route either', async () => {
      for (const what of ['break', 'end'] as const) {
        const body = JSON.stringify({ model: `up/${subject.model}`, prompt: 'hi', stream: true })
        const got = await client.sendTo(['chat_stream', { after: { bytes: 1200, what } }], '/v1/completions', body)
        expect(checkBroken(got.text)?.content).toMatch(/^Hel/)
      }
    })
  }

  if (subject.name === 'openai') {
    it('a chat model that refuses the old route is asked on the new one', async () => {
      const answer = json(404, {
        error: {
          message:
            'This is a chat model and not supported in the v1/completions endpoint. Did you mean to use v1/chat/completions?',
          type: 'invalid_request_error',
          param: 'model',
          code: null,
        },
      })
      const tag = client.tag()
      const body = JSON.stringify({ model: 'up/gpt-9', prompt: 'hi' })
      const got = await client.sendTo([answer, { tag }], '/v1/completions', body)
      expect((await client.seen(tag)).map(({ path }) => path.replace(/^.*\/v1/, ''))).toEqual([
        '/completions',
        '/chat/completions',
      ])
      expect(got.status).toBe(404)
    })
  }
}

interface Got {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

interface Seen {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

type Told = readonly [answer: string | MadeUp, delivery: Delivery]
type Fields = Readonly<Record<string, unknown>>

let tags = 0

/** A client of gateways in front of one subject: a gateway for every exchange, since its address names the exchange. */
class Client {
  readonly subject: Subject
  readonly #runtime: Runtime
  readonly #computed = new Map<string, Promise<Got>>()

  constructor(subject: Subject, runtime: Runtime) {
    this.subject = subject
    this.#runtime = runtime
  }

  tag(): string {
    return `${++tags}-${this.subject.provider.type}`
  }

  /** What the upstream saw under a tag. */
  async seen(tag: string): Promise<readonly Seen[]> {
    return (await (await fetch(`${this.#runtime.upstream}/seen/${tag}`)).json()) as readonly Seen[]
  }

  hasRecorded(label: string): boolean {
    return this.subject.recordings.cases.some((entry) => entry.label === label)
  }

  recorded(label: string): { status: number; body: string } {
    return caseOf(this.subject.recordings, this.#recordedLabel(label)).response
  }

  recordedAnswer(label: string): Said[] {
    const { body } = this.recorded(label)
    if (this.subject.wire) return this.subject.wire.read(body)
    const said = label.endsWith('_stream') ? readStream(body) : readAnswer(body)
    return this.subject.textual ? said.map(withCallsRead) : said
  }

  /** The recorded request of that label, for the model behind the gateway. */
  request(label: string): Record<string, unknown> {
    const { recordings, model, wire } = this.subject
    const source = wire ? openaiRequests : recordings
    return { ...(caseOf(source, label).request.body as Record<string, unknown>), model: `up/${model}` }
  }

  /** The recorded exchange of that label, with changes to its request. What a model computes, it computes once. */
  chat(label: string, delivery: Delivery = {}, fields: Fields = {}): Promise<Got> {
    const body = JSON.stringify({ ...this.request(label), ...fields })
    const ask = () => this.sendTo([label, delivery], '/v1/chat/completions', body)
    if (this.subject.address) return ask()
    const computed = this.#computed.get(body) ?? ask()
    this.#computed.set(body, computed)
    return computed
  }

  /** A chat with an upstream that answers with what was made up. */
  made(answer: MadeUp, fields: Fields, delivery: Delivery = {}): Promise<Got> {
    return this.sendTo([answer, delivery], '/v1/chat/completions', { ...this.request('chat'), ...fields })
  }

  send(path: string, body: Fields): Promise<Got> {
    return this.sendTo(['chat', {}], path, body)
  }

  async sendTo(told: Told, path: string, body: Fields | string, backup?: string): Promise<Got> {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const init = { method: 'POST', headers: clientHeaders, body: text }
    return await this.with(told, async (gateway) => read(await gateway.send(path, init)), backup)
  }

  /** `backup` is the recorded answer of the model that stands in for a missing one. */
  async with<T>(told: Told, use: (gateway: OpenGateway) => Promise<T>, backup?: string): Promise<T> {
    const gateway = await this.#runtime.open(this.#config(told, backup), { UPSTREAM_KEY: key })
    try {
      return await use(gateway)
    } finally {
      await gateway.close()
    }
  }

  #config([answer, delivery]: Told, backup: string | undefined): Config {
    const { provider, address, recordings } = this.subject
    const named: Exchange['answer'] =
      typeof answer === 'string' ? [recordings.name, this.#recordedLabel(answer)] : answer
    const at = (exchange: Exchange) => `${this.#runtime.upstream}${exchangePath(exchange)}`
    const up = address
      ? { ...provider, apiKey: 'env:UPSTREAM_KEY', ...address(at({ answer: named, delivery })) }
      : provider
    if (backup === undefined) return { providers: { up }, retries: 0 }
    const baseURL = `${at({ answer: [openaiRequests.name, backup] })}/v1`
    return {
      providers: { up, backup: { type: 'openai-compatible', baseURL } },
      retries: 0,
      fallback: 'backup/tiny-chat',
    }
  }

  #recordedLabel(label: string): string {
    const [, base = label, stream = ''] = /^(.*?)(_stream)?$/.exec(label) ?? []
    return `${this.subject.chats[base] ?? base}${stream}`
  }
}

function caseOf({ name, cases }: Recordings, label: string) {
  const found = cases.find((entry) => entry.label === label)
  if (!found) throw new Error(`no recorded case ${name} ${label}`)
  return found
}

async function read(response: Response): Promise<Got> {
  const headers: Record<string, string> = {}
  response.headers.forEach((value, name) => {
    headers[name] = value
  })
  return { status: response.status, headers, text: await response.text() }
}

/** The error of an envelope that has all of its four keys, and nothing beside it. */
function errorOf({ text }: Got): WireError {
  const body = JSON.parse(text) as { error: WireError }
  expect(Object.keys(body)).toEqual(['error'])
  const { message, type, param, code } = body.error
  expect(Object.keys(body.error).sort()).toEqual(['code', 'message', 'param', 'type'])
  expect([typeof message, typeof type]).toEqual(['string', 'string'])
  expect(message).not.toBe('')
  expect([param, code].map((value) => value === null || typeof value === 'string')).toEqual([true, true])
  return body.error
}

function checkHeaders(headers: Readonly<Record<string, string>>): void {
  expect(headers['x-request-id']).toMatch(/^req_[0-9a-f]{32}$/)
  expect(headers['openai-processing-ms']).toMatch(/^\d+$/)
  expect(headers['openai-version']).toBe('2020-10-01')
  expect(headers['access-control-allow-origin']).toBe('*')
  expect(headers['access-control-expose-headers']).toContain('x-request-id')
  expect(headers).not.toHaveProperty('content-encoding')
}

function checkAnswer(answer: Answer, strict: boolean): void {
  expect(answer).toMatchObject({
    id: expect.stringMatching(/./),
    object: 'chat.completion',
    created: expect.any(Number),
    model: expect.stringMatching(/./),
  })
  expect(Number.isInteger(answer.created)).toBe(true)
  expect(answer.choices.length).toBeGreaterThan(0)
  answer.choices.forEach((choice, at) => {
    expect(choice.index).toBe(at)
    expect(finishes).toContain(choice.finish_reason)
    expect(choice.message?.role).toBe('assistant')
    expect(choice.message).toHaveProperty('content')
    for (const call of choice.message?.tool_calls ?? []) checkCall(call)
    if (!strict) return
    expect(choice).toHaveProperty('logprobs')
    expect(choice.message).toHaveProperty('refusal')
  })
  const { prompt_tokens: prompt = 0, completion_tokens: completion = 0, total_tokens: total } = answer.usage ?? {}
  expect(total).toBe(prompt + completion)
}

function checkCall(call: ToolCall): void {
  expect(call).toMatchObject({ id: expect.stringMatching(/../), type: 'function' })
  expect(call.function?.name).toMatch(/./)
  expect(typeof call.function?.arguments).toBe('string')
}

/** MUST 13, 15, 18, 19 and 33 of the wire's document. */
function checkStream(text: string): void {
  // A server may have ended its own [DONE] with more than one blank line.
  const frames = framesOf(text.replace(/\n{3,}$/, '\n\n'))
  expect(frames.at(-1)).toBe('[DONE]')
  expect(frames.filter((data) => data === '[DONE]').length).toBe(1)
  const chunks = frames.slice(0, -1).map((data) => JSON.parse(data) as Answer)
  expect(new Set(chunks.map(({ id, created, model }) => JSON.stringify([id, created, model]))).size).toBe(1)
  const firsts = new Map<number, boolean>()
  const finished = new Map<number, number>()
  const begun = new Set<string>()
  for (const chunk of chunks) {
    expect(chunk).not.toHaveProperty('error')
    expect(chunk.object).toBe('chat.completion.chunk')
    for (const { index, delta, finish_reason: finish } of chunk.choices) {
      expect(Number.isInteger(index)).toBe(true)
      if (!firsts.has(index)) expect(delta?.role).toBe('assistant')
      firsts.set(index, true)
      expect([undefined, 'assistant']).toContain(delta?.role)
      expect([null, ...finishes]).toContain(finish)
      if (finish) finished.set(index, (finished.get(index) ?? 0) + 1)
      for (const call of delta?.tool_calls ?? []) checkDelta(call, `${index} ${call.index}`, begun)
    }
  }
  expect([...finished.values()].every((times) => times === 1)).toBe(true)
  expect([...finished.keys()].sort()).toEqual([...firsts.keys()].sort())
}

function checkDelta(call: ToolCall, name: string, begun: Set<string>): void {
  expect(Number.isInteger(call.index)).toBe(true)
  if (begun.has(name)) {
    expect(Object.keys(call).sort()).toEqual(['function', 'index'])
    expect(Object.keys(call.function ?? {})).toEqual(['arguments'])
    return
  }
  begun.add(name)
  checkCall(call)
}

/** The stream ends with one error event, and nothing in it lets a client take it for whole. */
function checkBroken(text: string): Said | undefined {
  const frames = framesOf(text)
  const { error } = JSON.parse(frames.at(-1) ?? '') as { error: WireError }
  expect(Object.keys(error).sort()).toEqual(expect.arrayContaining(['code', 'message', 'param', 'type']))
  expect(error.message).toMatch(/./)
  expect(text).not.toContain('[DONE]')
  expect(chunksOf(text).filter((chunk) => chunk.error).length).toBe(1)
  const [said] = readStream(text)
  expect(said?.finish).toBeNull()
  return said
}

function checkOverflow(got: Got): void {
  expect(got.status, got.text).toBe(400)
  expect(errorOf(got)).toMatchObject({ type: 'invalid_request_error', code: 'context_length_exceeded' })
  expect(errorOf(got).message).toContain('maximum context length')
  expect(got.headers['x-should-retry']).toBe('false')
}

const sse = { 'content-type': 'text/event-stream' }
const user = (content: string) => ({ role: 'user', content })

function json(status: number, body: unknown): MadeUp {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

function data(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`
}

function chunk(delta: unknown, finish: string | null = null, model = 'm'): string {
  return data({
    id: 'chatcmpl-made-up',
    object: 'chat.completion.chunk',
    created: 1_700_000_000,
    model,
    choices: [{ index: 0, delta, finish_reason: finish }],
  })
}

/** A stream of the subject's own wire that says `words`. */
function spoken({ wire }: Subject, words: readonly string[]): MadeUp {
  if (wire) return streamOf(wire, words, (pieces) => pieces.join(''))
  return { status: 200, headers: sse, body: [...opened(words), chunk({}, 'stop'), 'data: [DONE]\n\n'].join('') }
}

/** The same, but it fails after its last word. */
function failing({ wire }: Subject, words: readonly string[]): MadeUp {
  if (wire) return streamOf(wire, words, (pieces) => pieces.slice(0, words.length).join('') + wire.failure)
  const failure = data({ error: { message: 'out of memory', type: 'server_error', param: null, code: null } })
  return { status: 200, headers: sse, body: opened(words).join('') + failure }
}

function opened(words: readonly string[]): string[] {
  return [chunk({ role: 'assistant', content: '' }), ...words.map((content) => chunk({ content }))]
}
