import type { Address } from '../dialect.ts'

/** Anthropic's clients send it with every request, those of OpenAI with none. */
const claims: Address['claims'] = (header) => header('anthropic-version') !== undefined

/** Where the dialect is found: all of it that is loaded at start. */
export const addresses = {
  messages: { method: 'POST', path: '/messages' },
  countTokens: { method: 'POST', path: '/messages/count_tokens' },
  models: { method: 'GET', path: '/models', claims },
  model: { method: 'GET', path: '/models/{model}', claims },
} as const satisfies Readonly<Record<string, Address>>
