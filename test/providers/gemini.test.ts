import { beforeEach, describe, expect, it } from 'vitest'
import { chat, errorOf, eventsOf } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { gatewayStarter } from '../support/gateway.ts'
import { chatAnswer, json, type Script, stream } from '../support/upstream.ts'

const key = 'AIza-of-the-gateway'
const { upstream, both } = serveBoth(
  'gemini',
  (url) => ({
    providers: {
      up: { type: 'gemini', baseURL: url, apiKey: 'env:KEY' },
      compat: { type: 'gemini', baseURL: `${url}/v1beta`, api: 'openai', apiKey: 'env:KEY' },
      backup: { type: 'openai-compatible', baseURL: `${url}/backup` },
    },
    models: {
      safe: { deployments: ['up/gemini-3-flash'], fallbacks: ['backup/m'] },
      lenient: { deployments: [{ model: 'up/gemini-3-flash', dropParams: true }] },
    },
    retries: 0,
    cooldown: false,
  }),
  { env: { KEY: key } },
)

/** The figures of Google's documentation. https://ai.google.dev/api/generate-content#UsageMetadata */
const usageMetadata = {
  ...{ promptTokenCount: 29, candidatesTokenCount: 15, thoughtsTokenCount: 800, totalTokenCount: 844 },
  cachedContentTokenCount: 20,
}
const head = { modelVersion: 'gemini-3-flash-preview', responseId: 'r1' }
const usage = {
  ...{ prompt_tokens: 29, completion_tokens: 815, total_tokens: 844 },
  prompt_tokens_details: { cached_tokens: 20 },
  completion_tokens_details: { reasoning_tokens: 800 },
}

type Part = Record<string, unknown>

const candidate = (parts: readonly Part[], finishReason?: string, more: object = {}) => ({
  content: { parts, role: 'model' },
  ...(finishReason && { finishReason }),
  index: 0,
  ...more,
})
const said = (parts: readonly Part[], finishReason = 'STOP', more: object = {}) => ({
  candidates: [candidate(parts, finishReason, more)],
  usageMetadata,
  ...head,
})
const piece = (...parts: Part[]) => ({ candidates: [candidate(parts)], usageMetadata, ...head })
const events = (...all: unknown[]) => all.map((one) => `data: ${JSON.stringify(one)}\r\n\r\n`)
const failed = (code: number, status: string, message: string, details: readonly object[] = []) => ({
  error: { code, message, status, details },
})

const bodies = () => upstream.seen.map(({ body }) => JSON.parse(body) as Record<string, unknown>)
const weather = { type: 'function', function: { name: 'weather', parameters: { type: 'object', properties: {} } } }
/** https://ai.google.dev/gemini-api/docs/generate-content/thought-signatures: of parallel calls the first has one. */
const twoCalls = [
  { functionCall: { id: 'fc1', name: 'weather', args: { city: 'Rome' } }, thoughtSignature: 'sig-1' },
  { functionCall: { name: 'weather', args: { city: 'Paris' } } },
]

beforeEach(() => {
  upstream.seen.length = 0
})

describe.each(runtimes)('Gemini, on %s,', (runtime) => {
  const ask = (script: Script, more: object = {}, model = 'up/gemini-3-flash') => {
    upstream.script(script)
    return both.ask(runtime, chat(model, more))
  }
  const answered = async (script: Script, more: object = {}) => {
    const reply = await ask(script, more)
    expect(reply.status, reply.text).toBe(200)
    return JSON.parse(reply.text)
  }
  const streamed = async (all: readonly unknown[], more: object = {}) => {
    const reply = await ask(stream(events(...all)), { stream: true, ...more })
    expect(reply.status, reply.text).toBe(200)
    const data = eventsOf(reply.text).map((event) => event.data)
    return {
      done: data.at(-1) === '[DONE]',
      chunks: data.filter((one) => one !== '[DONE]').map((one) => JSON.parse(one)),
    }
  }
  const deltasOf = (chunks: { choices: { delta: object }[] }[]) =>
    chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta))

  it('is asked at the path of its model, with its own key and none of the client', async () => {
    await answered(json(200, said([{ text: 'Hi.' }])))
    await streamed([said([{ text: 'Hi.' }])])
    expect(upstream.seen.map(({ path }) => path)).toEqual([
      '/v1beta/models/gemini-3-flash:generateContent',
      '/v1beta/models/gemini-3-flash:streamGenerateContent?alt=sse',
    ])
    for (const { headers } of upstream.seen) {
      expect(headers['x-goog-api-key']).toBe(key)
      expect(headers).not.toHaveProperty('authorization')
    }
    expect(bodies()[0]).toEqual({ contents: [{ role: 'user', parts: [{ text: 'hi' }] }] })
  })

  it('answers with text, thoughts and all counts', async () => {
    const answer = await answered(
      json(
        200,
        said([
          { text: 'Hm.', thought: true },
          { text: 'Hi', thoughtSignature: 's' },
        ]),
      ),
    )
    expect(answer).toEqual({
      ...{ id: 'r1', object: 'chat.completion', created: expect.any(Number), model: 'gemini-3-flash-preview' },
      choices: [
        {
          index: 0,
          message: {
            ...{ role: 'assistant', content: 'Hi', refusal: null, reasoning_content: 'Hm.' },
            reasoning_details: [{ type: 'reasoning.encrypted', data: 's', format: 'google-gemini-v1', index: 0 }],
          },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage,
    })
  })

  it('streams the same in pieces, with one finish, and the usage where it is asked for', async () => {
    const { chunks, done } = await streamed(
      [
        piece({ text: 'H', thought: true }),
        piece({ text: 'm.', thought: true }, { text: 'H' }),
        piece({ text: 'i' }),
        said([{ text: '', thoughtSignature: 's' }]),
      ],
      { stream_options: { include_usage: true } },
    )
    expect(done).toBe(true)
    expect(deltasOf(chunks)).toEqual([
      { role: 'assistant', content: '' },
      { reasoning_content: 'H' },
      { reasoning_content: 'm.' },
      { content: 'H' },
      { content: 'i' },
      { reasoning_details: [{ type: 'reasoning.encrypted', data: 's', format: 'google-gemini-v1', index: 0 }] },
      {},
    ])
    expect(chunks.at(-2).choices[0].finish_reason).toBe('stop')
    expect(chunks.at(-1)).toMatchObject({ id: 'r1', model: 'gemini-3-flash-preview', choices: [], usage })
  })

  it.each([false, true])('keeps the signature of calls for the next turn (stream: %j)', async (wantsStream) => {
    const tools = [weather]
    const calls: Record<string, unknown>[] = []
    const details: unknown[] = []
    if (wantsStream) {
      const { chunks } = await streamed([...twoCalls.map((call) => piece(call)), said([{ text: '' }])], { tools })
      for (const delta of deltasOf(chunks) as Record<string, never[]>[]) {
        calls.push(...(delta.tool_calls ?? []).map(({ index: _, ...call }: Record<string, unknown>) => call))
        details.push(...(delta.reasoning_details ?? []))
      }
      expect(chunks.at(-1).choices[0].finish_reason).toBe('tool_calls')
    } else {
      const [choice] = (await answered(json(200, said(twoCalls)), { tools })).choices
      expect(choice).toMatchObject({ finish_reason: 'tool_calls', message: { content: null } })
      calls.push(...choice.message.tool_calls)
      details.push(...choice.message.reasoning_details)
    }
    expect(calls).toEqual([
      {
        ...{ id: 'fc1', type: 'function', function: { name: 'weather', arguments: '{"city":"Rome"}' } },
        extra_content: { google: { thought_signature: 'sig-1' } },
      },
      {
        id: expect.stringMatching(/^call_/),
        type: 'function',
        function: { name: 'weather', arguments: '{"city":"Paris"}' },
      },
    ])
    expect(details).toEqual([
      { type: 'reasoning.encrypted', data: 'sig-1', id: 'fc1', format: 'google-gemini-v1', index: 0 },
    ])

    const results = calls.map(({ id }) => ({ role: 'tool', tool_call_id: id, content: 'sunny' }))
    const plain = calls.map(({ extra_content: _, ...call }) => call)
    // Clients keep the one, or the other.
    for (const message of [{ tool_calls: calls }, { tool_calls: plain, reasoning_details: details }]) {
      const messages = [{ role: 'user', content: 'hi' }, { role: 'assistant', content: null, ...message }, ...results]
      await answered(json(200, said([{ text: 'Sunny.' }])), { messages, tools })
      const [, model, answers] = (bodies().at(-1)?.contents ?? []) as { parts: Part[] }[]
      expect(model?.parts[0]).toMatchObject({ functionCall: { id: 'fc1' }, thoughtSignature: 'sig-1' })
      expect(model?.parts[1]).not.toHaveProperty('thoughtSignature')
      expect(answers?.parts.map(({ functionResponse }) => functionResponse)).toEqual(
        calls.map(({ id }) => ({ id, name: 'weather', response: { output: 'sunny' } })),
      )
    }
  })

  it('counts several calls of one stream from 0, and finishes with them although it says STOP', async () => {
    const { chunks } = await streamed([piece(...twoCalls), said([])], { tools: [weather] })
    const pieces = deltasOf(chunks).flatMap((delta) => ('tool_calls' in delta ? (delta.tool_calls as object[]) : []))
    expect(pieces).toMatchObject([{ index: 0, id: 'fc1' }, { index: 1 }])
    expect(chunks.at(-1).choices[0].finish_reason).toBe('tool_calls')
  })

  it('shows pictures, code that it ran, and the sources of its text', async () => {
    const parts = [
      { text: 'é: sunny.' },
      { executableCode: { language: 'PYTHON', code: 'print(1)' } },
      { codeExecutionResult: { outcome: 'OUTCOME_OK', output: '1' } },
      { inlineData: { mimeType: 'image/png', data: 'iVBORw0KGgo=' } },
    ]
    const groundingMetadata = {
      groundingChunks: [{ web: { uri: 'https://weather.example', title: 'Weather' } }],
      groundingSupports: [{ segment: { startIndex: 4, endIndex: 10, text: 'sunny.' }, groundingChunkIndices: [0] }],
    }
    const message = {
      content: 'é: sunny.\n```python\nprint(1)\n```\n\n```\n1\n```\n',
      images: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } }],
      annotations: [
        {
          type: 'url_citation',
          url_citation: { start_index: 3, end_index: 9, url: 'https://weather.example', title: 'Weather' },
        },
      ],
    }
    const more = { web_search_options: {} }
    const whole = await answered(json(200, said(parts, 'STOP', { groundingMetadata })), more)
    expect(whole.choices[0].message).toMatchObject(message)
    const pieces = [...parts.map((part) => piece(part)), said([], 'STOP', { groundingMetadata })]
    const deltas = deltasOf((await streamed(pieces, more)).chunks) as Record<string, unknown>[]
    expect(deltas.map(({ content = '' }) => content).join('')).toBe(message.content)
    expect(deltas.find((delta) => 'images' in delta)).toEqual({ images: message.images })
    expect(deltas.find((delta) => 'annotations' in delta)).toEqual({ annotations: message.annotations })
    expect(bodies()[0]?.tools).toEqual([{ googleSearch: {} }])
  })

  it('tells log probabilities', async () => {
    const logprobsResult = {
      chosenCandidates: [{ token: 'é', tokenId: 1, logProbability: -0.5 }],
      topCandidates: [{ candidates: [{ token: 'e', logProbability: -1 }] }],
    }
    const more = { logprobs: true, top_logprobs: 1 }
    const answer = await answered(json(200, said([{ text: 'é' }], 'STOP', { logprobsResult })), more)
    expect(answer.choices[0].logprobs.content).toEqual([
      {
        ...{ token: 'é', logprob: -0.5, bytes: [195, 169] },
        top_logprobs: [{ token: 'e', logprob: -1, bytes: [101] }],
      },
    ])
  })

  it.each<[string, string]>([
    ['STOP', 'stop'],
    ['MAX_TOKENS', 'length'],
    ['SAFETY', 'content_filter'],
    ['RECITATION', 'content_filter'],
    ['LANGUAGE', 'content_filter'],
    ['PROHIBITED_CONTENT', 'content_filter'],
    ['IMAGE_SAFETY', 'content_filter'],
    ['OTHER', 'content_filter'],
    ['MALFORMED_FUNCTION_CALL', 'stop'],
    ['NEWER_THAN_THIS', 'stop'],
  ])('says of an end with %s what clients know: %s', async (reason, wanted) => {
    const whole = await answered(json(200, said([{ text: 'Hi' }], reason)))
    expect(whole.choices[0].finish_reason).toBe(wanted)
    const { chunks } = await streamed([piece({ text: 'Hi' }), said([], reason)])
    expect(chunks.at(-1).choices[0].finish_reason).toBe(wanted)
  })

  it('answers a prompt that was blocked with nothing, as filtered', async () => {
    const blocked = { promptFeedback: { blockReason: 'PROHIBITED_CONTENT' }, usageMetadata, ...head }
    const whole = await answered(json(200, blocked))
    expect(whole.choices).toMatchObject([{ message: { content: '' }, finish_reason: 'content_filter' }])
    const { chunks, done } = await streamed([blocked])
    expect(chunks.map(({ choices }) => choices[0].finish_reason)).toEqual(['content_filter'])
    expect(done).toBe(true)
  })

  it.each(['MALFORMED_FUNCTION_CALL', 'UNEXPECTED_TOOL_CALL', 'NO_IMAGE'])(
    'is left for another model where it ends with nothing but %s',
    async (reason) => {
      const wanting = json(200, said([], reason, { finishMessage: 'Malformed: call(' }))
      const reply = await ask(wanting)
      expect([reply.status, errorOf(reply).message]).toEqual([502, expect.stringContaining('Malformed: call(')])
      for (const wantsStream of [false, true]) {
        const bad = wantsStream ? stream(events(said([], reason))) : wanting
        upstream.script(bad, json(200, chatAnswer('Mine.')))
        const other = await both.ask(runtime, chat('safe', { stream: wantsStream }))
        expect(other.headers.get('x-samewire-model')).toBe('backup/m')
        expect(other.text).toContain('Mine.')
      }
    },
  )

  it('never passes off a stream that breaks off as whole', async () => {
    const reply = await ask(stream(events(piece({ text: 'Hel' }))), { stream: true })
    expect(reply.text).toContain('Hel')
    expect(reply.text).toContain('upstream_stream_truncated')
    expect(reply.text).not.toContain('[DONE]')
  })

  it('takes a stream that breaks off behind its last event for whole', async () => {
    const reply = await ask(stream(events(said([{ text: 'Hi' }])), 'reset'), { stream: true })
    expect(reply.text).toContain('"finish_reason":"stop"')
    expect(reply.text).toContain('[DONE]')
  })

  it.each([
    ['alone', failed(503, 'UNAVAILABLE', 'The model is overloaded. Please try again later.')],
    ['in a list', [failed(503, 'UNAVAILABLE', 'The model is overloaded. Please try again later.')]],
  ])('tells an error within a stream, %s, or lets another model answer', async (_, error) => {
    const late = await ask(stream(events(piece({ text: 'Hel' }), error)), { stream: true })
    const told = eventsOf(late.text).map(({ data }) => JSON.parse(data))
    expect(told.at(-1).error).toMatchObject({ code: 'capacity_exhausted', type: 'server_error' })
    upstream.script(stream(events(error)), json(200, chatAnswer('Mine.')))
    const other = await both.ask(runtime, chat('safe', { stream: true }))
    expect(other.text).toContain('Mine.')
    expect(other.headers.get('x-samewire-reason')).toBe('capacity_exhausted')
  })

  const perDay = {
    '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
    violations: [{ quotaId: 'RequestsPerDayPerProject' }],
  }
  const perMinute = { ...perDay, violations: [{ quotaId: 'RequestsPerMinutePerProject' }] }
  const retryInfo = { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '34s' }
  const overQuota = 'You exceeded your current quota, please check your plan. Please retry in 34.07s.'

  it.each<[number, string | null, object, string, object[]?]>([
    [502, 'upstream_credentials_rejected', { code: 400 }, 'API key not valid. Please pass a valid API key.'],
    [502, 'upstream_credentials_rejected', { code: 403 }, 'Your API key was reported as leaked.'],
    [429, 'rate_limit_exceeded', { code: 429 }, overQuota, [perMinute, retryInfo]],
    [429, 'insufficient_quota', { code: 429 }, overQuota, [perDay, retryInfo]],
    [
      404,
      'model_not_found',
      { code: 404 },
      'models/gemini-3-flash is not found for API version v1beta, or is not supported for generateContent.',
    ],
    [404, 'model_not_found', { code: 400 }, 'User location is not supported for the API use.'],
    [503, 'capacity_exhausted', { code: 503 }, 'The model is overloaded. Please try again later.'],
    [502, 'upstream_error', { code: 500 }, 'An internal error has occurred.'],
    [504, 'upstream_timeout', { code: 504 }, 'Deadline expired before operation could complete.'],
    [
      400,
      'context_length_exceeded',
      { code: 400 },
      'The input token count (1050000) exceeds the maximum number of tokens allowed (1048576).',
    ],
    [
      400,
      'unsupported_parameter',
      { code: 400 },
      'Function call is missing a thought_signature in functionCall parts.',
    ],
    [400, null, { code: 400 }, 'Please ensure that function call turn comes immediately after a user turn.'],
  ])('is read as %s %s: %j %s', async (status, code, { code: http }: { code?: number }, message, details = []) => {
    const reply = await ask(json(http ?? 400, failed(http ?? 400, 'X', message, details)))
    expect([reply.status, errorOf(reply).code]).toEqual([status, code])
    expect(reply.headers.get('retry-after')).toBe(code === 'rate_limit_exceeded' ? '35' : null)
    if (code === 'context_length_exceeded')
      expect(errorOf(reply).message).toContain('maximum context length is 1048576')
  })

  it('is asked for several choices one by one', async () => {
    const answer = await answered(json(200, said([{ text: 'Hi' }])), { n: 2 })
    expect(answer.choices).toHaveLength(2)
    expect(upstream.seen).toHaveLength(2)
  })

  it.each(['presence_penalty', 'frequency_penalty', 'logit_bias'])(
    'refuses %s, or leaves it out and says so',
    async (name) => {
      const more = { [name]: name === 'logit_bias' ? { 5: 1 } : 0.5 }
      const reply = await ask(json(200, said([{ text: 'Hi' }])), more)
      expect([reply.status, errorOf(reply).param, upstream.seen.length]).toEqual([400, name, 0])
      const left = await ask(json(200, said([{ text: 'Hi' }])), more, 'lenient')
      expect([left.status, left.headers.get('x-samewire-dropped')]).toEqual([200, name])
    },
  )

  it('gets another level where the model lacks one, and no thinking where it has none', async () => {
    const none = 'Thinking level HIGH is not supported for this model. Please retry with other thinking level.'
    upstream.script(json(400, failed(400, 'INVALID_ARGUMENT', none)), json(200, said([{ text: 'Hi' }])))
    const model = `up/gemini-9-${runtime}`
    const first = await both.ask(runtime, chat(model, { reasoning_effort: 'high' }))
    expect(first.status, first.text).toBe(200)
    const levels = bodies().map(({ generationConfig }) => generationConfig)
    expect(levels).toMatchObject([
      { thinkingConfig: { thinkingLevel: 'HIGH' } },
      { thinkingConfig: { thinkingLevel: 'MEDIUM' } },
    ])
    const never = 'Unable to submit request because thinking is not supported by this model.'
    upstream.script(json(400, failed(400, 'INVALID_ARGUMENT', never)), json(200, said([{ text: 'Hi' }])))
    const second = await both.ask(runtime, chat(`up/gemini-8-${runtime}`, { reasoning_effort: 'low' }))
    expect(second.status, second.text).toBe(200)
    expect(bodies().at(-1)).not.toHaveProperty('generationConfig')
  })

  it('gets its instructions from the user where the model takes no others', async () => {
    const refused = failed(400, 'INVALID_ARGUMENT', 'Developer instruction is not enabled for models/gemma-3-27b-it')
    upstream.script(json(400, refused), json(200, said([{ text: 'Hi' }])))
    const messages = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'hi' },
    ]
    const reply = await both.ask(runtime, { model: `up/gemma-3-${runtime}`, messages })
    expect(reply.status, reply.text).toBe(200)
    expect(bodies().at(-1)).not.toHaveProperty('systemInstruction')
    expect(JSON.stringify(bodies().at(-1))).toContain('Be brief.')
  })

  it('completes prompts of the legacy route, whole and streamed', async () => {
    upstream.script(json(200, said([{ text: 'a time' }])))
    const asked = { model: 'up/gemini-3-flash', prompt: 'Once upon' }
    const whole = await both.ask(runtime, asked, '/completions')
    expect(JSON.parse(whole.text)).toMatchObject({ object: 'text_completion', choices: [{ text: 'a time' }] })
    upstream.script(stream(events(said([{ text: 'a time' }]))))
    const reply = await both.ask(runtime, { ...asked, stream: true }, '/completions')
    expect(reply.text).toContain('"text":"a time"')
    expect(upstream.seen.at(-1)?.path).toContain(':streamGenerateContent')
  })

  it('counts the tokens of a response', async () => {
    upstream.script(json(200, { totalTokens: 31 }))
    const asked = { model: 'up/gemini-3-flash', input: 'hi', instructions: 'Be brief.' }
    const reply = await both.ask(runtime, asked, '/responses/input_tokens')
    expect(JSON.parse(reply.text)).toEqual({ object: 'response.input_tokens', input_tokens: 31 })
    expect(upstream.seen.at(-1)).toMatchObject({
      path: '/v1beta/models/gemini-3-flash:countTokens',
      headers: { 'x-goog-api-key': key },
    })
    expect(bodies().at(-1)).toEqual({
      generateContentRequest: {
        model: 'models/gemini-3-flash',
        systemInstruction: { parts: [{ text: 'Be brief.' }] },
        contents: [{ role: 'user', parts: [{ text: 'hi' }] }],
      },
    })
  })

  it("embeds and draws over its endpoint in OpenAI's format, with the key as that wants it", async () => {
    upstream.script(
      json(200, { object: 'list', data: [{ object: 'embedding', index: 0, embedding: [1, 2] }], model: 'e' }),
    )
    const embedded = await both.ask(runtime, { model: 'up/gemini-embedding-001', input: 'hi' }, '/embeddings')
    expect(embedded.status, embedded.text).toBe(200)
    upstream.script(json(200, { created: 1, data: [{ b64_json: 'iVBORw0KGgo=' }] }))
    const drawn = await both.ask(runtime, { model: 'up/imagen-4', prompt: 'a cat' }, '/images/generations')
    expect(drawn.status, drawn.text).toBe(200)
    expect(upstream.seen.map(({ path }) => path)).toEqual([
      '/v1beta/openai/embeddings',
      '/v1beta/openai/images/generations',
    ])
    for (const { headers } of upstream.seen) {
      expect(headers.authorization).toBe(`Bearer ${key}`)
      expect(headers).not.toHaveProperty('x-goog-api-key')
    }
  })

  it("chats over that endpoint too with api: 'openai', and puts its filtered answers right", async () => {
    const filtered = { index: 0, finish_reason: 'content_filter: PROHIBITED_CONTENT' }
    upstream.script(json(200, { ...chatAnswer(''), choices: [filtered] }))
    const reply = await both.ask(runtime, chat('compat/gemini-3-flash', { reasoning_effort: 'low' }))
    expect(reply.status, reply.text).toBe(200)
    expect(JSON.parse(reply.text).choices).toMatchObject([
      { message: { content: '' }, finish_reason: 'content_filter' },
    ])
    expect(upstream.seen[0]).toMatchObject({
      path: '/v1beta/openai/chat/completions',
      headers: { authorization: `Bearer ${key}` },
    })
    expect(bodies()[0]).toEqual(chat('gemini-3-flash', { reasoning_effort: 'low' }))
  })
})

describe('The list of Gemini', () => {
  const start = gatewayStarter()

  it('is read page by page, and tells what its models can hold', async () => {
    const entry = (name: string, methods: readonly string[], more: object = {}) => ({
      ...{ name: `models/${name}`, inputTokenLimit: 1_048_576, outputTokenLimit: 65_536 },
      supportedGenerationMethods: methods,
      ...more,
    })
    const first = entry('gemini-3-flash', ['generateContent', 'countTokens'], { thinking: true })
    const rest = [entry('gemini-embedding-001', ['embedContent']), entry('gemini-live', ['bidiGenerateContent'])]
    upstream.script((request, ...others) => {
      const page = request.path.includes('pageToken=p2') ? { models: rest } : { models: [first], nextPageToken: 'p2' }
      return json(200, page)(request, ...others)
    })
    const providers = { up: { type: 'gemini', baseURL: upstream.url, apiKey: 'env:KEY' } }
    const { baseURL } = await start({ providers }, { env: { KEY: key } })
    const { data } = (await (await fetch(`${baseURL}/models`)).json()) as { data: object[] }
    expect(upstream.seen.map(({ path }) => path)).toEqual([
      '/v1beta/models?pageSize=1000',
      '/v1beta/models?pageSize=1000&pageToken=p2',
    ])
    expect(upstream.seen[0]?.headers['x-goog-api-key']).toBe(key)
    expect(data).toMatchObject([
      {
        ...{ id: 'up/gemini-3-flash', context_length: 1_048_576, max_output_tokens: 65_536 },
        capabilities: { reasoning: true },
      },
      { id: 'up/gemini-embedding-001', architecture: { output_modalities: ['embeddings'] } },
    ])
  })
})
