import { describe, expect, it } from 'vitest'
import { errorOf, noLists, open, seeded, until } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { awkward, cutAt, finishStart, firstContentEnd, framesOf, ways } from '../support/continuing.ts'
import { gatewayStarter, ManualClock, serveUpstreams } from '../support/gateway.ts'
import { asking, deltasOf, type Event, lastOf, readEvents } from '../support/response-events.ts'
import { chatFrames, chunk, json, reset, type Script, silence, stream } from '../support/upstream.ts'

const { upstream, both } = serveBoth('responses-failures', (url) => ({
  providers: { up: { type: 'openai-compatible', baseURL: url } },
  cooldown: false,
  retries: 0,
}))

const [start, ...rest] = chatFrames('Hel', 'lo')
const begun = [start ?? '', ...rest.slice(0, 2)]
const failing = (error: object) => `data: ${JSON.stringify({ error })}\n\n`
const refusing = (status: number, error: object) => json(status, { error: { type: 'invalid_request_error', ...error } })
const calling = chunk({
  tool_calls: [{ index: 0, id: 'call_a', type: 'function', function: { name: 'f', arguments: '{"x":' } }],
})

describe.each(runtimes)('On %s, a response whose upstream fails', (runtime) => {
  const ask = (more: object = {}) => both.ask(runtime, asking('up/m', 'hi', more), '/responses')

  async function errorFor(script: Script, more: object = {}) {
    upstream.script(script)
    const reply = await ask(more)
    return { status: reply.status, ...errorOf(reply) }
  }

  async function failedAfter(script: Script): Promise<Event[]> {
    upstream.script(script)
    const reply = await ask({ stream: true })
    expect(reply.status).toBe(200)
    const events = readEvents(reply.text)
    expect(lastOf(events)).toMatchObject({ status: 'failed', incomplete_details: null, completed_at: null })
    return events
  }

  it.each([
    ['before its stream', refusing(429, { message: 'Slow down.', code: 'rate_limit_exceeded' }), 429],
    ['at the start of its stream', stream([failing({ message: 'Out of memory.' })]), 502],
    ['with an end at once', stream([]), 502],
    ['with a break at once', reset, 502],
  ])('%s has the status of the failure', async (_when, script, status) => {
    const error = await errorFor(script, { stream: true })
    expect(error.status).toBe(status)
  })

  it.each([
    ['a cut', stream(begun, 'reset')],
    ['an early end', stream(begun)],
    ['an early `[DONE]`', stream([...begun, 'data: [DONE]\n\n'])],
    ['half an event', stream([...begun, 'data: {"choices":[{"index":0,"del'], 'reset')],
    ['garbage', stream([...begun, 'data: <html>\n\n'])],
  ])('in the middle by %s is told as failed, with what had come', async (_how, script) => {
    const events = await failedAfter(script)
    expect(deltasOf(events, 'output_text.delta')).toMatch(/^Hel(lo)?$/)
    expect(events.map(({ type }) => type)).not.toContain('response.output_item.done')
    expect(lastOf(events)).toMatchObject({
      error: { code: 'server_error', message: expect.stringMatching(/./) },
      output: [{ type: 'message', status: 'incomplete', content: [{ text: deltasOf(events, 'output_text.delta') }] }],
    })
  })

  it('at any byte is told as completed only with all of it', async () => {
    const random = seeded(5)
    const whole = framesOf({ messages: [], stream_options: { include_usage: true } }, { text: awkward })
    const [first, finish] = [firstContentEnd(whole), finishStart(whole)]
    for (let i = 0; i < 40; i++) {
      const at = first + Math.floor(random() * (Buffer.byteLength(whole) - first))
      upstream.script(cutAt(whole, at, ways[i % ways.length] ?? 'close'))
      const events = readEvents((await ask({ stream: true })).text)
      const text = deltasOf(events, 'output_text.delta')
      const { status, output } = lastOf(events)
      expect({ at, whole: awkward.startsWith(text) }).toEqual({ at, whole: true })
      expect(output).toMatchObject([{ content: [{ text }] }])
      if (at <= finish) expect({ at, status }).toEqual({ at, status: 'failed' })
      if (status === 'completed') expect(text).toBe(awkward)
    }
  })

  it('amid a call is told with the call so far', async () => {
    const events = await failedAfter(stream([calling], 'reset'))
    expect(lastOf(events).output).toMatchObject([
      { type: 'function_call', call_id: 'call_a', status: 'incomplete', arguments: '{"x":' },
    ])
  })

  it.each([
    ['context_length_exceeded', { code: 'context_length_exceeded', message: 'Too long.' }, 'context_length_exceeded'],
    ['insufficient_quota', { code: 'insufficient_quota', message: 'You exceeded your quota.' }, 'insufficient_quota'],
    ['rate_limit_exceeded', { code: 'rate_limit_exceeded', message: 'Slow down.' }, 'rate_limit_exceeded'],
    ['a refusal', { code: 'odd_seed', type: 'invalid_request_error', message: 'The seed is odd.' }, 'invalid_prompt'],
    ['another code', { code: 'gpu_fell_off', message: 'The GPU fell off.' }, 'server_error'],
  ])('in the middle with %s says so, since Codex acts on the code', async (_which, error, code) => {
    const events = await failedAfter(stream([...begun, failing(error)]))
    expect(lastOf(events).error).toEqual({ code, message: expect.stringContaining(error.message) })
  })

  it.each([
    ['messages[2].content', 'input', 'Invalid value for `input`.', 'Invalid value for `messages[2].content`.'],
    ['max_tokens', 'max_output_tokens', 'max_output_tokens is too large.', 'max_tokens is too large.'],
    ['max_completion_tokens', 'max_output_tokens', "Invalid 'max_output_tokens'.", "Invalid 'max_completion_tokens'."],
    ['response_format', 'text.format', "Invalid schema for 'text.format'.", "Invalid schema for 'response_format'."],
    ['tools[1].function.name', 'tools', "Invalid 'tools'.", "Invalid 'tools[1].function.name'."],
    ['temperature', 'temperature', "Invalid 'temperature'.", "Invalid 'temperature'."],
  ])('since it can’t take %s is told about %s', async (param, own, message, said) => {
    const error = await errorFor(refusing(400, { message: said, param, code: 'invalid_value' }))
    expect(error).toMatchObject({ status: 400, param: own, message, code: 'invalid_value' })
  })

  it('since the input is too long is told by the code on which agents shorten it', async () => {
    const message =
      "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens."
    const error = await errorFor(refusing(400, { message, param: 'messages', code: 'context_length_exceeded' }))
    expect(error).toMatchObject({ status: 400, code: 'context_length_exceeded', param: 'input', message })
  })

  it('with an answer that is none is told so', async () => {
    expect(await errorFor(json(200, { hello: 'world' }))).toMatchObject({
      status: 502,
      code: 'upstream_invalid_response',
    })
  })
})

describe('A stream of a response that had to open early', () => {
  const gateways = gatewayStarter()
  const { up, other } = serveUpstreams({ up: silence, other: stream(chatFrames('Hello')) })
  const instructions = 'Be brief. '.repeat(3000)

  const tooLong = (clock: ManualClock): unknown => clock.advance(20_000)

  /** `meanwhile`: what happens once the stream is open. */
  async function waiting(fallbacks: readonly string[], { first = 'up', meanwhile = tooLong } = {}) {
    const clock = new ManualClock()
    const type = 'openai-compatible'
    const gateway = await gateways(
      {
        providers: {
          up: { type, baseURL: up.url },
          native: { type: 'openai', baseURL: up.url, apiKey: 'env:KEY' },
          other: { type, baseURL: other.url },
        },
        models: { m: { deployments: [`${first}/m`], fallbacks: [...fallbacks] } },
        streamTimeout: 30,
        retries: 0,
      },
      { clock, services: noLists, env: { KEY: 'sk-up' } },
    )
    const reply = open(gateway, asking('m', 'hi', { stream: true, instructions }), { path: '/responses' })
    await until(() => up.seen.length === 1)
    await clock.advance(10_000)
    const response = await reply
    expect(response.status).toBe(200)
    await meanwhile(clock)
    return await response.text()
  }

  it('fails as one that has been created', async () => {
    const text = await waiting([])
    expect(text.startsWith(': keep-alive\n\n')).toBe(true)
    const events = readEvents(text.replace(/^: .*\n\n/gm, ''))
    const error = { code: 'server_error' }
    expect(lastOf(events)).toMatchObject({ status: 'failed', error, output: [], instructions })
  })

  it.each(['up', 'native'])('names itself, and says what not to try again: %s', async (first) => {
    const refused = Promise.withResolvers<void>()
    up.script(async (...exchange) => {
      await refused.promise
      refusing(400, { message: 'The seed is odd.' })(...exchange)
    })
    const text = await waiting([], { first, meanwhile: () => refused.resolve() })
    const failed = lastOf(readEvents(text.replace(/^: .*\n\n/gm, '')))
    expect(failed.error).toEqual({ code: 'invalid_prompt', message: 'The seed is odd.' })
    expect(failed.id).toMatch(/^resp_\w{48}$/)
    expect(failed.created_at).toBeGreaterThan(1_600_000_000)
  })

  it('goes on with another deployment', async () => {
    const events = readEvents((await waiting(['other/m'])).replace(/^: .*\n\n/gm, ''))
    expect(deltasOf(events, 'output_text.delta')).toBe('Hello')
    expect(lastOf(events).status).toBe('completed')
  })
})

describe('A response whose upstream is silent in the middle', () => {
  const gateways = gatewayStarter()
  const { up } = serveUpstreams({ up: stream(begun, 'silence') })

  it('fails when its time is over', async () => {
    const clock = new ManualClock()
    const config = { providers: { up: { type: 'openai-compatible', baseURL: up.url } }, idleTimeout: 30 }
    const gateway = await gateways(config, { clock, services: noLists, env: { KEY: 'sk-up' } })
    const response = await open(gateway, asking('up/m', 'hi', { stream: true }), { path: '/responses' })
    await clock.advance(60_000)
    const events = readEvents((await response.text()).replace(/^: .*\n\n/gm, ''))
    expect(lastOf(events)).toMatchObject({ status: 'failed', output: [{ content: [{ text: 'Hello' }] }] })
  })
})
