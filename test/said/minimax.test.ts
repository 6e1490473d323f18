import { describe, expect, it } from 'vitest'
import huggingface from '../../providers/huggingface.ts'
import type { WireContext } from '../../src/core/wire-context.ts'
import { chat, contentOf, errorOf } from '../support/ask.ts'
import { runtimes } from '../support/both.ts'
import { loadedSpecs } from '../support/loaded-specs.ts'
import { expectStandIn, expectTold, servePair } from '../support/said.ts'
import { chatAnswer, chunk, json, stream } from '../support/upstream.ts'

const pair = servePair('said-minimax')

const failed = (code: number, said: string, more: object = {}) => ({
  id: '',
  choices: null,
  created: 0,
  model: '',
  object: '',
  usage: null,
  base_resp: { status_code: code, status_msg: said },
  ...more,
})
const event = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`

/** https://platform.minimax.io/docs/api-reference/errorcode, as a client is to be told. */
const failures: readonly [code: number, said: string, status: number, told: string | null, elsewhere: boolean][] = [
  [
    1004,
    "login fail: Please carry the API secret key in the 'Authorization' field",
    502,
    'upstream_credentials_rejected',
    true,
  ],
  [2049, 'invalid api key', 502, 'upstream_credentials_rejected', true],
  [1008, 'insufficient balance', 429, 'insufficient_quota', true],
  [2056, 'usage limit exceeded', 429, 'insufficient_quota', true],
  [2061, 'your current token plan not support model, x', 404, 'model_not_found', true],
  [1026, 'input new_sensitive', 400, 'content_policy_violation', false],
  [1027, 'output new_sensitive', 400, 'content_policy_violation', false],
  [2013, 'invalid params, context window exceeds limit', 400, 'context_length_exceeded', true],
  [2013, 'invalid params, empty field', 400, 'base_resp.2013', false],
]

/** What may pass, so that it is asked for again. */
const passing: readonly [code: number, said: string, status: number, told: string][] = [
  [1002, 'rate limit', 429, 'rate_limit_exceeded'],
  [1039, 'token limit', 429, 'rate_limit_exceeded'],
  [1000, 'unknown error', 502, 'upstream_error'],
]

describe.each(runtimes)('A failure that MiniMax reports under 200, on %s', (runtime) => {
  it.each(failures)('is one of its kind: %i, %s', async (code, said, status, told, elsewhere) => {
    expectTold(await pair.alone(runtime, json(200, failed(code, said))), status, told)
    const inStream = stream([event(failed(code, said))])
    expectTold(await pair.alone(runtime, inStream, { stream: true }), status, told)
    // As it answers a request for a stream that it doesn't begin.
    expectTold(await pair.alone(runtime, json(200, failed(code, said)), { stream: true }), status, told)
    const outcome = await pair.withFallback(runtime, json(200, failed(code, said)))
    if (elsewhere) expectStandIn(outcome)
    else expect([outcome.reply.status, outcome.asked]).toEqual([status, 1])
  })

  it.each(passing)('is asked for again where it may pass: %i, %s', async (code, said, status, told) => {
    const { reply, asked } = await pair.alone(runtime, json(200, failed(code, said)))
    expect([reply.status, errorOf(reply).code, asked]).toEqual([status, told, 3])
  })

  it('is told in its own words, also under another status', async () => {
    for (const status of [200, 400]) {
      const outcome = await pair.alone(runtime, json(status, failed(2013, 'invalid params, empty field')))
      expect(errorOf(outcome.reply).message).toBe('invalid params, empty field')
    }
  })

  // BigPizzaV3/CodexPlusPlus#267
  it('has its status in the error itself in the newer form', async () => {
    const said = { type: 'bad_request_error', message: 'invalid params, invalid chat setting (2013)', http_code: '400' }
    expectTold(await pair.alone(runtime, json(200, { type: 'error', error: said })), 400, null)
    expectTold(await pair.alone(runtime, stream([event({ type: 'error', error: said })]), { stream: true }), 400, null)
  })

  it('ends a stream that has begun with an error', async () => {
    const begun = stream([chunk({ role: 'assistant', content: 'Hel' }), event(failed(1002, 'rate limit'))])
    const { reply } = await pair.alone(runtime, begun, { stream: true })
    expect(reply.text).toContain('Hel')
    expect(reply.text).toContain('"code":"rate_limit_exceeded"')
    expect(reply.text).not.toContain('[DONE]')
  })

  it('is not what each of its good answers says, whose bytes pass', async () => {
    const fine = { status_code: 0, status_msg: '' }
    const answer = { ...chatAnswer('fine'), input_sensitive: false, base_resp: fine }
    const { reply } = await pair.alone(runtime, json(200, answer))
    expect([reply.status, contentOf(reply.text)]).toEqual([200, 'fine'])
    expect(JSON.parse(reply.text).base_resp).toEqual(fine)
    const last = { ...JSON.parse(chunk({}, 'stop').slice(6)), base_resp: fine }
    pair.upstream.script(stream([chunk({ role: 'assistant', content: 'fine' }), event(last), 'data: [DONE]\n\n']))
    const streamed = await pair.ask(runtime, chat(`p/fine-${runtime}`, { stream: true }))
    expect(streamed.text).toContain('fine')
    expect(streamed.text).not.toContain('"error"')
    expect(streamed.text).toContain('[DONE]')
  })
})

it('Such a failure is left as it is where a provider’s streams are put right first', async () => {
  const settings = { baseURL: '', headers: {}, options: { endpointUrl: 'https://host.test', engine: 'tgi' } }
  const { chat: served } = await loadedSpecs(huggingface, settings)
  const stage = served?.stream?.({} as WireContext)
  const passed: string[] = []
  stage?.chunk(new TextEncoder().encode(event(failed(1002, 'rate limit'))), (bytes) =>
    passed.push(new TextDecoder().decode(bytes)),
  )
  expect(passed).toEqual([event(failed(1002, 'rate limit'))])
})
