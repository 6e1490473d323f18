import { lateValue } from '../core/late.ts'
import type { Operation } from '../core/operation.ts'
import { checkRequest, textOrList } from './common/fields.ts'
import { missing } from './common/missing.ts'
import { plainDemand } from './common/plain-demand.ts'
import { operationFacts } from './facts.ts'

/** Whether texts or images are harmful, by category. */
export const moderations: Operation = {
  ...operationFacts.moderations,
  usualModel: 'omni-moderation-latest',
  check: (body) => checkRequest(body, ['input'], { input: textOrList }),
  query: plainDemand,
  bounding: lateValue(async () => (await import('./common/reading.ts')).boundingModerations),
  fault: missing('results', 'list'),
}
