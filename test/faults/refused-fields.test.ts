import { beforeEach, describe, expect, it } from 'vitest'
import { chat, contentOf, errorOf } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { chatAnswer, json, text } from '../support/upstream.ts'

type Refusal = (field: string) => unknown

const openai = (message: string, param: string | null = null, code: string | null = null) => ({
  error: { message, type: 'invalid_request_error', param, code },
})
const camel = (field: string) => field.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())
/** As Python prints a list of mistakes. */
const python = (field: string) =>
  `[{'type': 'extra_forbidden', 'loc': ('body', '${field}'), 'msg': 'Extra inputs are not permitted', 'input': 800}]`

/** How servers say that they don't take a field, and where the words are from. */
const wordings: readonly [source: string, status: number, refusal: Refusal][] = [
  [
    'OpenAI: langchain-ai/langchain#29416',
    400,
    (field) =>
      openai(`Unsupported parameter: '${field}' is not supported with this model.`, field, 'unsupported_parameter'),
  ],
  [
    'Azure: microsoft/semantic-kernel#8189',
    400,
    (field) => openai(`Unknown parameter: '${field}'.`, field, 'unknown_parameter'),
  ],
  ['Azure: pydantic/pydantic-ai#169', 400, (field) => openai(`Unrecognized request argument supplied: ${field}`)],
  ['by code and param alone', 400, (field) => openai('No.', field, 'unknown_parameter')],
  [
    'Groq: fanenr/chatbot#21',
    400,
    (field) => ({
      error: { message: `property '${field}' is unsupported, did you mean 'stop'?`, type: 'invalid_request_error' },
    }),
  ],
  [
    'Cerebras',
    400,
    (field) => ({
      message: `body.${field}: property 'body.${field}' is unsupported`,
      type: 'invalid_request_error',
      param: 'validation_error',
      code: 'wrong_api_format',
    }),
  ],
  [
    'vLLM: voideditor/void#128',
    400,
    (field) => ({ object: 'error', message: python(field), type: 'BadRequestError', param: null, code: 400 }),
  ],
  [
    'Mistral: nomtek/mistralai_client_dart#44',
    422,
    (field) => ({
      object: 'error',
      message: {
        detail: [{ type: 'extra_forbidden', loc: ['body', field], msg: 'Extra inputs are not permitted', input: 1 }],
      },
      type: 'invalid_request_error',
      param: null,
      code: null,
    }),
  ],
  [
    'Mistral: partITech/php-mistral#76',
    422,
    (field) => ({
      object: 'Error',
      message: [{ type: 'extra_forbidden', loc: ['body', field], msg: 'Extra inputs are not permitted', input: [] }],
      type: 'invalid_request_error',
      code: 3001,
    }),
  ],
  [
    'FastAPI with pydantic 1',
    422,
    (field) => ({ detail: [{ loc: ['body', field], msg: 'extra fields not permitted', type: 'value_error.extra' }] }),
  ],
  [
    'Azure AI: microsoft/semantic-kernel#10510',
    400,
    (field) => ({ error: { message: `Validation error at #/${field}: Extra inputs are not permitted` } }),
  ],
  ['Z.ai: mitsuhiko/agent-stuff#19', 400, (field) => ({ error: `Extra inputs are not permitted, field: '${field}'` })],
  [
    'Gemini: liliMozi/openhanako#394',
    400,
    (field) => [
      {
        error: {
          code: 400,
          message: `Invalid JSON payload received. Unknown name "${field}": Cannot find field.`,
          status: 'INVALID_ARGUMENT',
        },
      },
    ],
  ],
  [
    'Databricks: continuedev/continue#12936',
    400,
    (field) => ({ error_code: 'BAD_REQUEST', message: `json: unknown field "${field}"` }),
  ],
  [
    'a server in Rust',
    422,
    (field) =>
      `Failed to deserialize the JSON body into the target type: unknown field \`${field}\`, expected one of \`model\`, \`messages\` at line 1 column 90`,
  ],
  [
    'LiteLLM: BerriAI/litellm#9686',
    400,
    (field) => ({
      error: {
        message: `litellm.UnsupportedParamsError: gemini does not support parameters: {'${field}': True}, for model=gemini-2.0-flash`,
        type: 'None',
        param: null,
        code: '400',
      },
    }),
  ],
  ['Cohere', 422, (field) => ({ id: 'x', message: `unknown field: parameter '${field}' is not a valid field` })],
  ['Cohere, in fewer words', 400, (field) => ({ message: `unknown field: ${field}` })],
  [
    'AWS Bedrock',
    400,
    (field) => ({ message: `Malformed input request: #: extraneous key [${field}] is not permitted` }),
  ],
  ['another, without quotes', 400, (field) => openai(`Unknown parameter: ${field}`)],
  ['another, of a field', 400, (field) => openai(`Unrecognized field: ${field}.`)],
  [
    'xAI',
    400,
    (field) => ({ code: 'invalid-argument', error: `Argument not supported on this model: ${camel(field)}` }),
  ],
  ['in plain words', 400, (field) => openai(`${field} is not supported`)],
  ['in plain words under 500', 500, (field) => openai(`The parameter '${field}' is not supported by this model`)],
]

/** The fields that the server refuses, in its words. */
let refused: readonly string[]
let refusal: Refusal
let status: number

const types = ['openai-compatible', 'openai', 'vllm', 'groq', 'huggingface'] as const
const configured = (model: string) => ({
  deployments: [{ model, params: { store: true, max_completion_tokens: 9 } }],
})

const { upstream, both } = serveBoth(
  'refused-fields',
  (url) => ({
    providers: Object.fromEntries(types.map((type) => [type, { type, baseURL: url, apiKey: 'env:KEY' }])),
    models: { 'node-configured': configured('vllm/n'), 'workerd-configured': configured('vllm/w') },
    retries: 0,
  }),
  {
    env: { KEY: 'sk-x' },
    script(request, ...rest) {
      const body = JSON.parse(request.body) as object
      const field = refused.find((name) => Object.hasOwn(body, name))
      if (field === undefined) return json(200, chatAnswer('ok'))(request, ...rest)
      const said = refusal(field)
      return (typeof said === 'string' ? text(status, said) : json(status, said))(request, ...rest)
    },
  },
)

beforeEach(() => {
  upstream.seen.length = 0
  status = 400
  refusal = (field) => openai(`Unknown parameter: '${field}'.`, field, 'unknown_parameter')
})

const sent = () =>
  upstream.seen.map(({ body }) => {
    const { model: _, messages: __, ...rest } = JSON.parse(body) as Record<string, unknown>
    return rest
  })

describe.each(runtimes)('A field that a server refuses, on %s,', (runtime) => {
  let models = 0
  const fresh = (type = 'openai-compatible') => `${type}/m${runtime}${models++}`

  it.each(wordings)('is left out if it hardly matters, and from the start afterwards: %s', async (_, code, words) => {
    refused = ['store']
    refusal = words
    status = code
    const model = fresh()
    const first = await both.ask(runtime, chat(model, { seed: 1, store: true }))
    expect([first.status, contentOf(first.text), first.headers.get('x-samewire-attempts')]).toEqual([200, 'ok', '1'])
    await both.ask(runtime, chat(model, { seed: 2, store: false }))
    expect(sent()).toEqual([{ seed: 1, store: true }, { seed: 1 }, { seed: 2 }])
  })

  it.each(wordings)('has its other name if it has one, never both: %s', async (_, code, words) => {
    refused = ['max_completion_tokens']
    refusal = words
    status = code
    const model = fresh()
    expect((await both.ask(runtime, chat(model, { max_completion_tokens: 5 }))).status).toBe(200)
    await both.ask(runtime, chat(model, { max_completion_tokens: 6, max_tokens: 7 }))
    expect(sent()).toEqual([{ max_completion_tokens: 5 }, { max_tokens: 5 }, { max_tokens: 7 }])
  })

  it.each(wordings)('is told to the client if the answer depends on it: %s', async (_, code, words) => {
    refusal = words
    status = code
    for (const more of [
      { tools: [{ type: 'function' }] },
      { response_format: { type: 'json_object' } },
      { logit_bias: { 5: 1 } },
      { stop: 'x' },
    ]) {
      refused = Object.keys(more)
      upstream.seen.length = 0
      const reply = await both.ask(runtime, chat(fresh(), { ...more, store: true }))
      expect(reply.status).toBeGreaterThanOrEqual(400)
      expect(errorOf(reply).message).not.toBe('')
      expect(upstream.seen).toHaveLength(1)
    }
  })

  it.each(['openai', 'vllm', 'groq', 'huggingface'])('is left out for %s as well', async (type) => {
    refused = ['metadata', 'user', 'service_tier']
    const asked = { metadata: { a: 'b' }, user: 'u', service_tier: 'flex', temperature: 0 }
    expect((await both.ask(runtime, chat(fresh(type), asked))).status).toBe(200)
    expect(sent().at(-1)).toEqual({ temperature: 0 })
    expect(upstream.seen).toHaveLength(4)
  })

  it('may be one of several that the server names at once', async () => {
    refused = ['metadata', 'store']
    refusal = () => [
      {
        error: {
          code: 400,
          message:
            'Invalid JSON payload received. Unknown name "metadata": Cannot find field.\nInvalid JSON payload received. Unknown name "store": Cannot find field.',
          status: 'INVALID_ARGUMENT',
        },
      },
    ]
    expect((await both.ask(runtime, chat(fresh(), { metadata: {}, store: true }))).status).toBe(200)
    expect(sent()).toEqual([{ metadata: {}, store: true }, {}])
  })

  it('is left out only with a value that hardly matters, also of later requests', async () => {
    refused = ['parallel_tool_calls', 'logprobs']
    const model = fresh()
    const harmless = { parallel_tool_calls: true, logprobs: false }
    expect((await both.ask(runtime, chat(model, harmless))).status).toBe(200)
    expect(sent().at(-1)).toEqual({})
    for (const more of [{ parallel_tool_calls: false }, { logprobs: true }]) {
      upstream.seen.length = 0
      const reply = await both.ask(runtime, chat(model, more))
      expect([reply.status, errorOf(reply).param]).toEqual([400, Object.keys(more)[0]])
      expect(sent()).toEqual([more])
    }
  })

  it('may come from the configuration', async () => {
    refused = ['store', 'max_completion_tokens']
    expect((await both.ask(runtime, chat(`${runtime}-configured`))).status).toBe(200)
    expect(sent().at(-1)).toEqual({ max_tokens: 9 })
    await both.ask(runtime, chat(`${runtime}-configured`, { max_tokens: 3 }))
    expect(sent().at(-1)).toEqual({ max_tokens: 3 })
  })

  it.each([
    ['think', false, 'reasoning_effort', 'none'],
    ['think', 'high', 'reasoning_effort', 'high'],
    ['stop_sequences', ['x'], 'stop', ['x']],
    ['num_predict', 5, 'max_tokens', 5],
    ['seed', 5, 'random_seed', 5],
  ])('has its value in the terms of the other name: %s %j', async (name, value, other, translated) => {
    refused = [name]
    expect((await both.ask(runtime, chat(fresh(), { [name]: value }))).status).toBe(200)
    expect(sent()).toEqual([{ [name]: value }, { [other]: translated }])
  })

  it.each([
    [
      'OpenAI: langchain-ai/langgraph#5943',
      openai(
        "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
        'max_tokens',
        'invalid_parameter_combination',
      ),
    ],
    [
      'Volcengine: HKUDS/nanobot#2548',
      {
        error: {
          code: 'InvalidParameter',
          message:
            'The parameter max_tokens specified in the request are not valid: max_tokens and max_completion_tokens cannot be set at the same time. Request id: x',
          param: 'max_tokens',
          type: 'BadRequest',
        },
      },
    ],
  ])('beside another name of it is sent under that name alone: %s', async (_, words) => {
    refused = ['max_tokens']
    refusal = () => words
    expect((await both.ask(runtime, chat(fresh(), { max_tokens: 5, max_completion_tokens: 6 }))).status).toBe(200)
    expect(sent().at(-1)).toEqual({ max_completion_tokens: 6 })
  })

  it('under both of its names is told by the name that the client sent, and asked about no more than twice', async () => {
    refused = ['max_tokens', 'max_completion_tokens', 'seed', 'random_seed']
    const reply = await both.ask(runtime, chat(fresh(), { max_tokens: 5 }))
    expect([reply.status, errorOf(reply).param]).toEqual([400, 'max_tokens'])
    expect(sent()).toEqual([{ max_tokens: 5 }, { max_completion_tokens: 5 }])
    const seeded = await both.ask(runtime, chat(fresh(), { seed: 5 }))
    expect([seeded.status, errorOf(seeded).message]).toEqual([400, "Unknown parameter: 'seed'."])
  })

  it.each([
    [
      'max_tokens is too large: 5000. This model supports at most 4096 completion tokens.',
      'max_tokens',
      'invalid_value',
    ],
    [
      "'messages.2' : for 'role:assistant' the following must be satisfied[('messages.2' : property 'user' is unsupported)]",
      null,
      null,
    ],
    ['messages.0.metadata: Extra inputs are not permitted', null, null],
    [
      "[{'type': 'extra_forbidden', 'loc': ('body', 'messages', 0, 'user'), 'msg': 'Extra inputs are not permitted'}]",
      null,
      null,
    ],
    ['Invalid JSON payload received. Unknown name "user" at \'tools[0].function\': Cannot find field.', null, null],
    ['Malformed input request: #/messages/0/content/0: extraneous key [metadata] is not permitted', null, null],
    ['Unknown parameter: metadata.shiny', null, null],
    ['unknown field: store[0].x', null, null],
    ['messages[0]: unknown field `metadata`, expected `role`', null, null],
    ["Invalid prompt: it says 'store is not supported', which is against our policy", null, null],
    ["Unknown parameter: 'shiny'.", 'shiny', 'unknown_parameter'],
    ["Invalid value: 'flex'. Supported values are 'auto'.", 'service_tier', 'invalid_value'],
  ])('is not what these words are about, and nothing is sent again: %s', async (message, param, code) => {
    refused = ['store']
    refusal = () => openai(message, param, code)
    const more = { store: true, user: 'u', metadata: {}, service_tier: 'flex', max_tokens: 5000 }
    const reply = await both.ask(runtime, chat(fresh(), more))
    expect(reply.status).toBe(400)
    expect(upstream.seen).toHaveLength(1)
  })
})
