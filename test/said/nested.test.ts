import { describe, expect, it } from 'vitest'
import { readSaid } from '../../src/core/said.ts'
import { errorOf } from '../support/ask.ts'
import { runtimes } from '../support/both.ts'
import { cpuFor } from '../support/cpu.ts'
import { expectStandIn, expectTold, inStream, servePair } from '../support/said.ts'
import { json } from '../support/upstream.ts'

const pair = servePair('said-nested')

/** As OpenRouter passes on what its provider said. */
const routed = (raw: unknown, code = 400) => ({
  error: { message: 'Provider returned error', code, metadata: { raw, provider_name: 'Crucible', is_byok: false } },
  user_id: 'user_x',
})

const tooLong = "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens."
const spent = { error: { message: 'You ran out.', type: 'insufficient_quota', code: 'insufficient_quota' } }

describe.each(runtimes)('“Provider returned error”, on %s', (runtime) => {
  it.each([
    // diegosouzapw/OmniRoute#3044
    ['JSON in a text', JSON.stringify({ error: { code: 'x', message: 'At most 1 image per prompt.' } })],
    // reVrost/go-openrouter#21
    ['indented JSON', JSON.stringify({ error: { message: 'At most 1 image per prompt.', param: 'input' } }, null, 2)],
    ['a text', 'At most 1 image per prompt.'],
    ['an object', { error: { message: 'At most 1 image per prompt.' } }],
    // Kilo-Org/kilocode#3566
    ['JSON with a detail', JSON.stringify({ detail: 'At most 1 image per prompt.' })],
    ['a Python dict', "Error code: 400 - {'error': {'message': 'At most 1 image per prompt.', 'param': None}}"],
    ['JSON in JSON', JSON.stringify(routed(JSON.stringify({ message: 'At most 1 image per prompt.' })))],
  ])('tells the provider’s own reason: %s', async (_how, raw) => {
    const { reply } = await pair.alone(runtime, json(400, routed(raw)))
    expect([reply.status, errorOf(reply).message]).toEqual([400, 'At most 1 image per prompt.'])
  })

  it('is of the kind that the provider’s reason is of', async () => {
    const long = json(400, routed(JSON.stringify({ error: { message: tooLong } })))
    expect(expectTold(await pair.alone(runtime, long), 400, 'context_length_exceeded').message).toBe(tooLong)
    expectStandIn(await pair.withFallback(runtime, long))
    const poor = json(400, routed(JSON.stringify(spent)))
    expectTold(await pair.alone(runtime, poor), 429, 'insufficient_quota')
    const missing = json(502, routed('nope/x is not a valid model ID', 502))
    expectStandIn(await pair.withFallback(runtime, missing))
  })

  it('is read behind the words that another router adds', async () => {
    // anomalyco/opencode#24462
    const raw = JSON.stringify({
      error: { message: 'Your account is suspended due to insufficient balance', type: 'exceeded_current_quota_error' },
    })
    const told = { error: { ...routed(raw, 429).error, message: 'Error from provider: Provider returned error' } }
    const { message } = expectTold(await pair.alone(runtime, json(429, told)), 429, 'insufficient_quota')
    expect(message).toContain('suspended')
  })

  it('may come flat, without an error around it', async () => {
    // NousResearch/hermes-agent#94199
    const flat = json(400, routed(tooLong).error)
    expectTold(await pair.alone(runtime, flat), 400, 'context_length_exceeded')
  })

  it('is read in a stream too', async () => {
    const told = inStream(routed(JSON.stringify({ error: { message: tooLong } })).error)
    expectTold(await pair.alone(runtime, told, { stream: true }), 400, 'context_length_exceeded')
  })

  it('says so itself where the provider’s reason is empty or a web page', async () => {
    for (const raw of ['', '<html>Bad gateway</html>', null, {}]) {
      const { reply } = await pair.alone(runtime, json(400, routed(raw)))
      expect(errorOf(reply).message).toBe('Provider returned error')
    }
  })

  it('stays a failure that may pass where the reason is one', async () => {
    // open-webui/computer#293
    const busy = routed('z-ai/glm is temporarily rate-limited upstream. Please retry shortly.', 429)
    const { reply, asked } = await pair.alone(runtime, json(429, busy))
    expect([reply.status, asked]).toEqual([429, 3])
    expect(errorOf(reply).message).toContain('temporarily rate-limited')
  })
})

describe('What an error body says', () => {
  it.each<[string, unknown, object]>([
    [
      'an envelope',
      { error: { message: 'm', type: 't', code: 'c', param: 'p' } },
      { message: 'm', type: 't', code: 'c', param: 'p' },
    ],
    [
      'the top level',
      { object: 'error', message: 'm', type: 't', code: 404 },
      { message: 'm', type: 't', status: 404 },
    ],
    ['an error that is a text', { error: 'm', error_type: 'validation' }, { message: 'm', type: 'validation' }],
    [
      'a list',
      [{ error: { message: 'm', code: 429, status: 'RESOURCE_EXHAUSTED' } }],
      { message: 'm', type: 'RESOURCE_EXHAUSTED', status: 429 },
    ],
    ['a list of texts', { errors: ['one', 'two'] }, { message: 'one; two' }],
    [
      'FastAPI’s list',
      { detail: [{ loc: ['body', 'messages', 0], msg: 'm', type: 'missing' }] },
      { message: 'messages.0: m', param: 'messages.0' },
    ],
    ['NestJS', { statusCode: 400, error: 'Bad Request', message: 'm' }, { message: 'm', status: 400 }],
    [
      'RFC 9457',
      { type: 'about:blank', title: 'Not Found', status: 404, detail: 'm' },
      { message: 'm', type: 'about:blank', status: 404 },
    ],
    [
      'Mistral',
      {
        object: 'error',
        message: { detail: [{ type: 'missing', loc: ['body', 'messages'], msg: 'm', input: {} }] },
        type: 'invalid_request_error',
      },
      { message: 'messages: m', type: 'invalid_request_error', param: 'messages' },
    ],
    // writer/writer-framework#1013
    ['Writer', { tpe: 'fail.input', errors: [{ description: 'm', key: 'k', extras: null }] }, { message: 'm' }],
    [
      'LiteLLM’s Nones',
      { error: { message: 'm', type: 'None', param: 'None', code: '400' } },
      { message: 'm', code: '400', status: 400 },
    ],
    [
      'Python with quotes of both kinds',
      { error: `Error code: 422 - {'error': {'message': "it's \\"m\\"", 'x': 'a\\'b\\n', 'y': True}}` },
      { message: 'it\'s "m"', status: 422 },
    ],
    [
      'JSON behind the name of an exception',
      'OpenAIException - {"error":{"message":"m","code":"c"}} Received Model Group=x',
      { message: 'm', code: 'c' },
    ],
    ['a text with braces of its own', 'Use {"role": "user"} or {x}', { message: 'Use {"role": "user"} or {x}' }],
    ['nothing known', { ok: false }, { message: '' }],
  ])('is read from %s', (_shape, body, said) => {
    expect(readSaid(typeof body === 'string' ? body : JSON.stringify(body))).toEqual(said)
  })

  it('is read in a bounded time, however deep or odd it is', async () => {
    let deep: unknown = { message: 'bottom' }
    for (let level = 0; level < 200; level++) deep = { error: deep }
    expect(readSaid(JSON.stringify(deep)).message).toBe('')
    expect(readSaid('['.repeat(30_000)).message).not.toBe('')
    for (const odd of ["'", "\\'", '{', '"\\', "{'a':"]) {
      const took = await cpuFor(() => {
        readSaid(`Error code: 400 - {'error': ${odd.repeat(30_000)}}`)
        readSaid(`Error code: 400 - {'error': ${odd.repeat(1500)}}`)
      })
      expect(took).toBeLessThan(1000)
    }
  })
})
