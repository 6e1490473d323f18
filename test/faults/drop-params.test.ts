import { beforeEach, describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/schema.ts'
import { chat, errorOf, eventsOf } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { chatAnswer, chatFrames, json, type Seen, stream, text } from '../support/upstream.ts'

const deployment = (model: string, dropParams: true | string[]) => ({ deployments: [{ model, dropParams }] })

const configOf = (url: string): Config => ({
  providers: {
    tgi: { type: 'huggingface', apiKey: 'env:KEY', endpointUrl: url, engine: 'tgi' },
    ollama: { type: 'ollama', baseURL: url },
    any: { type: 'openai-compatible', baseURL: url },
  },
  retries: 1,
  models: {
    strict: { deployments: ['tgi/x'] },
    lenient: { deployments: ['tgi/x'], dropParams: ['logit_bias'] },
    anything: { deployments: ['tgi/x'], dropParams: true },
    stricter: { ...deployment('tgi/x', []), dropParams: true },
    native: deployment('ollama/x', ['tool_choice']),
    forced: { deployments: [{ model: 'tgi/x', overrides: { logit_bias: { 5: 1 } } }], dropParams: true },
    refusing: deployment('any/x', ['logprobs']),
    'refusing-strict': { deployments: ['any/x'] },
    relieved: { deployments: [{ model: 'tgi/x', dropParams: true }], fallbacks: ['any/x'] },
  },
})

const { upstream, both } = serveBoth('drop-params', configOf, { env: { KEY: 'k-of-the-provider' } })

const sent = (seen: Seen | undefined = upstream.seen.at(-1)) => JSON.parse(seen?.body ?? '{}') as object
const bias = { logit_bias: { 5: -100 } }

describe.each(runtimes)('A field that changes the answer and that the upstream ignores, on %s,', (runtime) => {
  beforeEach(() => {
    upstream.seen.length = 0
    upstream.script(json(200, chatAnswer('hi')))
  })

  it('is refused unless the configuration says otherwise', async () => {
    const reply = await both.ask(runtime, chat('strict', bias))
    expect(reply.status).toBe(400)
    expect(errorOf(reply)).toEqual({
      message: "Unsupported parameter: 'logit_bias' is not supported with this model.",
      type: 'invalid_request_error',
      param: 'logit_bias',
      code: 'unsupported_parameter',
    })
    expect(upstream.seen).toEqual([])
  })

  it.each(['lenient', 'anything'])('is left out, and told, with dropParams of the model %s', async (model) => {
    const reply = await both.ask(runtime, chat(model, { ...bias, temperature: 0.5 }))
    expect([reply.status, reply.headers.get('x-samewire-dropped')]).toEqual([200, 'logit_bias'])
    expect(sent()).toEqual(chat('x', { temperature: 0.5 }))
  })

  it('is refused still if it is not among those that may be left out', async () => {
    const reply = await both.ask(runtime, chat('lenient', { prediction: { type: 'content', content: 'x' } }))
    expect([reply.status, errorOf(reply).param]).toEqual([400, 'prediction'])
  })

  it('is judged by the deployment before the model', async () => {
    expect((await both.ask(runtime, chat('stricter', bias))).status).toBe(400)
  })

  it('is left out although the configuration itself sets it', async () => {
    expect((await both.ask(runtime, chat('forced'))).status).toBe(200)
    expect(sent()).toEqual(chat('x'))
  })

  it('is left out of a request that is translated', async () => {
    upstream.script(json(200, { model: 'x', message: { role: 'assistant', content: 'hi' }, done: true }))
    const tools = [{ type: 'function', function: { name: 'f' } }]
    const reply = await both.ask(runtime, chat('native', { tools, tool_choice: 'required' }))
    expect([reply.status, reply.headers.get('x-samewire-dropped')]).toEqual([200, 'tool_choice'])
    expect(sent()).toMatchObject({ tools })
  })

  it('is told of in the headers of a stream', async () => {
    upstream.script(stream(chatFrames('hi')))
    const reply = await both.ask(runtime, chat('lenient', { ...bias, stream: true }))
    expect(reply.headers.get('x-samewire-dropped')).toBe('logit_bias')
    expect(eventsOf(reply.text).at(-1)?.data).toBe('[DONE]')
  })

  it('is not told of if another deployment answered with it', async () => {
    upstream.script(text(500, 'no'), text(500, 'no'), text(500, 'no'), json(200, chatAnswer('hi')))
    const reply = await both.ask(runtime, chat('relieved', bias))
    expect([reply.status, reply.headers.get('x-samewire-dropped')]).toEqual([200, null])
    expect(sent()).toMatchObject(bias)
  })

  it('leaves the next request as it is', async () => {
    await both.ask(runtime, chat('lenient', bias))
    const reply = await both.ask(runtime, chat('lenient'))
    expect([reply.status, reply.headers.get('x-samewire-dropped')]).toEqual([200, null])
  })
})

describe.each(runtimes)('A field that the upstream refuses, on %s,', (runtime) => {
  const refusal = json(400, {
    error: { message: "Unsupported parameter: 'logprobs'", param: 'logprobs', code: 'unsupported_parameter' },
  })
  const asked = { logprobs: true, top_logprobs: 2 }

  beforeEach(() => {
    upstream.seen.length = 0
    upstream.script((request, ...rest) =>
      (request.body.includes('logprobs') ? refusal : json(200, chatAnswer('hi')))(request, ...rest),
    )
  })

  it('is left out if it may be, with what stands for nothing without it, and from then on', async () => {
    const first = await both.ask(runtime, chat('refusing', asked))
    expect([first.status, first.headers.get('x-samewire-dropped')]).toEqual([200, 'logprobs, top_logprobs'])
    expect(sent()).toEqual(chat('x'))
    upstream.seen.length = 0
    expect((await both.ask(runtime, chat('refusing', asked))).status).toBe(200)
    expect(upstream.seen).toHaveLength(1)
  })

  it('is refused under another name of the same deployment that doesn’t allow it', async () => {
    await both.ask(runtime, chat('refusing', asked))
    const reply = await both.ask(runtime, chat('refusing-strict', asked))
    expect([reply.status, errorOf(reply).param]).toEqual([400, 'logprobs'])
  })
})
