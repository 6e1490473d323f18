import { describe, expect, it } from 'vitest'
import { runtimes } from '../support/both.ts'
import { expectStandIn, expectTold, inStream, servePair } from '../support/said.ts'
import { json, text } from '../support/upstream.ts'

const pair = servePair('said-hopeless')

const error = (message: string, more: object = {}) => ({ error: { message, ...more } })
const coded = (code: string, message = 'No more.') => error(message, { type: code, code })

const spent: readonly [string, number, unknown][] = [
  // continuedev/continue#10373, Wei-Shaw/sub2api#4069
  ['xAI', 429, { error: 'Your team x has either used all available credits or reached its monthly spending limit.' }],
  ['xAI', 403, { code: 'x', error: 'You have run out of credits or need a Grok subscription.' }],
  // NousResearch/hermes-agent#68832
  ['Ollama’s cloud', 429, { error: 'you (x) have reached your session usage limit, upgrade for higher limits' }],
  ['OpenAI', 429, coded('insufficient_quota')],
  // BerriAI/litellm#2743
  [
    'OpenAI',
    429,
    error('Your account is not active, please check your billing details on our website.', {
      type: 'billing_not_active',
    }),
  ],
  ['OpenAI', 400, coded('billing_hard_limit_reached')],
  // bajrangCoder/acode-plugin-chatgpt#19
  ['OpenAI, without a code', 400, error('Billing hard limit has been reached')],
  // promptfoo/promptfoo#10881
  ['OpenAI, prepaid', 429, coded('credit_balance_exhausted')],
  ['Codex', 429, error('The usage limit has been reached', { type: 'usage_limit_reached', resets_in_seconds: 9000 })],
  // adolfousier/opencrabs#1254
  ['Zhipu', 429, { error: { code: '1113', message: 'Insufficient balance or no resource package. Please recharge.' } }],
  [
    'Anthropic',
    400,
    error('Your credit balance is too low to access the Anthropic API.', { type: 'invalid_request_error' }),
  ],
  // BerriAI/litellm#14144, #40002
  [
    'LiteLLM',
    400,
    error('litellm.BadRequestError: OpenAIException - Budget has been exceeded! Current cost: 14.2, Max budget: 10', {
      type: null,
      code: '400',
    }),
  ],
  [
    'LiteLLM',
    429,
    error('Budget has been exceeded! Key=x Current cost: 0.1, Max budget: 0.01', {
      type: 'budget_exceeded',
      code: '429',
    }),
  ],
  [
    'OpenRouter',
    403,
    error('Key limit exceeded (total limit). Manage it using https://openrouter.ai/settings/keys', { code: 403 }),
  ],
  ['DashScope', 400, coded('Arrearage', 'Access denied, please make sure your account is in good standing.')],
  ['DashScope', 403, coded('AllocationQuota.FreeTierOnly', 'The free tier of the model has been exhausted.')],
  ['Ollama’s cloud', 429, { error: "you've reached your weekly usage limit, please upgrade to continue" }],
  // FoundationAgents/OpenManus#438
  ['SiliconFlow', 403, { code: 30001, message: 'Sorry, your account balance is insufficient', data: null }],
  // songquanpeng/one-api#1270
  ['new-api', 403, error('用户额度不足', { type: 'new_api_error', code: 'insufficient_user_quota' })],
  [
    'Cloudflare',
    429,
    { errors: [{ message: 'you have used up your daily free allocation of 10,000 neurons', code: 4006 }] },
  ],
  // huggingface/agents-course#386
  ...[402, 403].map((status): [string, number, unknown] => [
    'Hugging Face',
    status,
    {
      error:
        'You have exceeded your monthly included credits for Inference Providers. Subscribe to PRO to get 20x more.',
    },
  ]),
  // continuedev/continue#12670
  [
    'xAI, of a new team',
    403,
    {
      code: 'The caller does not have permission to execute the specified operation',
      error:
        "Your newly created team doesn't have any credits or licenses yet. You can purchase those on console.x.ai.",
    },
  ],
  // anomalyco/opencode#48602
  ['OpenCode Zen', 401, { type: 'error', error: { type: 'CreditsError', message: 'Insufficient balance.' } }],
  ['Novita', 403, { code: 403, reason: 'NOT_ENOUGH_BALANCE', message: 'not enough balance', metadata: {} }],
  // cohere-ai/cohere-developer-experience#199
  [
    'Cohere, on trial',
    429,
    { message: 'You are using a Trial key, which is limited to 1000 API calls / month. You can continue to use it.' },
  ],
  ['another', 429, error('No more.', { code: 'monthly_quota_exceeded' })],
  ['another, in words', 429, error('Quota exceeded for the month.')],
  // pollinations/pollinations#12136
  [
    'Fireworks',
    412,
    error(
      'Account x is suspended, possibly due to reaching the monthly spending limit or failure to pay past invoices.',
      { param: null, code: 'PRECONDITION_FAILED', type: 'error' },
    ),
  ],
]

const unfit: readonly [string, number, unknown][] = [
  // OpenHands/OpenHands#13949
  [
    'llama.cpp',
    500,
    error(
      'Failed to parse tool call arguments as JSON: [json.exception.parse_error.101] parse error at line 1, column 131: syntax error while parsing value - unexpected end of input',
      { code: 500, type: 'server_error' },
    ),
  ],
  // ggml-org/llama.cpp#13178, diegosouzapw/OmniRoute#4982
  [
    'llama.cpp',
    500,
    error('Cannot subscript null at row 23, column 40:\n    {%- set tool_start_length = tool_start|length %}', {
      code: 500,
      type: 'server_error',
    }),
  ],
  [
    'llama.cpp',
    400,
    error(
      'Unable to generate parser for this template. Automatic parser generation failed: Error: Jinja Exception: No user query found in messages.',
    ),
  ],
  ['llama.cpp', 500, error('tools param requires --jinja flag', { code: 500, type: 'server_error' })],
  [
    'vLLM',
    400,
    { object: 'error', message: 'Conversation roles must alternate user/assistant/user/assistant/...', code: 400 },
  ],
  [
    'vLLM',
    400,
    error('As of transformers v4.44, default chat template is no longer allowed, so you must provide a chat template.'),
  ],
  // vllm-project/vllm#16321
  ['vLLM', 400, error('The provided JSON schema contains features not supported by xgrammar.')],
  // earendil-works/pi#5352
  ['Fireworks', 400, error('JSON Schema not supported: could not understand the instance.')],
  // Simpleyyt/ai-manus#101
  [
    'Google',
    400,
    error("Function calling with a response mime type: 'application/json' is unsupported", { code: 400 }),
  ],
  // ollama/ollama#12182
  ['Ollama', 400, { error: '"x" does not support chat' }],
  // containers/ramalama#752
  [
    'llama.cpp',
    500,
    error(
      '[json.exception.parse_error.101] parse error at line 1, column 1: attempting to parse an empty input; check that your input string or stream contains the expected JSON',
      { code: 500, type: 'server_error' },
    ),
  ],
  ['llama.cpp', 500, error('Failed to parse tools: Unsupported tool type: custom', { code: 500 })],
  // 0xPlaygrounds/rig#230
  ['TGI', 422, { error: 'Template error: unknown filter', error_type: 'template_error' }],
]

describe.each(runtimes)('A used-up allowance, on %s', (runtime) => {
  it.each(spent)('is asked once, then elsewhere, and told as a quota: %s, HTTP %i', async (_server, status, body) => {
    expectStandIn(await pair.withFallback(runtime, json(status, body)))
    const outcome = await pair.alone(runtime, json(status, body))
    expect(expectTold(outcome, 429, 'insufficient_quota').type).toBe('insufficient_quota')
    expect(outcome.reply.headers.get('x-should-retry')).toBe('false')
  })

  it('is seen at the start of a stream', async () => {
    expectStandIn(
      await pair.withFallback(runtime, inStream({ message: 'No.', code: 'insufficient_quota' }), { stream: true }),
    )
  })

  it('is not a rate limit that passes, whatever it counts', async () => {
    for (const said of [
      'Your account is not suspended: slow down.',
      'Rate limit reached for requests per day: Limit 200, Used 200.',
      'Quota of requests per minute is used.',
      'You are using a Trial key, which is limited to 20 API calls / minute.',
    ]) {
      const { reply, asked } = await pair.alone(runtime, json(429, error(said)))
      expect([reply.status, asked]).toEqual([429, 3])
      expect(reply.text).toContain('rate_limit_exceeded')
    }
  })

  it('is not read out of a prompt that a refusal repeats', async () => {
    const prompt = 'My provider says: your credit balance is too low, and the usage limit has been reached. Why?'
    const messages = [{ role: 'user', content: prompt }]
    const outcome = await pair.withFallback(runtime, json(400, error(`Bad message: ${prompt}`)), { messages })
    expect([outcome.reply.status, outcome.asked]).toEqual([400, 1])
  })
})

describe.each(runtimes)('A request that a model’s template can’t put into words, on %s', (runtime) => {
  it.each(unfit)('is sent once, then elsewhere: %s, HTTP %i %j', async (_server, status, body) => {
    expectStandIn(await pair.withFallback(runtime, json(status, body)))
    const outcome = await pair.alone(runtime, json(status, body))
    expectTold(outcome, 400, 'unsupported_parameter')
    expect(outcome.reply.headers.get('x-should-retry')).toBe('false')
  })

  it.each(["Failed to parse messages: Missing 'role'", 'Failed to parse tools: Missing tool name'])(
    'is not what a malformed request is, which is told after one try, though llama.cpp says 500: %s',
    async (message) => {
      const outcome = await pair.withFallback(runtime, json(500, error(message, { code: 500, type: 'server_error' })))
      expect(expectTold(outcome, 400, null).message).toBe(message)
    },
  )

  it.each(['template service: CUDA out of memory', '[json.exception.type_error.316] invalid UTF-8 byte at index 145'])(
    'is not what any other 500 is about, which is asked again: %s',
    async (message) => {
      const { asked } = await pair.alone(runtime, json(500, error(message)))
      expect(asked).toBe(3)
    },
  )
})

describe.each(runtimes)('A client is told not to come again, on %s', (runtime) => {
  it('where the gateway’s own key is refused', async () => {
    const { reply } = await pair.alone(runtime, json(401, error('Incorrect API key provided')))
    expect([reply.status, reply.headers.get('x-should-retry')]).toEqual([502, 'false'])
  })

  it('where the account behind that key is closed, under 400', async () => {
    const closed = error('Organization has been restricted.', { code: 'organization_restricted' })
    expectStandIn(await pair.withFallback(runtime, json(400, closed)))
    expectTold(await pair.alone(runtime, json(400, closed)), 502, 'upstream_credentials_rejected')
  })

  it('where a 5xx carries the status of a refusal: it is asked once', async () => {
    const { reply, asked } = await pair.alone(
      runtime,
      json(500, error("Error code: 401 - {'error': {'message': 'no'}}")),
    )
    expect([reply.status, asked, reply.headers.get('x-should-retry')]).toEqual([502, 1, 'false'])
  })

  it('where the gateway has tried enough', async () => {
    const { reply, asked } = await pair.alone(runtime, text(502, 'bad gateway'))
    expect([reply.status, asked, reply.headers.get('x-should-retry')]).toEqual([502, 3, 'false'])
  })

  it('but not where something that may pass was tried once', async () => {
    const { reply, asked } = await pair.alone(runtime, json(429, error('slow down'), { 'retry-after': '33' }))
    expect([reply.status, asked, reply.headers.get('x-should-retry')]).toEqual([429, 1, null])
  })
})
