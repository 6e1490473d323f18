import { late } from '../src/core/late.ts'
import { defineProvider, type OperationSpec } from '../src/core/provider.ts'
import { anthropicHeaders, anthropicURL, countPath } from './anthropic/address.ts'
import { anthropicErrors, healSampling } from './anthropic/failures.ts'
import { versionOf } from './anthropic/version.ts'

/** Anthropic's Messages API, and servers that speak it. */
export default defineProvider({
  type: 'anthropic',
  title: 'Anthropic',
  baseURL: 'https://api.anthropic.com',
  env: { apiKey: 'ANTHROPIC_API_KEY', baseURL: 'ANTHROPIC_BASE_URL' },
  answers: ['claude-*'],
  operations: () => operations,
  headers: anthropicHeaders,
  url: (settings, path) => anthropicURL(settings) + path,
  // What it has beside messages: batches, files and skills.
  passes: (settings, path) => (ownPath.test(path) ? `${anthropicURL(settings)}/v1${path}` : undefined),
  errors: anthropicErrors,
  heal: healSampling,
  reasoning: ['anthropic-claude-v1'],
  // A last message of the assistant is continued by models before 4.6, without the white space at its end, which is
  // refused. Later ones refuse it whole, and others behind such an address may do as they like:
  // https://platform.claude.com/docs/en/build-with-claude/prompt-engineering/prefill-claudes-response
  continues: (_, model) => ((versionOf(model) ?? 406) < 406 ? { chat: { trims: true } } : {}),
  models: late(async () => (await import('./anthropic/models.ts')).listModels),
})

const ownPath = /^\/(messages|files|skills)(?=[/?]|$)/

const chat: OperationSpec = {
  path: '/v1/messages',
  load: async () => (await import('./anthropic/wire.ts')).chatWire,
  remedied: 'before',
  // https://platform.claude.com/docs/en/api/openai-sdk says what its own imitation of OpenAI's API ignores: the same.
  lacks: [
    ...['functions', 'n', 'logprobs', 'logit_bias', 'seed', 'presence_penalty', 'frequency_penalty'],
    ...['custom_tools', 'audio_output', 'input_audio', 'prediction', 'web_search', 'moderation'],
  ] as const,
}

const operations = {
  chat,
  inputTokens: { path: countPath, serve: late(async () => (await import('./anthropic/count.ts')).countInput) },
  // In Anthropic's own terms, as they come.
  messages: { path: '/v1/messages' },
  countTokens: { path: countPath },
} satisfies Record<string, OperationSpec>
