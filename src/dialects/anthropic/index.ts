import type { Operation } from '../../core/operation.ts'
import type { OwnHeaders } from '../../wire/headers.ts'
import type { Dialect, DialectRoute, InferenceRoute } from '../dialect.ts'
import { addresses } from './addresses.ts'
import { countTokens } from './count-tokens.ts'
import { messages } from './messages.ts'
import { listModels, retrieveModel } from './models.ts'
import { refuse, statusOf } from './words.ts'

/** https://platform.claude.com/docs/en/api/rate-limits#response-headers */
const limits = ['requests', 'tokens', 'input-tokens', 'output-tokens'].flatMap((what) =>
  ['limit', 'remaining', 'reset'].map((kind) => `anthropic-ratelimit-${what}-${kind}`),
)

const headers: OwnHeaders = { id: 'request-id', exposed: ['request-id', ...limits].join(', ') }
const words = { refuse, status: statusOf, headers }

/** Anthropic's API: https://platform.claude.com/docs/en/api/messages */
export const anthropic: Dialect<DialectRoute> = {
  routes: [
    routeOf(messages, addresses.messages),
    routeOf(countTokens, addresses.countTokens),
    { ...addresses.models, ...words, look: listModels },
    { ...addresses.model, ...words, look: retrieveModel },
  ],
}

function routeOf(operation: Operation, address: Pick<InferenceRoute, 'method' | 'path'>): InferenceRoute {
  return {
    ...address,
    ...words,
    carries: ['anthropic-beta', 'anthropic-version'],
    sessionHeader: 'x-claude-code-session-id',
    request(body) {
      operation.check(body)
      return { operation, body }
    },
  }
}
