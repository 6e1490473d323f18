import { describe, expect, it } from 'vitest'
import { chat, contentOf } from '../support/ask.ts'
import { runtimes } from '../support/both.ts'
import { expectStandIn, expectTold, inStream, servePair } from '../support/said.ts'
import { chatAnswer, chunk, json, type Script, stream } from '../support/upstream.ts'

const pair = servePair('said-unlucky')

const error = (message: string, more: object = {}) => ({ error: { message, ...more } })

const passing: readonly [string, unknown][] = [
  // anomalyco/opencode#1018
  [
    'Groq',
    error("Failed to call a function. Please adjust your prompt. See 'failed_generation' for more details.", {
      type: 'invalid_request_error',
      code: 'tool_use_failed',
      failed_generation: '<function=f{"a": 1}</function>',
    }),
  ],
  // thepersonalaicompany/amurex-backend#38
  [
    'Groq',
    error("Failed to generate JSON. Please adjust your prompt. See 'failed_generation' for more details.", {
      type: 'invalid_request_error',
      code: 'json_validate_failed',
      failed_generation: '{',
    }),
  ],
  // Alishahryar1/free-claude-code#1012
  ['NVIDIA', { status: 400, title: 'Bad Request', detail: "Function id '1-2': DEGRADED function cannot be invoked" }],
]

describe.each(runtimes)('A 400 that isn’t the request’s fault, on %s', (runtime) => {
  it.each(passing)('is asked again, and the next answer counts: %s %j', async (_server, body) => {
    pair.upstream.seen.length = 0
    pair.upstream.script(json(400, body), json(200, chatAnswer('well-formed')))
    const reply = await pair.ask(runtime, chat('p/unlucky'))
    expect([reply.status, pair.upstream.seen.length]).toEqual([200, 2])
    expect(reply.text).toContain('well-formed')
  })

  it.each(passing)('is answered by the fallback where it doesn’t pass: %s %j', async (_server, body) => {
    const { reply } = await pair.withFallback(runtime, json(400, body))
    expect(reply.status).toBe(200)
    expect(reply.text).toContain('from the stand-in')
  })

  it('is seen at the start of a stream', async () => {
    const failed = { message: 'Failed to call a function.', code: 'tool_use_failed', status_code: 400 }
    const { reply } = await pair.withFallback(runtime, inStream(failed), { stream: true })
    expect(reply.status).toBe(200)
    expect(reply.text).toContain('from the stand-in')
  })

  it('is not what the same words mean in a refusal that repeats a prompt', async () => {
    const prompt = 'What does "DEGRADED function cannot be invoked" mean?'
    const messages = [{ role: 'user', content: prompt }]
    expectTold(await pair.withFallback(runtime, json(400, error(`Bad: ${prompt}`)), { messages }), 400, null)
  })
})

const malformed = 'function_call_filter: MALFORMED_FUNCTION_CALL'
const ended = (message: object) =>
  json(200, { ...chatAnswer(''), choices: [{ index: 0, finish_reason: malformed, message }] })
const done = 'data: [DONE]\n\n'

describe.each(runtimes)('A call that Google’s model gets wrong, on %s', (runtime) => {
  const empty: readonly [string, Script, boolean][] = [
    ['whole', ended({ role: 'assistant' }), false],
    ['whole, with an empty text', ended({ role: 'assistant', content: '', tool_calls: [] }), false],
    ['in a stream', stream([chunk({ role: 'assistant' }, malformed), done]), true],
    ['in a stream that begins before', stream([chunk({ role: 'assistant' }), chunk({}, malformed), done]), true],
  ]

  it.each(empty)('is made again where it is all that there is: %s', async (how, script, streams) => {
    pair.upstream.seen.length = 0
    const good = streams ? stream([chunk({ content: 'well-formed' }), chunk({}, 'stop'), done]) : undefined
    pair.upstream.script(script, good ?? json(200, chatAnswer('well-formed')))
    const reply = await pair.ask(runtime, chat(`p/call ${how}`.replaceAll(' ', '-'), { stream: streams }))
    expect([reply.status, pair.upstream.seen.length]).toEqual([200, 2])
    expect(reply.text).toContain('well-formed')
    expect(reply.text).not.toContain('MALFORMED')
  })

  it.each(empty)('is answered by the fallback where it doesn’t pass: %s', async (_how, script, streams) => {
    const { reply, asked } = await pair.withFallback(runtime, script, { stream: streams })
    expect([reply.status, asked]).toEqual([200, 3])
    expect(reply.text).toContain('from the stand-in')
  })

  it('leaves the text before it, which ends as any other', async () => {
    const whole = await pair.alone(runtime, ended({ role: 'assistant', content: 'Let me look.' }))
    expect([whole.asked, contentOf(whole.reply.text)]).toEqual([1, 'Let me look.'])
    expect(JSON.parse(whole.reply.text).choices[0].finish_reason).toBe('stop')
    const begun = stream([chunk({ content: 'Let me look.' }), chunk({}, malformed), done])
    const { reply, asked } = await pair.alone(runtime, begun, { stream: true })
    expect([asked, reply.text.includes('Let me look.')]).toEqual([1, true])
    expect(reply.text).toContain('"finish_reason":"stop"')
    expect(reply.text).not.toContain('MALFORMED')
  })
})

describe.each(runtimes)('A model that doesn’t chat, on %s', (runtime) => {
  it.each([
    // run-llama/llama_index#16503
    [
      'Azure',
      error('The chatCompletion operation does not work with the specified model, x.', {
        code: 'OperationNotSupported',
      }),
    ],
    // anomalyco/opencode#34463
    ['xAI', { code: 'invalid-argument', error: 'Model x is not available on this endpoint.' }],
  ])('is told as that after one try, though its upstream says 400: %s', async (_server, body) => {
    expectTold(await pair.alone(runtime, json(400, body)), 404, 'wrong_endpoint')
    expectStandIn(await pair.withFallback(runtime, json(400, body)))
  })
})
