import { describe, expect, it } from 'vitest'
import { nearestEffort } from '../../src/core/efforts.ts'
import { chat, errorOf } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { chatAnswer, json, type Script } from '../support/upstream.ts'

const types = ['openai', 'vllm', 'llamacpp', 'openrouter', 'deepseek', 'groq', 'fireworks', 'together', 'mistral']

const { upstream, both } = serveBoth(
  'efforts',
  (url) => {
    const baseURL = `${url}/v1`
    const named = types.map((type) => [type, { type, baseURL, apiKey: 'env:KEY' }])
    return {
      providers: {
        ...Object.fromEntries(named),
        plain: { type: 'openai-compatible', baseURL },
        sglang: { type: 'openai-compatible', baseURL, continues: 'sglang' },
        endpoint: { type: 'huggingface', endpointUrl: baseURL, engine: 'vllm', apiKey: 'env:KEY' },
        router: { type: 'huggingface', baseURL, apiKey: 'env:KEY' },
        ollama: { type: 'ollama', baseURL: url },
        compat: { type: 'ollama', baseURL: url, api: 'openai' },
      },
      models: { quiet: { deployments: [{ model: 'vllm/m', overrides: { reasoning_effort: 'none' } }] } },
      retries: 0,
    }
  },
  { env: { KEY: 'k' } },
)

const takesAll: Script = (request, ...rest) => {
  const answer = { model: 'm', message: { role: 'assistant', content: 'x' }, done: true, done_reason: 'stop' }
  return json(200, request.path === '/api/chat' ? answer : chatAnswer('x'))(request, ...rest)
}

type Body = Record<string, unknown>
const bodies = () => upstream.seen.filter(({ method }) => method === 'POST').map(({ body }) => JSON.parse(body) as Body)

const switched = (on: boolean) => ({ chat_template_kwargs: { enable_thinking: on, thinking: on } })

describe.each(runtimes)('A reasoning_effort, on %s,', (runtime) => {
  /** What the upstream gets, without the model and the messages. */
  async function sent(model: string, more: object, script = takesAll): Promise<Body> {
    upstream.script(script)
    upstream.seen.length = 0
    const reply = await both.ask(runtime, chat(model, more))
    expect([reply.status, reply.text]).toEqual([200, expect.any(String)])
    const { model: _, messages: __, ...rest } = bodies().at(-1) ?? {}
    return rest
  }

  it.each<[string, string, object]>([
    ['vllm/m', 'none', switched(false)],
    ['vllm/m', 'low', { reasoning_effort: 'low', ...switched(true) }],
    ['vllm/mistralai/Magistral-Small', 'none', { reasoning_effort: 'none' }],
    ['llamacpp/m', 'none', switched(false)],
    ['sglang/m', 'high', { reasoning_effort: 'high', ...switched(true) }],
    ['endpoint/m', 'none', switched(false)],
    ['quiet', 'high', switched(false)],
    ['router/m/m', 'none', { reasoning_effort: 'none' }],
    ['plain/m', 'minimal', { reasoning_effort: 'minimal' }],
    ['openai/gpt-5', 'xhigh', { reasoning_effort: 'xhigh' }],
    ['openrouter/m', 'xhigh', { reasoning: { effort: 'xhigh' } }],
    ['openrouter/m', 'none', { reasoning: { effort: 'none' } }],
    ['deepseek/m', 'none', { thinking: { type: 'disabled' } }],
    ['deepseek/m', 'max', { thinking: { type: 'enabled' }, reasoning_effort: 'max' }],
    ['groq/qwen/qwen3-32b', 'none', { reasoning_effort: 'none' }],
    ['groq/qwen/qwen3-32b', 'minimal', { reasoning_effort: 'default' }],
    ['groq/openai/gpt-oss-20b', 'none', { reasoning_effort: 'low' }],
    ['groq/openai/gpt-oss-20b', 'max', { reasoning_effort: 'high' }],
    ['groq/other', 'max', { reasoning_effort: 'max' }],
    ['fireworks/m', 'minimal', { reasoning_effort: 'low' }],
    ['together/m', 'none', { reasoning: { enabled: false } }],
    ['together/m', 'high', { reasoning: { enabled: true } }],
    ['together/openai/gpt-oss-20b', 'minimal', { reasoning_effort: 'low' }],
    ['mistral/mistral-small-latest', 'low', { reasoning_effort: 'high' }],
    ['mistral/mistral-small-latest', 'none', { reasoning_effort: 'none' }],
    ['mistral/mistral-large-4-0', 'low', { reasoning_effort: 'low' }],
    ['compat/m', 'minimal', { reasoning_effort: 'low', max_tokens: expect.any(Number) }],
  ])('goes to %s as it takes it: %s', async (model, effort, wanted) => {
    expect(await sent(model, { reasoning_effort: effort })).toEqual(wanted)
  })

  it.each<[string, unknown]>([
    ['none', false],
    ['minimal', 'low'],
    ['low', 'low'],
    ['medium', 'medium'],
    ['high', 'high'],
    ['xhigh', 'max'],
    ['max', 'max'],
  ])('is Ollama’s think: %s', async (effort, think) => {
    expect(await sent('ollama/m', { reasoning_effort: effort })).toMatchObject({ think })
  })

  it.each<[string, object, object]>([
    [
      'vllm/m',
      { chat_template_kwargs: { enable_thinking: true, date: 'x' } },
      { chat_template_kwargs: { thinking: false, enable_thinking: true, date: 'x' } },
    ],
    ['openrouter/m', { reasoning: { exclude: true } }, { reasoning: { effort: 'none', exclude: true } }],
    ['deepseek/m', { thinking: { type: 'enabled' } }, { thinking: { type: 'enabled' } }],
  ])('leaves what the client says in the provider’s own words: %s %j', async (model, own, wanted) => {
    expect(await sent(model, { reasoning_effort: 'none', ...own })).toEqual(wanted)
  })

  it.each<[string, string, string, string]>([
    [
      'OpenAI',
      'minimal',
      "Unsupported value: 'reasoning_effort' does not support 'minimal' with this model. Supported values are: 'low', 'medium', and 'high'.",
      'low',
    ],
    [
      'OpenAI, of a model that always thinks',
      'none',
      "Unsupported value: 'reasoning_effort' does not support 'none' with this model. Supported values are: 'minimal', 'low', 'medium', and 'high'.",
      'minimal',
    ],
    ['Groq', 'high', '`reasoning_effort` must be one of `none` or `default`', 'default'],
    ['vLLM', 'max', "body.reasoning_effort: Input should be 'low', 'medium' or 'high'", 'high'],
    ['a proxy', 'max', 'reasoning_effort: level "max" not supported, valid levels: low, medium, high, xhigh', 'xhigh'],
    ['a server that names none', 'xhigh', "reasoning_effort: the value 'xhigh' is not supported", 'high'],
  ])('that is refused becomes the nearest that there is, as %s says', async (who, asked, message, wanted) => {
    const picky: Script = (request, ...rest) =>
      JSON.parse(request.body).reasoning_effort === asked
        ? json(400, {
            error: { message, type: 'invalid_request_error', param: 'reasoning_effort', code: 'unsupported_value' },
          })(request, ...rest)
        : takesAll(request, ...rest)
    const model = `plain/${who.replace(/\W/g, '')}`
    expect(await sent(model, { reasoning_effort: asked }, picky)).toEqual({ reasoning_effort: wanted })
    expect(bodies()).toHaveLength(2)
    expect(await sent(model, { reasoning_effort: asked }, picky)).toEqual({ reasoning_effort: wanted })
    expect(bodies()).toHaveLength(1)
  })

  it('of none is left out where the field is refused, and any other is an error', async () => {
    const error = {
      message: "Unsupported parameter: 'reasoning_effort' is not supported with this model.",
      type: 'invalid_request_error',
      param: 'reasoning_effort',
      code: 'unsupported_parameter',
    }
    const thoughtless: Script = (request, ...rest) =>
      'reasoning_effort' in JSON.parse(request.body)
        ? json(400, { error })(request, ...rest)
        : takesAll(request, ...rest)
    expect(await sent('plain/thoughtless', { reasoning_effort: 'none' }, thoughtless)).toEqual({})
    const reply = await both.ask(runtime, chat('plain/thoughtless', { reasoning_effort: 'high' }))
    expect([reply.status, errorOf(reply).param]).toEqual([400, 'reasoning_effort'])
  })
})

describe.each(runtimes)('Reasoning in the history, on %s,', (runtime) => {
  const messages = [
    { role: 'user', content: 'hi' },
    { role: 'assistant', content: 'Hello', reasoning_content: 'Hm.' },
    { role: 'user', content: 'and now?' },
  ]
  const ask = async (model: string, script = takesAll) => {
    upstream.script(script)
    upstream.seen.length = 0
    const reply = await both.ask(runtime, chat(model, { messages }))
    expect([reply.status, reply.text]).toEqual([200, expect.any(String)])
    return bodies().map((body) => (body.messages as Body[])[1])
  }

  it('goes on as it is to those that take it', async () => {
    for (const model of ['deepseek/m', 'vllm/m', 'plain/m']) expect(await ask(model)).toEqual([messages[1]])
  })

  it('goes to Ollama under its own name', async () => {
    expect(await ask('ollama/m')).toEqual([{ role: 'assistant', content: 'Hello', thinking: 'Hm.' }])
    expect(await ask('compat/m')).toEqual([{ role: 'assistant', content: 'Hello', reasoning: 'Hm.' }])
  })

  it.each([
    [
      "'messages.1' : for 'role:assistant' the following must be satisfied[('messages.1' : property 'reasoning_content' is unsupported)]",
    ],
    ["messages.1.assistant.reasoning_content: property 'messages.1.assistant.reasoning_content' is unsupported"],
    ['body.messages.1.assistant.reasoning_content: Extra inputs are not permitted'],
  ])('is left out for those that refuse it, from then on at once: %s', async (message) => {
    const picky: Script = (request, ...rest) =>
      request.body.includes('reasoning_content')
        ? json(400, { error: { message, type: 'invalid_request_error' } })(request, ...rest)
        : takesAll(request, ...rest)
    const bare = { role: 'assistant', content: 'Hello' }
    const model = `groq/${message.length}`
    expect(await ask(model, picky)).toEqual([messages[1], bare])
    expect(await ask(model, picky)).toEqual([bare])
  })
})

describe('The nearest effort', () => {
  it.each([
    ['none', ['none', 'high'], 'none'],
    ['none', ['low', 'high'], 'low'],
    ['minimal', ['none', 'high'], 'high'],
    ['medium', ['low', 'high'], 'high'],
    ['high', ['none'], 'none'],
    ['max', ['none', 'default'], 'default'],
    ['low', [], 'low'],
    ['other', ['low'], 'other'],
  ])('to %s of %j is %s', (asked, levels, wanted) => {
    expect(nearestEffort(asked, levels)).toBe(wanted)
  })
})
