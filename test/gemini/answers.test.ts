import { beforeEach, describe, expect, it } from 'vitest'
import { detailsInSignature } from '../../src/dialects/gemini/thoughts.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { chatSaying, usageChunk } from '../support/response-events.ts'
import { chunk, json, stream } from '../support/upstream.ts'

const { upstream, both } = serveBoth('gemini-answers', (url) => ({
  providers: {
    up: { type: 'openai-compatible', baseURL: url },
    demo: { type: 'embedded' },
  },
  models: { two: { deployments: ['up/one'], fallbacks: ['up/two'] } },
  retries: 0,
  cooldown: false,
}))

type Json = Record<string, unknown>
interface Content {
  readonly role?: string
  readonly parts: readonly Json[]
}
interface Candidate extends Json {
  readonly content: Content
}
interface Generated extends Json {
  readonly candidates: readonly Candidate[]
}

const usage = {
  ...{ prompt_tokens: 10, completion_tokens: 7, total_tokens: 17 },
  prompt_tokens_details: { cached_tokens: 4 },
  completion_tokens_details: { reasoning_tokens: 2 },
}
const usageMetadata = {
  ...{ promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 17 },
  ...{ thoughtsTokenCount: 2, cachedContentTokenCount: 4 },
}
const hi = { role: 'user', parts: [{ text: 'hi' }] }
const thinking = { generationConfig: { thinkingConfig: { includeThoughts: true } } }
const call = (id: string, args: string, more: object = {}) => ({
  ...{ index: 0, id, type: 'function', function: { name: 'f', arguments: args } },
  ...more,
})
const done = 'data: [DONE]\n\n'

function chunksOf(text: string): Generated[] {
  return text
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => {
      expect(event.startsWith('data: ')).toBe(true)
      return JSON.parse(event.slice(6)) as Generated
    })
}

/** A stream without the line behind its events that tells the error of a broken one again. */
const eventsIn = (text: string) => text.replace(/(?<=\n\n)\{"error":.*\n\n$/, '')

/** The parts of a stream with texts that go on joined. */
function joined(chunks: readonly Generated[]): Json[] {
  const parts: Json[] = []
  for (const part of chunks.flatMap(({ candidates }) => candidates[0]?.content.parts ?? [])) {
    const last = parts.at(-1)
    const isText = (one?: Json) => typeof one?.text === 'string' && one.thoughtSignature === undefined
    if (last && isText(last) && isText(part) && last.thought === part.thought) last.text = `${last.text}${part.text}`
    else parts.push({ ...part })
  }
  return parts
}

describe.each(runtimes)('On %s, the answer to a request for content', (runtime) => {
  beforeEach(() => {
    upstream.seen.length = 0
  })

  const ask = (body: object, method: string, model = 'up/m') =>
    both.ask(runtime, { contents: [hi], ...body }, `/v1beta/models/${model}:${method}`)

  async function wholeFor(message: object, finish = 'stop', body: object = {}, model = 'up/m'): Promise<Generated> {
    upstream.script(json(200, chatSaying(message, finish, { usage })))
    const reply = await ask(body, 'generateContent', model)
    expect({ status: reply.status, text: reply.text }).toMatchObject({ status: 200 })
    return JSON.parse(reply.text) as Generated
  }

  async function chunksFor(deltas: readonly object[], finish = 'stop', body: object = {}, model = 'up/m') {
    upstream.script(stream([...deltas.map((delta) => chunk(delta)), chunk({}, finish), usageChunk(usage), done]))
    const reply = await ask(body, 'streamGenerateContent?alt=sse', model)
    expect([reply.status, reply.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8'])
    return chunksOf(reply.text)
  }

  it('is one candidate with its usage', async () => {
    expect(await wholeFor({ content: 'Hello!' })).toEqual({
      candidates: [{ content: { parts: [{ text: 'Hello!' }], role: 'model' }, finishReason: 'STOP', index: 0 }],
      ...{ usageMetadata, modelVersion: 'fake-model', responseId: expect.stringMatching(/^\w{24}$/) },
    })
  })

  it('comes in chunks, the last with its end and its usage', async () => {
    const chunks = await chunksFor([{ role: 'assistant', content: '' }, { content: 'Hel' }, { content: '"深い"\n' }])
    const head = { modelVersion: 'fake-model', responseId: chunks[0]?.responseId }
    const said = (text: string) => ({
      candidates: [{ content: { parts: [{ text }], role: 'model' }, index: 0 }],
      ...head,
    })
    expect(chunks).toEqual([
      said('Hel'),
      said('"深い"\n'),
      {
        candidates: [{ content: { parts: [], role: 'model' }, finishReason: 'STOP', index: 0 }],
        usageMetadata,
        ...head,
      },
    ])
  })

  it('is a list of the same chunks without alt=sse', async () => {
    upstream.script(stream([chunk({ content: 'Hel' }), chunk({ content: 'lo' }), chunk({}, 'stop'), done]))
    const reply = await ask({}, 'streamGenerateContent')
    expect(reply.headers.get('content-type')).toBe('application/json; charset=UTF-8')
    const chunks = JSON.parse(reply.text) as Generated[]
    expect([chunks.length, joined(chunks)]).toEqual([3, [{ text: 'Hello' }]])
  })

  it('has thoughts for those who want them', async () => {
    const message = { reasoning_content: 'Hm.', content: 'Yes.' }
    const said = { text: 'Yes.' }
    const whole = await wholeFor(message, 'stop', thinking)
    expect(whole.candidates[0]?.content.parts).toEqual([{ text: 'Hm.', thought: true }, said])
    expect((await wholeFor(message)).candidates[0]?.content.parts).toEqual([said])
    const deltas = [{ reasoning_content: 'H' }, { reasoning_content: 'm.' }, { content: 'Ye' }, { content: 's.' }]
    expect(joined(await chunksFor(deltas, 'stop', thinking))).toEqual([{ text: 'Hm.', thought: true }, said])
    expect(joined(await chunksFor(deltas))).toEqual([said])
  })

  it("has the client's names of functions, of which OpenAI takes only others", async () => {
    const long = `${'x'.repeat(63)}.read`
    const names = ['files.read', 'files:read', 'files_read', 'read-all', long]
    const made = ['files_read_feef3122', 'files_read_f5932476', 'files_read', 'read-all', `${'x'.repeat(55)}_5a363337`]
    const body = {
      contents: [
        hi,
        { role: 'model', parts: [{ functionCall: { name: 'files.read', args: {} } }] },
        { role: 'user', parts: [{ functionResponse: { name: 'files.read', response: { output: 'r' } } }] },
      ],
      tools: [{ functionDeclarations: names.map((name) => ({ name })) }],
    }
    const called = (name = '') => [{ ...call('call_1', '{}'), function: { name, arguments: '{}' } }]
    const sent = () => JSON.parse(upstream.seen.at(-1)?.body ?? '')
    for (const [at, name] of names.entries()) {
      const message = { content: null, tool_calls: called(made[at]) }
      const whole = await wholeFor(message, 'tool_calls', body)
      const parts = [{ functionCall: { id: 'call_1', name, args: {} } }]
      expect(whole.candidates[0]?.content.parts).toEqual(parts)
      expect(joined(await chunksFor([{ tool_calls: called(made[at]) }], 'tool_calls', body))).toEqual(parts)
      expect(sent()).toMatchObject({
        tools: made.map((legal) => ({ function: { name: legal } })),
        messages: [{}, { tool_calls: [{ function: { name: made[0] } }] }, { role: 'tool' }],
      })
    }
    const toolConfig = { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['files.read'] } }
    const forced = { content: null, tool_calls: called(made[0]) }
    const whole = await wholeFor(forced, 'tool_calls', { ...body, toolConfig })
    expect(whole.candidates[0]?.content.parts).toMatchObject([{ functionCall: { name: 'files.read' } }])
    expect(sent().tool_choice).toEqual({ type: 'function', function: { name: made[0] } })
  })

  it('has whole calls, streamed or not', async () => {
    const functionCall = { id: 'call_1', name: 'f', args: { x: [1] } }
    const whole = await wholeFor({ content: null, tool_calls: [call('call_1', '{"x":[1]}')] }, 'tool_calls')
    expect(whole.candidates[0]).toMatchObject({ content: { parts: [{ functionCall }] }, finishReason: 'STOP' })
    const pieces = [call('call_1', '{"x"'), { index: 0, function: { arguments: ':[1]}' } }]
    const chunks = await chunksFor(
      pieces.map((piece) => ({ tool_calls: [piece] })),
      'tool_calls',
    )
    expect(chunks.length).toBe(1)
    expect(chunks[0]?.candidates[0]).toEqual(whole.candidates[0])
  })

  it('has each call as soon as the next one begins, if it has its arguments', async () => {
    const piece = (index: number, more: object) => ({ tool_calls: [{ index, ...more }] })
    const begun = (index: number, args = '') => piece(index, call(`call_${index}`, args, { index }))
    const more = (index: number, args: string) => piece(index, { function: { arguments: args } })
    const part = (index: number, args: object) => ({ functionCall: { id: `call_${index}`, name: 'f', args } })
    const partsOf = async (...deltas: object[]) =>
      (await chunksFor(deltas, 'tool_calls')).map(({ candidates }) => candidates[0]?.content.parts)
    expect(await partsOf(begun(0), more(0, '{"x"'), more(0, ':1}'), begun(1, '{}'), begun(2, '{"x":3}'))).toEqual([
      [part(0, { x: 1 })],
      [part(1, {})],
      [part(2, { x: 3 })],
    ])
    const last = [part(0, { x: 1 }), part(1, { x: 2 })]
    expect(await partsOf(begun(0), begun(1), more(0, '{"x":1}'), more(1, '{"x":2}'))).toEqual([last])
    expect(await partsOf(begun(0), begun(1, '{"x":2}'))).toEqual([[part(0, {}), part(1, { x: 2 })]])
  })

  it('carries what comes only behind a call that was told', async () => {
    const detail = (index: number, more: object) => ({
      reasoning_details: [{ type: 'reasoning.encrypted', data: `data ${index}`, index, ...more }],
    })
    const calls = [0, 1].map((index) => ({ tool_calls: [call(`call_${index}`, '{}', { index })] }))
    const sealedIn = (chunks: readonly Generated[]) =>
      joined(chunks).map(({ thoughtSignature }) =>
        thoughtSignature === undefined
          ? undefined
          : detailsInSignature(String(thoughtSignature)).map(({ data }) => data ?? null),
      )
    const claude = { format: 'anthropic-claude-v1' }
    const between = [detail(0, claude), ...calls.slice(0, 1), detail(1, claude), ...calls.slice(1), detail(2, claude)]
    expect(sealedIn(await chunksFor(between, 'tool_calls'))).toEqual([['data 0', 'data 1'], ['data 2']])
    const own = [0, 1].map((index) => detail(index, { format: 'google-gemini-v1', id: `call_${index}` }))
    const chunks = await chunksFor([...calls, ...own], 'tool_calls')
    expect(joined(chunks).map(({ thoughtSignature }) => thoughtSignature)).toEqual([
      undefined,
      'data 1',
      expect.anything(),
    ])
    expect(sealedIn(chunks).at(-1)).toEqual(['data 0'])
  })

  it.each([
    ['length', { content: 'Hel' }, 'MAX_TOKENS'],
    ['content_filter', { content: 'Hel' }, 'SAFETY'],
    ['stop', { content: null, refusal: 'No.' }, 'SAFETY'],
  ])('that ends with %s says so', async (finish, said, reason) => {
    expect((await wholeFor(said, finish)).candidates[0]?.finishReason).toBe(reason)
    expect((await chunksFor([said], finish)).at(-1)?.candidates[0]?.finishReason).toBe(reason)
  })

  it('has log probabilities', async () => {
    const token = (text: string, logprob: number) => ({ token: text, logprob, bytes: null })
    const content = [{ ...token('a', -1), top_logprobs: [token('a', -1), token('b', -2)] }]
    const answer = chatSaying({ content: 'a' })
    const [choice] = answer.choices as Json[]
    upstream.script(json(200, { ...answer, choices: [{ ...choice, logprobs: { content } }] }))
    const reply = await ask({ generationConfig: { responseLogprobs: true, logprobs: 2 } }, 'generateContent')
    expect(JSON.parse(upstream.seen.at(-1)?.body ?? '')).toMatchObject({ logprobs: true, top_logprobs: 2 })
    expect((JSON.parse(reply.text) as Generated).candidates[0]).toMatchObject({
      avgLogprobs: -1,
      logprobsResult: {
        chosenCandidates: [{ token: 'a', logProbability: -1 }],
        topCandidates: [
          {
            candidates: [
              { token: 'a', logProbability: -1 },
              { token: 'b', logProbability: -2 },
            ],
          },
        ],
      },
    })
  })

  it('carries what another model must get back with its calls, as base64', async () => {
    const extra_content = { google: { thought_signature: 'c2ln' } }
    const message = { content: null, tool_calls: [call('call_1', '{}', { extra_content })] }
    const { candidates } = await wholeFor(message, 'tool_calls')
    const content = candidates[0]?.content as Content
    const signature = String(content.parts[0]?.thoughtSignature)
    expect(signature).toMatch(/^[A-Za-z0-9+/]+=*$/)
    expect(detailsInSignature(signature)).toHaveLength(1)
    const result = { functionResponse: { id: 'call_1', name: 'f', response: { output: 'ok' } } }
    const urlSafe = signature.replaceAll('+', '-').replaceAll('/', '_')
    for (const sent of [signature, urlSafe]) {
      const model = { role: 'model', parts: [{ ...content.parts[0], thoughtSignature: sent }] }
      await wholeFor({ content: 'ok' }, 'stop', { contents: [hi, model, { role: 'user', parts: [result] }] })
      const { messages } = JSON.parse(upstream.seen.at(-1)?.body ?? '') as { messages: Json[] }
      expect(messages[1]?.tool_calls).toMatchObject([{ id: 'call_1', extra_content }])
    }
  })

  it('is an error inside the stream where that breaks off, also in a list', async () => {
    upstream.script(stream([chunk({ content: 'Hel' })], 'reset'))
    const reply = await ask({}, 'streamGenerateContent?alt=sse')
    const last = chunksOf(eventsIn(reply.text)).at(-1)
    expect(last).toEqual({ error: { code: 502, message: expect.any(String), status: 'UNAVAILABLE' } })
    const listed = JSON.parse((await ask({}, 'streamGenerateContent')).text) as Generated[]
    expect([joined(listed.filter(({ candidates }) => candidates)), listed.at(-1)]).toEqual([
      [{ text: 'Hel' }],
      { error: expect.objectContaining({ status: 'UNAVAILABLE' }) },
    ])
  })

  it.each([
    [429, { error: { message: 'Slow down', code: 'rate_limit_exceeded' } }, 429, 'RESOURCE_EXHAUSTED'],
    [503, { error: { message: 'Overloaded' } }, 503, 'UNAVAILABLE'],
    [400, { error: { message: 'What?' } }, 400, 'INVALID_ARGUMENT'],
    [401, { error: { message: 'Who?' } }, 502, 'UNAVAILABLE'],
  ])('is in the words of Google for a %i', async (status, body, told, words) => {
    upstream.script(json(status, body, { 'retry-after': '7' }))
    for (const method of ['generateContent', 'streamGenerateContent', 'streamGenerateContent?alt=sse']) {
      const reply = await ask({}, method)
      const { error } = JSON.parse(reply.text) as { error: Json }
      expect([reply.status, error.code, error.status]).toEqual([told, told, words])
      if (status === 429) {
        const info = { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '7s' }
        expect(error.details).toEqual([info])
      }
    }
  })

  it('names the field of the request where a server refuses what that is in a chat', async () => {
    const message = "Unsupported parameter: 'stop' is not supported with this model."
    upstream.script(json(400, { error: { message, param: 'stop', code: 'unsupported_parameter' } }))
    const reply = await ask({ generationConfig: { stopSequences: ['x'] } }, 'generateContent')
    const { error } = JSON.parse(reply.text) as { error: Json }
    expect(error.message).toBe(
      "Unsupported parameter: 'generationConfig.stopSequences' is not supported with this model.",
    )
  })

  it('is that of another model if the first one fails', async () => {
    upstream.script(json(500, {}), json(200, chatSaying({ content: 'Hi' })))
    expect(JSON.parse((await ask({}, 'generateContent', 'two')).text)).toMatchObject({
      candidates: [{ content: { parts: [{ text: 'Hi' }] } }],
    })
  })

  it('says of a model that there is none', async () => {
    const reply = await ask({}, 'generateContent', 'nobody/has-it')
    expect([reply.status, JSON.parse(reply.text)]).toMatchObject([
      404,
      {
        error: {
          code: 404,
          status: 'NOT_FOUND',
          message: expect.stringContaining('models/nobody/has-it is not found'),
        },
      },
    ])
  })

  it('comes from the embedded model too', async () => {
    const generationConfig = { maxOutputTokens: 8, temperature: 0 }
    const whole = JSON.parse((await ask({ generationConfig }, 'generateContent', 'demo/tiny-chat')).text) as Generated
    const streamed = chunksOf((await ask({ generationConfig }, 'streamGenerateContent?alt=sse', 'demo/tiny-chat')).text)
    expect(joined(streamed)).toEqual(whole.candidates[0]?.content.parts)
  })
})
