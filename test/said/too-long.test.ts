import { describe, expect, it } from 'vitest'
import { runtimes } from '../support/both.ts'
import { expectStandIn, expectTold, inStream, servePair } from '../support/said.ts'
import { json, text } from '../support/upstream.ts'

const pair = servePair('said-too-long')

const error = (message: string, more: object = {}) => ({ error: { message, ...more } })

/** Who says it, the status, the body, and how many tokens fit if it says so. */
const sayings: readonly [string, number, unknown, number?][] = [
  [
    'Google',
    400,
    error('The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).', {
      code: 400,
      status: 'INVALID_ARGUMENT',
    }),
    1048576,
  ],
  [
    'xAI',
    400,
    {
      code: 'Client specified an invalid argument',
      error: "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
    },
    131072,
  ],
  [
    'Google, behind Python',
    400,
    {
      detail:
        "Error code: 400 - [{'error': {'code': 400, 'message': 'The input token count exceeds the maximum number of tokens allowed (1048576).', 'status': 'INVALID_ARGUMENT'}}]",
    },
    1048576,
  ],
  // MoonshotAI/MoonshotAI-Cookbook#18
  ['Moonshot', 400, error('model max length exceeded, max length:8192'), 8192],
  ['Poolside', 400, error('Input length 131393 exceeds the maximum allowed input length of 131040 tokens.'), 131040],
  [
    'LiteLLM',
    503,
    error(
      "litellm.APIConnectionError: OpenAIException - Requested token count exceeds the model's maximum context length of 131072 tokens.",
    ),
    131072,
  ],
  ['Z.ai', 400, error('Too much.', { code: 'model_context_window_exceeded' })],
  ['AWS Bedrock', 400, { message: 'Input is too long for requested model.' }],
  [
    'Moonshot',
    400,
    error('Invalid request: Your request exceeded model token limit: 8192 (requested: 9000)', {
      type: 'invalid_request_error',
    }),
    8192,
  ],
  // sgl-project/sglang#4048, QwenLM/Qwen3#1321
  [
    'SGLang',
    400,
    {
      object: 'error',
      message: 'Input length (160062 tokens) exceeds the maximum allowed length (59862 tokens).',
      type: 'BadRequestError',
      code: 400,
    },
    59862,
  ],
  [
    'SGLang',
    400,
    {
      object: 'error',
      message: "The input (61709 tokens) is longer than the model's context length (40960 tokens).",
      code: 400,
    },
    40960,
  ],
  // vllm-project/vllm#20409
  [
    'vLLM',
    400,
    error("This model's maximum context length is 16384 tokens. However, you requested 19591 tokens.", { code: 400 }),
    16384,
  ],
  [
    'vLLM',
    500,
    error('The decoder prompt (length 9000) is longer than the maximum model length of 8192.', { code: 500 }),
    8192,
  ],
  // earendil-works/pi#102, anthropics/claude-code#476
  [
    'Anthropic',
    400,
    {
      type: 'error',
      error: { type: 'invalid_request_error', message: 'prompt is too long: 219898 tokens > 200000 maximum' },
    },
    200000,
  ],
  [
    'Anthropic',
    400,
    error('input length and `max_tokens` exceed context limit: 186433 + 20000 > 200000, decrease input'),
    200000,
  ],
  // huggingface/text-generation-inference#695
  [
    'TGI',
    422,
    {
      error: 'Input validation error: `inputs` must have less than 1024 tokens. Given: 1168',
      error_type: 'validation',
    },
    1024,
  ],
  // OpenHands/OpenHands#1902, continuedev/continue#10218
  ['Groq', 400, error('Please reduce the length of the messages or completion.', { code: 'context_length_exceeded' })],
  [
    'Groq',
    413,
    error(
      'Request too large for model `x` in organization `o` on tokens per minute (TPM): Limit 6000, Requested 14810, please reduce your message size and try again.',
      { type: 'tokens', code: 'rate_limit_exceeded' },
    ),
    6000,
  ],
  [
    'GitHub Models',
    413,
    error('Request body too large for x model. Max size: 8000 tokens.', { code: 'tokens_limit_reached' }),
    8000,
  ],
  ['DashScope', 400, error('Range of input length should be [1, 30720]', { code: 'invalid_parameter_error' }), 30720],
  // agent0ai/agent-zero#1102
  [
    'LiteLLM',
    400,
    error(
      "litellm.ContextWindowExceededError: litellm.BadRequestError: OpenAIException - {'error': {'message': \"This model's maximum context length is 16384 tokens. However, your request has 19427 input tokens.\"}}",
    ),
    16384,
  ],
  // cohere-ai/sandbox-topically#4
  [
    'Cohere',
    400,
    {
      message:
        'too many tokens: total number of tokens (prompt and prediction) cannot exceed 2048 - received 6354. Try using a shorter prompt.',
    },
    2048,
  ],
  // vllm-project/vllm#10440
  ['vLLM', 400, error('Input prompt (35247 tokens) is too long and exceeds limit of 1000'), 1000],
  // langgenius/dify#32221
  ['Volcengine', 400, error('Input length 224321 exceeds the maximum length 202752.'), 202752],
  ['AWS Bedrock', 400, { message: 'Input Tokens Exceeded: Number of input tokens exceeds maximum length.' }],
  [
    'AWS Bedrock',
    400,
    { message: 'Malformed input request: expected maxLength: 2048, actual: 3000, please reformat.' },
  ],
  ['Databricks', 400, { error_code: 'BAD_REQUEST', message: 'prompt token count (5097) cannot exceed 4096.' }, 4096],
  ['TensorRT-LLM', 500, error('Prompt length (5000) exceeds maximum input length (4096). Set it higher.'), 4096],
  [
    'TensorRT-LLM',
    500,
    error('The sum of prompt length (5000.0), query length (0) should not exceed max_num_tokens (4096)', { code: 500 }),
    4096,
  ],
  [
    'watsonx',
    400,
    {
      errors: [{ message: 'the number of input tokens 5000 cannot exceed the total tokens limit 4096 for this model' }],
    },
    4096,
  ],
  ['Snowflake', 400, { message: 'max tokens of 8192 exceeded' }, 8192],
  ['TabbyAPI', 400, { detail: 'Prompt length 5000 is greater than max_seq_len 4096' }, 4096],
  ['Zhipu', 400, { error: { code: '1261', message: 'Prompt 超长' } }],
  ['Volcengine', 400, error('Total tokens of image and text exceed max message tokens. Request id: 1')],
  ['NVIDIA', 400, { error: 'Input length 704 exceeds maximum allowed token size 512' }, 512],
  [
    'a router',
    400,
    error('Provider returned error', {
      metadata: { raw: 'Input length 131073 exceeds maximum allowed token size 131072' },
    }),
    131072,
  ],
  ['another', 400, error('Too many input tokens: 40000 > 32768'), 32768],
  ['another', 400, error('Input prompt too long: 40000 tokens, limit 32768'), 32768],
  ['another', 400, error('prompt tokens (40000) exceed the model limit of 32768'), 32768],
  ['another', 400, error("Your request would exceed the model's token limit: 200000 tokens"), 200000],
  ['a body that is too large for a server', 413, error('Payload Too Large')],
]

/** A refused `max_tokens`, which a shorter prompt doesn't cure. */
const tooMuch: readonly [server: string, message: string, more?: object][] = [
  // anthropics/claude-code#24451
  ['Anthropic', 'max_tokens: 128001 > 64000, which is the maximum allowed number of output tokens for claude-opus-4-5'],
  // ChatGPTNextWeb/NextChat#3195
  [
    'OpenAI',
    'max_tokens is too large: 100000. This model supports at most 4096 completion tokens, whereas you provided 100000.',
    { type: 'invalid_request_error', param: 'max_tokens', code: null },
  ],
  [
    'Groq',
    '`max_tokens` must be less than or equal to `8192`, the maximum value for `max_tokens` is less than the `context_window` for this model',
  ],
  // RooCodeInc/Roo-Code#248
  ['AWS Bedrock', 'The maximum tokens you requested exceeds the model limit of 4096. Try again with a lower value.'],
  ['another', 'max_tokens (100000) exceeds context window for output (4096)'],
]

describe.each(runtimes)('A prompt that is too long for the model, on %s', (runtime) => {
  it.each(sayings)('is told as OpenAI words it, after one try: %s, HTTP %i', async (_server, status, body, fits) => {
    const outcome = await pair.alone(runtime, json(status, body))
    const { message, type } = expectTold(outcome, 400, 'context_length_exceeded')
    expect(type).toBe('invalid_request_error')
    expect(message).toContain(fits ? `maximum context length is ${fits} tokens. However, ` : 'maximum context length')
    expect(outcome.reply.headers.get('x-should-retry')).toBe('false')
    expectStandIn(await pair.withFallback(runtime, json(status, body)))
  })

  it.each([
    [
      'with a status',
      { message: 'Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048.', http_status_code: 422 },
    ],
    [
      'with the kind alone',
      { message: '`inputs` must have less than 2048 tokens. Given: 2222', error_type: 'validation' },
    ],
    ['with a status and two words', { message: 'inputs too long, limit 2048', http_status_code: 422 }],
    ['as a text', 'Input validation error: `inputs` must have less than 2048 tokens. Given: 2222'],
  ])('is seen in an error under 200, whole or at the start of a stream: %s', async (_how, said) => {
    const whole = await pair.alone(runtime, json(200, { error: said }))
    expect(expectTold(whole, 400, 'context_length_exceeded').message).toContain('length is 2048 tokens')
    const streamed = await pair.alone(runtime, inStream(said), { stream: true })
    expectTold(streamed, 400, 'context_length_exceeded')
    expectStandIn(await pair.withFallback(runtime, inStream(said), { stream: true }))
  })

  it('is the meaning of a 413 without words, even of a web page', async () => {
    const page = '<html><h1>413 Request Entity Too Large</h1></html>'
    expectTold(await pair.alone(runtime, text(413, page, 'text/html')), 400, 'context_length_exceeded')
  })

  it('is not what another refused value means, under 200 or not: that is asked once, and told as it is', async () => {
    const said = 'Input validation error: `temperature` must be strictly positive'
    const whole = await pair.alone(runtime, json(200, { error: said, error_type: 'validation' }))
    expect(expectTold(whole, 422, null).message).toBe(said)
    expectTold(
      await pair.alone(runtime, inStream({ message: said, http_status_code: 422 }), { stream: true }),
      422,
      null,
    )
    expectTold(await pair.alone(runtime, json(422, { error: said, error_type: 'validation' })), 422, null)
  })

  it.each(tooMuch)('is not what a limit is that no answer may have: %s, %s', async (_server, message, more) => {
    const outcome = await pair.withFallback(runtime, json(400, error(message, more)), { max_tokens: 100_000 })
    expect(expectTold(outcome, 400, null)).toMatchObject({ message, param: 'max_tokens' })
  })

  it.each([
    'Malformed input request: #/tools/0/name: expected maxLength: 64, actual: 80, please reformat your input.',
    "max_tokens 300000 would exceed the model's token limit: 200000",
    'The stop sequence is too long: 500 characters.',
    'The input image has too many pixels: 40000 > 32768',
  ])('is not what else is too long: %s', async (message) => {
    const outcome = await pair.withFallback(runtime, json(400, error(message)))
    expect(expectTold(outcome, 400, null).message).toBe(message)
  })

  it('is not read out of a prompt or a tool that the upstream repeats', async () => {
    const prompt = 'What is the maximum context length of this model, and what does "prompt is too long" mean to it?'
    for (const said of [`Invalid message: ${prompt}`, 'Invalid schema for function "get context window size"']) {
      const messages = [{ role: 'user', content: `${prompt} get context window size` }]
      const outcome = await pair.withFallback(runtime, json(400, error(said)), { messages })
      expect(expectTold(outcome, 400, null).message).toBe(said)
    }
  })

  it('is not read out of an answer that speaks of it', async () => {
    const content = "This model's maximum context length is 8192 tokens."
    const answer = {
      id: 'x',
      object: 'chat.completion',
      choices: [{ index: 0, message: { role: 'assistant', content } }],
    }
    const { reply } = await pair.alone(runtime, json(200, answer))
    expect([reply.status, reply.text.includes(content)]).toEqual([200, true])
  })
})
