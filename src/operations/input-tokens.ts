import { lateValue } from '../core/late.ts'
import type { Operation } from '../core/operation.ts'
import { plainDemand } from './common/plain-demand.ts'
import { operationFacts } from './facts.ts'
import { checkResponse } from './responses/check.ts'
import { inOwnNames } from './responses/fields.ts'

/** Counts what a request for a response would be to the model. That a model lacks room for it is no reason not to. */
export const inputTokens: Operation = {
  ...operationFacts.inputTokens,
  prompt: 'input',
  check: checkResponse,
  inOwnNames,
  query: plainDemand,
  bounding: lateValue(async () => (await import('./responses/bounding.ts')).boundingCount),
  fault: ({ input_tokens: count }) => (typeof count === 'number' ? undefined : { wrong: 'sent no number of tokens' }),
}
