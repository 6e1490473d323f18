import { beforeEach, describe, expect, it } from 'vitest'
import { contentOf, errorOf } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { chatAnswer, chatFrames, json, type Script, text } from '../support/upstream.ts'

interface Message {
  readonly role: string
  readonly content: unknown
}

/** How a server refuses the role: its name and where the words are from, the status, and the body. */
const refusals: readonly [source: string, status: number, body: unknown][] = [
  [
    'vLLM with Qwen’s template: ogx-ai/ogx#6069',
    400,
    { error: { message: 'Unexpected message role.', type: 'BadRequestError', param: null, code: 400 } },
  ],
  [
    'an API like Anthropic’s',
    400,
    {
      error: {
        message: 'Unexpected role "developer". Allowed roles are "user" or "assistant".',
        type: 'invalid_request_error',
      },
    },
  ],
  [
    'OpenAI',
    400,
    {
      error: {
        message: "'developer' is not one of ['system', 'assistant', 'user', 'tool', 'function'] - 'messages.0.role'",
        type: 'invalid_request_error',
        param: null,
        code: null,
      },
    },
  ],
  [
    'DashScope: haru/redmine_ai_helper#242',
    400,
    {
      error: {
        code: 'invalid_parameter_error',
        param: null,
        message: "developer is not one of ['system', 'assistant', 'user', 'tool', 'function'] - 'messages.['0].role'",
        type: 'invalid_request_error',
      },
      id: 'chatcmpl-x',
    },
  ],
  ['others', 400, { message: 'invalid role: developer' }],
  ['Cohere', 400, { message: 'invalid request: message[0].role must be one of: system, user, assistant, tool' }],
  ['Databricks', 400, { error_code: 'BAD_REQUEST', message: 'Invalid role in the chat message.' }],
  [
    'Google',
    400,
    { error: { code: 400, message: 'Please use a valid role: user, model.', status: 'INVALID_ARGUMENT' } },
  ],
  ['AWS Bedrock', 400, { message: 'Malformed input request: #/messages/0/role: developer is not a valid enum value' }],
  [
    'AWS Bedrock’s Converse',
    400,
    {
      message:
        "1 validation error detected: Value 'developer' at 'messages.1.member.role' failed to satisfy constraint: Member must satisfy enum value set: [user, assistant]",
    },
  ],
  [
    'Perplexity',
    422,
    { error: { message: "At body -> messages -> 0 -> role: Input should be 'system', 'user', 'assistant' or 'tool'" } },
  ],
  [
    'servers with pydantic: earendil-works/pi#6238',
    422,
    {
      detail: [
        {
          type: 'enum',
          loc: ['body', 'messages', 0, 'role'],
          msg: "Input should be 'system', 'user', 'assistant', 'function' or 'tool'",
          input: 'developer',
        },
      ],
    },
  ],
  [
    'zod: CherryHQ/cherry-studio#3045',
    400,
    { error: "Invalid enum value. Expected 'system' | 'user' | 'assistant' | 'tool', received 'developer'" },
  ],
  [
    'DeepSeek: eclipse-theia/theia#15144',
    422,
    'Failed to deserialize the JSON body into the target type: messages[0].role: unknown variant `developer`, expected one of `system`, `user`, `assistant`, `tool` at line 5 column 25',
  ],
  [
    'SGLang: sgl-project/sglang#14304',
    400,
    {
      object: 'error',
      message:
        "[{'type': 'value_error', 'loc': ('body', 'messages', 0, 'ChatCompletionMessageGenericParam', 'role'), 'msg': \"Value error, 'role' must be one of 'system', 'assistant', 'tool', or 'function' (case-insensitive).\", 'input': 'developer'}]",
      type: 'Bad Request',
      param: null,
      code: 400,
    },
  ],
  [
    'SiliconFlow: agno-agi/agno#1967',
    400,
    {
      code: 20015,
      message:
        "Input tag 'developer' found using 'role' does not match any of the expected tags: 'system', 'user', 'assistant', 'tool'",
      data: null,
    },
  ],
  [
    'Mistral',
    422,
    {
      object: 'error',
      message: {
        detail: [
          {
            type: 'union_tag_invalid',
            loc: ['body', 'messages', 0],
            msg: "Input tag 'developer' found using 'role' does not match any of the expected tags: 'system', 'user', 'assistant', 'tool'",
          },
        ],
      },
      type: 'invalid_request_error',
      param: null,
      code: null,
    },
  ],
  [
    'Groq: nhaouari/obsidian-textgenerator-plugin#309',
    400,
    {
      error: {
        message: "'messages.0' : discriminator property 'role' has invalid value",
        type: 'invalid_request_error',
      },
    },
  ],
  [
    'Volcengine: agno-agi/agno#6697',
    400,
    {
      error: {
        code: 'InvalidParameter',
        message:
          'The parameter `messages.role` specified in the request are not valid: invalid value: `developer`, supported values are: `system`, `assistant`, `user`, `tool`. Request id: 0217',
        param: 'messages.role',
        type: 'BadRequest',
      },
    },
  ],
  [
    'behind new-api: QuantumNous/new-api#5330',
    400,
    {
      error: {
        message:
          "invalid parameter 'messages[0].role': invalid role 'developer', must be one of: system, user, assistant, tool",
        type: 'gateway_error',
        param: '',
        code: '400002',
      },
    },
  ],
  [
    'CommandCode: dev2k6/command-code-proxy-server#8',
    400,
    { error: 'Invalid option: expected one of "user"|"assistant" at "params.messages[0].role"' },
  ],
  ['LM Studio: Mintplex-Labs/anything-llm#2914', 400, { error: 'Only user and assistant roles are supported!' }],
  [
    'llama.cpp, from a template: anomalyco/opencode#5034',
    500,
    {
      error: {
        code: 500,
        message:
          '\n------------\nWhile executing CallExpression at line 83, column 32 in source:\n...ror: Jinja Exception: Only user, assistant and tool roles are supported, got developer.',
        type: 'server_error',
      },
    },
  ],
  [
    'llama.cpp with Qwen’s template: ggml-org/llama.cpp#20079',
    500,
    { error: { code: 500, message: 'Jinja Exception: Unexpected message role.', type: 'server_error' } },
  ],
  ['Zhipu: openclaw/openclaw#23115', 400, { error: { code: '1214', message: '角色信息不正确' } }],
  ['Z.ai: earendil-works/pi#547', 400, { error: { code: '1214', message: 'Incorrect role information' } }],
  [
    'o1-mini',
    400,
    {
      error: {
        message: "Unsupported value: 'messages[0].role' does not support 'developer' with this model.",
        type: 'invalid_request_error',
        param: 'messages[0].role',
        code: 'unsupported_value',
      },
    },
  ],
]

/** How servers say that a model takes no instructions of any role. */
const withoutInstructions: readonly [source: string, body: unknown][] = [
  [
    'Google: microsoft/vscode#258088',
    [
      {
        error: {
          code: 400,
          message: 'Developer instruction is not enabled for models/gemma-3-27b-it',
          status: 'INVALID_ARGUMENT',
        },
      },
    ],
  ],
  [
    'vLLM: huggingface/chat-ui#1386',
    { object: 'error', message: 'System role not supported', type: 'BadRequestError', param: null, code: 400 },
  ],
  ['Google', { error: { code: 400, message: 'Please use a valid role: user, model.', status: 'INVALID_ARGUMENT' } }],
  [
    'AWS Bedrock’s Converse',
    {
      message:
        "1 validation error detected: Value 'system' at 'messages.1.member.role' failed to satisfy constraint: Member must satisfy enum value set: [user, assistant]",
    },
  ],
  ['LM Studio: Mintplex-Labs/anything-llm#2914', { error: 'Only user and assistant roles are supported!' }],
  [
    'o1-mini: CherryHQ/cherry-studio#1403',
    {
      error: {
        message: "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
        type: 'invalid_request_error',
        param: 'messages[0].role',
        code: 'unsupported_value',
      },
    },
  ],
]

let refusal: Script
/** Which messages the server takes. */
let accepts: (messages: readonly Message[]) => boolean

const kinds = ['openai-compatible', 'openai', 'vllm', 'deepseek', 'groq', 'mistral', 'llamacpp', 'huggingface'] as const
const noDeveloper = (messages: readonly Message[]) => messages.every(({ role }) => role !== 'developer')
const oneSystem = (messages: readonly Message[]) =>
  noDeveloper(messages) && messages.every(({ role }, at) => at === 0 || role !== 'system')

const { upstream, both } = serveBoth(
  'developer',
  (url) => {
    const providers = Object.fromEntries(kinds.map((type) => [type, { type, baseURL: url, apiKey: 'env:KEY' }]))
    const tgi = { type: 'huggingface', endpointUrl: url, engine: 'tgi', apiKey: 'env:KEY' } as const
    return { providers: { ...providers, tgi }, retries: 0 }
  },
  {
    env: { KEY: 'sk-x' },
    script(request, ...rest) {
      if (request.method === 'GET') {
        upstream.seen.pop()
        return json(404, {})(request, ...rest)
      }
      const body = JSON.parse(request.body) as { messages: Message[]; stream?: boolean }
      if (!accepts(body.messages)) return refusal(request, ...rest)
      if (body.stream) return text(200, chatFrames('o', 'k').join(''), 'text/event-stream')(request, ...rest)
      return json(200, chatAnswer('ok'))(request, ...rest)
    },
  },
)

beforeEach(() => {
  upstream.seen.length = 0
  accepts = noDeveloper
})

const brief = { role: 'developer', content: 'Be "brief": Unexpected role developer.' }
const hi = { role: 'user', content: 'hi' }
const said = (body: unknown, status = 400): Script =>
  typeof body === 'string' ? text(status, body) : json(status, body)
const rolesSent = () =>
  upstream.seen.map(({ body }) => (JSON.parse(body) as { messages: Message[] }).messages.map(({ role }) => role).join())

describe.each(runtimes)('The role developer, on %s,', (runtime) => {
  /** A model's name for each test: what a gateway has learnt about a model, it keeps. */
  let models = 0
  const fresh = (kind = 'openai-compatible') => `${kind}/m${runtime}${models++}`

  it.each(refusals)('is system for a server that refuses it as %s', async (_, status, body) => {
    refusal = said(body, status)
    const model = fresh()
    const first = await both.ask(runtime, { model, messages: [brief, hi] })
    expect([first.status, contentOf(first.text), first.headers.get('x-samewire-attempts')]).toEqual([200, 'ok', '1'])
    expect(JSON.parse(upstream.seen.at(-1)?.body ?? '').messages).toEqual([{ ...brief, role: 'system' }, hi])
    const next = await both.ask(runtime, { model, messages: [hi, brief, hi], stream: true })
    expect(next.text).toContain('"content":"k"')
    expect(rolesSent()).toEqual(['developer,user', 'system,user', 'user,system,user'])
  })

  it.each([...kinds, 'tgi'])('is system for a model of %s', async (kind) => {
    refusal = said({ error: { message: 'Unexpected message role.' } })
    const reply = await both.ask(runtime, { model: fresh(kind), messages: [brief, hi], max_tokens: 5 })
    expect([reply.status, reply.text]).toEqual([200, expect.stringContaining('ok')])
    expect(rolesSent()).toEqual(['developer,user', 'system,user'])
  })

  it('stays what it is for a model that takes it, and for others of the same server', async () => {
    refusal = said({ error: { message: 'Unexpected message role.' } })
    await both.ask(runtime, { model: fresh(), messages: [brief, hi] })
    accepts = () => true
    const body = (model: string) =>
      `{"model":"${model}", "messages":[{"role":"developer","content":"\\u0041"},{"role":"user","content":"hi"}] }`
    const model = fresh()
    await both.ask(runtime, body(model))
    expect(upstream.seen.at(-1)?.body).toBe(body(model.slice(model.indexOf('/') + 1)))
  })

  it('leaves requests without it as they are, byte for byte, also where it is refused', async () => {
    refusal = said({ error: { message: 'Unexpected message role.' } })
    const model = fresh()
    await both.ask(runtime, { model, messages: [brief, hi] })
    const body = (name: string) =>
      `{"model":"${name}", "messages":[{"role":"user","content":"developer \\u0041"}],"seed":1.0}`
    await both.ask(runtime, body(model))
    expect(upstream.seen.at(-1)?.body).toBe(body(model.slice(model.indexOf('/') + 1)))
  })

  it('is system in a large request too, whose texts stay as they are', async () => {
    refusal = said({ error: { message: 'Unexpected message role.' } })
    const long = { role: 'user', content: 'é\n"role":"developer"'.repeat(3000) }
    await both.ask(runtime, { model: fresh(), messages: [brief, long] })
    expect(JSON.parse(upstream.seen.at(-1)?.body ?? '').messages).toEqual([{ ...brief, role: 'system' }, long])
  })

  it.each([
    ['vLLM: vllm-project/vllm#41114', 400, { error: { message: 'System message must be at the beginning.' } }],
    [
      'Fireworks: BerriAI/litellm#39852',
      400,
      {
        error: {
          message: 'jinja template rendering failed. System message must be at the beginning.',
          code: 'invalid_request_error',
        },
      },
    ],
    [
      'llama.cpp: ggml-org/llama.cpp#19851',
      500,
      {
        error: {
          code: 500,
          message:
            'Jinja Exception: After the optional system message, conversation roles must alternate user and assistant roles except for tool calls and results.',
          type: 'server_error',
        },
      },
    ],
    [
      'vLLM: suitenumerique/conversations#197',
      400,
      {
        error: {
          message: 'Conversation roles must alternate user/assistant/user/assistant/...',
          type: 'BadRequestError',
        },
      },
    ],
  ])('goes into the first message where a template wants it there: %s', async (_, status, order) => {
    const role = said({ error: { message: 'Unexpected message role.' } })
    refusal = (request, ...rest) => {
      const { messages } = JSON.parse(request.body) as { messages: Message[] }
      return (noDeveloper(messages) ? said(order, status) : role)(request, ...rest)
    }
    accepts = oneSystem
    const model = fresh()
    const messages = [{ role: 'system', content: 'A' }, brief, hi]
    const reply = await both.ask(runtime, { model, messages })
    expect([reply.status, contentOf(reply.text)]).toEqual([200, 'ok'])
    const joined = [{ role: 'system', content: `A\n\n${brief.content}` }, hi]
    expect(JSON.parse(upstream.seen.at(-1)?.body ?? '').messages).toEqual(joined)
    expect(rolesSent()).toEqual(['system,developer,user', 'system,system,user', 'system,user'])
    const parts = [{ type: 'text', text: 'P' }]
    await both.ask(runtime, { model, messages: [hi, { role: 'developer', content: parts }, messages[0], hi] })
    expect(JSON.parse(upstream.seen.at(-1)?.body ?? '').messages).toEqual([
      { role: 'system', content: [...parts, { type: 'text', text: 'A' }] },
      hi,
      hi,
    ])
    expect(upstream.seen).toHaveLength(4)
  })

  it.each(withoutInstructions)('goes into the user’s first message for a model without it: %s', async (_, body) => {
    refusal = said(body)
    accepts = (messages) => messages.every(({ role }) => role !== 'developer' && role !== 'system')
    const model = fresh()
    const reply = await both.ask(runtime, { model, messages: [brief, hi, { role: 'assistant', content: 'x' }, hi] })
    expect([reply.status, contentOf(reply.text)]).toEqual([200, 'ok'])
    const [first] = JSON.parse(upstream.seen.at(-1)?.body ?? '').messages
    expect(first).toEqual({ role: 'user', content: `${brief.content}\n\nhi` })
    const parts = [{ type: 'text', text: 'P' }]
    const before = upstream.seen.length
    await both.ask(runtime, {
      model,
      messages: [
        { role: 'system', content: 'A' },
        { role: 'user', content: parts },
      ],
    })
    expect(JSON.parse(upstream.seen.at(-1)?.body ?? '').messages).toEqual([
      { role: 'user', content: [{ type: 'text', text: 'A' }, ...parts] },
    ])
    await both.ask(runtime, { model, messages: [{ role: 'system', content: 'A' }] })
    expect(JSON.parse(upstream.seen.at(-1)?.body ?? '').messages).toEqual([{ role: 'user', content: 'A' }])
    expect(upstream.seen).toHaveLength(before + 2)
  })

  it('is asked about a bounded number of times by a server that never takes it', async () => {
    accepts = () => false
    refusal = said({ error: { message: 'Unexpected message role.', type: 'x', param: null, code: 'y' } })
    const reply = await both.ask(runtime, { model: fresh(), messages: [brief, hi] })
    expect([reply.status, errorOf(reply).message]).toEqual([400, 'Unexpected message role.'])
    expect(rolesSent()).toEqual(['developer,user', 'system,user'])
  })

  it.each([
    ["Unexpected role 'user' after role 'tool'", [brief, hi]],
    ['Only user, assistant and tool roles are supported, got system.', [brief, hi]],
    ['Your developer account has no access to this content', [brief, hi]],
    ['Unexpected message role.', [{ role: 'narrator', content: 'developer' }, hi]],
    ['System message must be at the beginning.', [{ role: 'system', content: 'A' }, hi]],
    ['Conversation roles must alternate user/assistant/user/assistant/...', [hi, hi]],
    ['Developer instruction is not enabled for models/gemma-3-27b-it', [hi]],
    ['Incorrect role information', [{ role: 'narrator', content: 'developer' }, hi]],
  ])('is not at fault, and nothing is sent again: %s', async (message, messages) => {
    accepts = () => false
    refusal = said({ error: { message, type: 'x', param: null, code: 'y' } })
    const reply = await both.ask(runtime, { model: fresh(), messages })
    expect([reply.status, errorOf(reply).message]).toEqual([400, message])
    expect(upstream.seen).toHaveLength(1)
  })

  it('may be the subject of an answer', async () => {
    upstream.seen.length = 0
    accepts = () => true
    const reply = await both.ask(runtime, {
      model: fresh(),
      messages: [brief, { role: 'user', content: 'Unexpected message role.' }],
    })
    expect(contentOf(reply.text)).toBe('ok')
    expect(rolesSent()).toEqual(['developer,user'])
  })
})
