import { describe, expect, it } from 'vitest'
import { readRefusal } from '../../src/core/failure.ts'
import { failureWords } from '../../src/core/failure-words.ts'
import type { FailureKind } from '../../src/wire/errors.ts'
import { toldError } from '../../src/wire/told-error.ts'
import { fakeProvider } from '../support/sinks.ts'

await failureWords.load()

const refusal = (status: number, body: unknown, sent = '') =>
  readRefusal(
    {
      status,
      headers: {},
      body: JSON.stringify(body),
      model: 'some-model',
      asked: 'some-model',
      bearer: undefined,
      sent: () => sent,
      now: 0,
    },
    fakeProvider('p'),
  )

type Saying = readonly [server: string, status: number, words: string, code?: string]

/** What servers say, by what it means. */
const sayings: Partial<Record<FailureKind, readonly Saying[]>> = {
  upstream: [
    ['Groq', 400, "Failed to call a function. Please adjust your prompt. See 'failed_generation'", 'tool_use_failed'],
    ['Groq', 400, 'Failed to generate JSON.', 'json_validate_failed'],
  ],
  not_found: [
    ['Groq', 403, 'The model is blocked at the organization level.', 'model_permission_blocked_org'],
    ['GitHub Models', 400, 'Unknown model: x', 'unknown_model'],
    ['Together', 400, 'Unable to access non-serverless model x. Please create an endpoint.'],
    ['Bedrock', 400, 'The provided model identifier is invalid.'],
    ['NVIDIA', 404, "Function 'x': Not found for account 'y'"],
    ['another', 400, 'No model matches the given name'],
    ['a project', 403, 'You do not have access to model x'],
    ['Hugging Face', 400, "The requested model 'x' is not supported by any provider you have enabled."],
  ],
  retired: [['Groq', 400, 'The model has been decommissioned and is no longer supported.', 'model_decommissioned']],
  content_policy: [
    ['OpenRouter', 403, 'x requires moderation on OpenInference. Your input was flagged for "violence".'],
    ['xAI', 403, 'Content violates usage guidelines.'],
    ['DeepSeek', 400, 'Content Exists Risk'],
    ['OpenRouter', 400, 'Your input was flagged for "violence"'],
    ['Google', 400, 'Prompt was blocked: PROHIBITED_CONTENT'],
    ['OpenAI', 400, 'Your request was rejected as a result of our safety system.'],
  ],
  context_length: [
    ['Cohere', 400, 'too many tokens: total number of tokens in the prompt cannot exceed 2048'],
    ['Volcengine', 400, 'Input length 9000 exceeds the maximum length 8192'],
    ['others', 400, 'the inputs too long for this model'],
    ['others', 400, "this would exceed the model's token limit: 200000 tokens"],
    ['DashScope', 400, 'Range of input length should be [1, 30720]'],
  ],
  quota: [
    ['SiliconFlow', 403, 'Sorry, your account balance is insufficient'],
    ['xAI', 400, "Your newly created team doesn't have any credits"],
    ['one-api', 403, 'user quota is not enough', 'insufficient_user_quota'],
    ['Zhipu', 429, '余额不足或无可用资源包,请充值。', '1113'],
    ['Google', 429, 'You exceeded your current quota. Quota exceeded for metric: x, limit: 0\nPlease retry in 3.2s.'],
  ],
  rate_limit: [
    ['Google', 429, 'You exceeded your current quota. Quota exceeded for metric: x, limit: 10\nPlease retry in 3.2s.'],
    ['others', 429, 'Rate limit reached. Add credits or wait 10 seconds.'],
  ],
  incapable: [
    ['Google', 400, 'Function calling is not enabled for models/gemma-3'],
    ['Google', 400, "Function calling with a response mime type: 'application/json' is unsupported"],
    ['Google', 400, 'Image input modality is not enabled for models/x'],
    ['others', 400, 'Vision is not supported by this model'],
    ['others', 400, 'Tools are not supported by this model'],
    ['Groq', 400, 'This model does not support response format `json_schema`.'],
    ['Ollama', 400, '"nomic-embed-text" does not support chat'],
    ['Ollama', 500, 'this model is missing data required for image input'],
    ['OpenAI', 400, 'Invalid content type. image_url is only supported by certain models.'],
  ],
  wrong_endpoint: [
    ['Azure', 400, 'The chatCompletion operation does not work with the specified model, x.', 'OperationNotSupported'],
  ],
  no_live_provider: [
    ['Google', 400, 'User location is not supported for the API use.'],
    ['LM Studio', 400, 'Failed to load model "x". Error: out of memory'],
    ['OpenRouter', 404, 'No allowed providers are available for the selected model.'],
  ],
  overloaded: [
    ['NVIDIA', 400, 'DEGRADED function cannot be invoked'],
    ['Anthropic', 529, 'Overloaded', 'overloaded_error'],
  ],
}
const rows = Object.entries(sayings).flatMap(([kind, said]) =>
  said.map(([server, status, words, code]) => ({ kind, server, status, words, code })),
)

describe('A model’s name', () => {
  const about = (message: string) => refusal(400, { error: { message } }).kind

  it.each(['unknown model some-model', 'Invalid model some-model for this key', 'Unsupported model: some-model'])(
    'is known from the request: %s',
    (message) => {
      expect(about(message)).toBe('not_found')
    },
  )

  it.each([
    'Invalid image: could not be downloaded; model some-model requires a valid image. File does not exist',
    'Unsupported model parameter value: temperature 3 is out of range',
    'tool call id call_1 not found in messages; model response is invalid',
  ])('doesn’t make another mistake a missing model: %s', (message) => {
    expect(about(message)).toBe('bad_request')
  })
})

it('A wait that only the message tells is one', () => {
  expect(refusal(429, { error: { message: 'Quota exceeded, limit: 10. Please retry in 3.2s.' } }).retryAfterMs).toBe(
    3_200,
  )
})

it('A code in brackets is no size of a context', () => {
  const { kind, message } = refusal(400, { error: { message: 'invalid params, context window exceeds limit (2013)' } })
  expect([kind, message]).toEqual(['context_length', expect.not.stringContaining('is 2013 tokens')])
})

it.each([{ code: '0', message: '' }, { code: 0, message: 'Success.' }, { code: '200', message: 'OK' }, 'N/A'])(
  'An error that says success is none: %o',
  (error) => {
    expect(toldError({ choices: [], error })).toBeUndefined()
  },
)

describe('What a server says is recognised', () => {
  it.each(rows)('$server: $kind: $words ($status)', ({ kind, status, words, code }) => {
    expect(refusal(status, { error: { message: words, ...(code && { code }) } }).kind).toBe(kind)
  })

  it.each(rows.filter(({ status, code }) => code === undefined && status === 400))(
    'but not in a prompt that a server quotes: $server: $words',
    ({ words }) => {
      const sent = JSON.stringify({ messages: [{ role: 'user', content: `Explain: ${words}` }] })
      const quoting = `Invalid value for messages[0].content: 'Explain: ${words}'`
      expect(refusal(400, { error: { message: quoting } }, sent).kind).toBe('bad_request')
    },
  )
})

describe('Words that a server only repeats', () => {
  const asked = (content: string) => JSON.stringify({ messages: [{ role: 'user', content }] })

  it.each([
    ['model `gpt-9` does not exist', 'Blocked phrase in prompt: model `gpt-9` does not exist'],
    ['model `gpt-9` does not exist', 'Blocked phrase in prompt: "model `gpt-9` does not exist" (rule 7)'],
    [
      'insufficient_quota credit balance is too low',
      'Error parsing: insufficient_quota credit balance is too low at messages[0]',
    ],
  ])('mean nothing where the request begins or ends beside them: %s, in %s', (content, message) => {
    expect(refusal(400, { error: { message } }, asked(content)).kind).toBe('bad_request')
  })

  it.each([
    ['Why "Your credit balance is too low"?', 'Your credit balance is too low to access the API', 'quota'],
    ['Why "Your credit balance is too low"?', 'Error: Your credit balance is too low. Id: 7', 'quota'],
    ['What is a context window?', 'Invalid prompt: context window exceeded', 'context_length'],
    ['The model `gpt-9` does not exist. Id: 6', 'The model `gpt-9` does not exist. Id: 7', 'not_found'],
    ['The model `gpt-9` does not exist', 'Error message: The model `gpt-9` does not exist', 'not_found'],
  ])('count all the same where it is no echo that begins there: %s, but %s', (content, message, kind) => {
    expect(refusal(400, { error: { message } }, asked(content)).kind).toBe(kind)
  })
})
