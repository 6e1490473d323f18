import { describe, expect, it } from 'vitest'
import { readRefusal } from '../../src/core/failure.ts'
import type { FailureKind } from '../../src/wire/errors.ts'
import { fakeProvider } from '../support/sinks.ts'

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

const sayings: readonly [server: string, kind: FailureKind, status: number, message: string, code?: string][] = [
  [
    'Groq',
    'upstream',
    400,
    "Failed to call a function. Please adjust your prompt. See 'failed_generation'",
    'tool_use_failed',
  ],
  ['Groq', 'upstream', 400, 'Failed to generate JSON.', 'json_validate_failed'],
  ['Groq', 'not_found', 403, 'The model is blocked at the organization level.', 'model_permission_blocked_org'],
  ['Groq', 'retired', 400, 'The model has been decommissioned and is no longer supported.', 'model_decommissioned'],
  ['GitHub Models', 'not_found', 400, 'Unknown model: x', 'unknown_model'],
  ['Together', 'not_found', 400, 'Unable to access non-serverless model x. Please create an endpoint.'],
  ['Bedrock', 'not_found', 400, 'The provided model identifier is invalid.'],
  ['NVIDIA', 'not_found', 404, "Function 'x': Not found for account 'y'"],
  ['Hugging Face', 'not_found', 400, "The requested model 'x' is not supported by any provider you have enabled."],
  [
    'OpenRouter',
    'content_policy',
    403,
    'x requires moderation on OpenInference. Your input was flagged for "violence".',
  ],
  ['xAI', 'content_policy', 403, 'Content violates usage guidelines.'],
  ['DeepSeek', 'content_policy', 400, 'Content Exists Risk'],
  ['OpenAI', 'content_policy', 400, 'Your request was rejected as a result of our safety system.'],
  ['Cohere', 'context_length', 400, 'too many tokens: total number of tokens in the prompt cannot exceed 2048'],
  ['Volcengine', 'context_length', 400, 'Input length 9000 exceeds the maximum length 8192'],
  ['DashScope', 'context_length', 400, 'Range of input length should be [1, 30720]'],
  ['SiliconFlow', 'quota', 403, 'Sorry, your account balance is insufficient'],
  ['one-api', 'quota', 403, 'user quota is not enough', 'insufficient_user_quota'],
  ['Google', 'incapable', 400, 'Function calling is not enabled for models/gemma-3'],
  ['Google', 'incapable', 400, "Function calling with a response mime type: 'application/json' is unsupported"],
  ['Groq', 'incapable', 400, 'This model does not support response format `json_schema`.'],
  ['Ollama', 'incapable', 400, '"nomic-embed-text" does not support chat'],
  ['OpenAI', 'incapable', 400, 'Invalid content type. image_url is only supported by certain models.'],
  [
    'Azure',
    'wrong_endpoint',
    400,
    'The chatCompletion operation does not work with the specified model, x.',
    'OperationNotSupported',
  ],
  ['Google', 'no_live_provider', 400, 'User location is not supported for the API use.'],
  ['LM Studio', 'no_live_provider', 400, 'Failed to load model "x". Error: out of memory'],
  ['OpenRouter', 'no_live_provider', 404, 'No allowed providers are available for the selected model.'],
  ['NVIDIA', 'overloaded', 400, 'DEGRADED function cannot be invoked'],
  ['Anthropic', 'overloaded', 529, 'Overloaded', 'overloaded_error'],
]

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

describe('What a server says is recognised', () => {
  it.each(sayings)('%s: %s (%i)', (_server, kind, status, message, code) => {
    expect(refusal(status, { error: { message, ...(code && { code }) } }).kind).toBe(kind)
  })

  it.each(sayings.filter(([, , status, , code]) => code === undefined && status === 400))(
    'but not in a prompt that a server quotes: %s: %s (%i)',
    (_server, _kind, _status, message) => {
      const sent = JSON.stringify({ messages: [{ role: 'user', content: `Explain: ${message}` }] })
      const quoting = `Invalid value for messages[0].content: 'Explain: ${message}'`
      expect(refusal(400, { error: { message: quoting } }, sent).kind).toBe('bad_request')
    },
  )
})
