import { describe, expect, it } from 'vitest'
import { runtimes } from '../support/both.ts'
import { expectTold, inStream, servePair } from '../support/said.ts'
import { json } from '../support/upstream.ts'

const pair = servePair('said-content-policy')

const error = (message: string, more: object = {}) => ({ error: { message, ...more } })

const sayings: readonly [string, number, unknown][] = [
  [
    'Azure',
    400,
    error("The response was filtered due to the prompt triggering Azure OpenAI's content management policy.", {
      code: 'content_filter',
    }),
  ],
  // theopenco/llmgateway#2110
  ['OpenAI', 400, error('Your request was rejected by the safety system.', { type: 'image_generation_user_error' })],
  // alan-turing-institute/t0-1#69
  ['OpenAI', 400, error('Your prompt was flagged as potentially violating our usage policy.', { code: 'x' })],
  // anthropics/claude-code#58367
  ['Anthropic', 400, error('Output blocked by content filtering policy', { type: 'invalid_request_error' })],
  // cline/cline#569
  [
    'OpenRouter',
    403,
    error('openai/x requires moderation on OpenAI. Your input was flagged for "violence". No credits were charged.', {
      code: 403,
    }),
  ],
  [
    'OpenRouter, with its reasons apart',
    403,
    error('Your chosen model requires moderation and your input was flagged', {
      code: 403,
      metadata: { reasons: ['violence'], flagged_input: 'How do I…', provider_name: 'OpenAI' },
    }),
  ],
  ['OpenRouter, in few words', 403, error('Input flagged', { code: 403, metadata: { reasons: ['violence'] } })],
  [
    'Zhipu',
    400,
    { error: { code: '1301', message: '系统检测到输入或生成内容可能包含不安全或敏感内容，请您避免输入。' } },
  ],
  ['Google', 400, error('Prompt was blocked: PROHIBITED_CONTENT', { code: 400 })],
  // UKGovernmentBEIS/inspect_ai#2267
  [
    'xAI',
    403,
    {
      code: 'The caller does not have permission to execute the specified operation',
      error: 'Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_BIO',
    },
  ],
  // deepseek-ai/awesome-deepseek-integration#13
  ['DeepSeek', 400, error('Content Exists Risk', { type: 'invalid_request_error', code: 'invalid_request_error' })],
  // camel-ai/owl#432
  ['DashScope', 400, error('Input data may contain inappropriate content.', { code: 'data_inspection_failed' })],
]

describe.each(runtimes)('A prompt that a provider’s filter refuses, on %s', (runtime) => {
  it.each(sayings)(
    'is told as that after one try, and not sent elsewhere: %s, HTTP %i',
    async (_server, status, body) => {
      const outcome = await pair.withFallback(runtime, json(status, body))
      expect(expectTold(outcome, 400, 'content_policy_violation').type).toBe('invalid_request_error')
    },
  )

  it('is seen at the start of a stream', async () => {
    const flagged = { message: 'x requires moderation on OpenAI. Your input was flagged for "sexual".', code: 403 }
    expectTold(await pair.withFallback(runtime, inStream(flagged), { stream: true }), 400, 'content_policy_violation')
  })

  it('is not what a rejected key is, whose account was flagged', async () => {
    const outcome = await pair.alone(runtime, json(403, error('Your account was flagged for unusual activity.')))
    expectTold(outcome, 502, 'upstream_credentials_rejected')
  })

  it('is not what a refusal means that repeats such words from the prompt', async () => {
    const prompt = 'DeepSeek says Content Exists Risk, and xAI says Content violates usage guidelines. What now?'
    const messages = [{ role: 'user', content: prompt }]
    const outcome = await pair.withFallback(runtime, json(400, error(`Bad content: ${prompt}`)), { messages })
    expectTold(outcome, 400, null)
  })
})
