import { beforeEach, describe, expect, it } from 'vitest'
import { chat, errorOf, eventsOf } from '../support/ask.ts'
import { runtimes } from '../support/both.ts'
import { events, failed, piece, said, serveGemini } from '../support/gemini.ts'
import { chatAnswer, json, type Script, stream } from '../support/upstream.ts'

const { upstream, both } = serveGemini('gemini-failures')
const bodies = () => upstream.seen.map(({ body }) => JSON.parse(body) as Record<string, unknown>)

beforeEach(() => {
  upstream.seen.length = 0
})

describe.each(runtimes)('What Gemini refuses or breaks off, on %s,', (runtime) => {
  const ask = (script: Script, more: object = {}, model = 'up/gemini-3-flash') => {
    upstream.script(script)
    return both.ask(runtime, chat(model, more))
  }

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

  it('never passes off a call whose arguments are still to come as whole', async () => {
    const begun = { functionCall: { name: 'weather', willContinue: true } }
    const reply = await ask(stream(events(piece(begun), said([]))), { stream: true })
    expect([reply.status, errorOf(reply).code]).toEqual([502, 'upstream_invalid_response'])
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

  it("of the request has a type that OpenAI's clients know", async () => {
    const reply = await ask(json(400, failed(400, 'INVALID_ARGUMENT', 'Penalty is out of range.')))
    expect([reply.status, errorOf(reply)]).toEqual([
      400,
      { message: 'Penalty is out of range.', type: 'invalid_request_error', param: null, code: null },
    ])
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

  it('says that a model that never thinks was not told to', async () => {
    upstream.script(json(200, said([{ text: 'Hi' }])))
    const reply = await both.ask(runtime, chat('up/gemini-2.0-flash', { reasoning_effort: 'high' }))
    expect([reply.status, reply.headers.get('x-samewire-dropped')]).toEqual([200, 'reasoning_effort'])
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
})
