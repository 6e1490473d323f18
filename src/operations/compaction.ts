import { lateValue } from '../core/late.ts'
import type { Operation } from '../core/operation.ts'
import { missing } from './common/missing.ts'
import { usageIn } from './common/usage.ts'
import { operationFacts } from './facts.ts'
import { checkResponse } from './responses/check.ts'
import { compactionOverChat } from './responses/compaction-over-chat.ts'
import { responsesDemand } from './responses/demand.ts'
import { inOwnNames } from './responses/fields.ts'
import { withoutSealed } from './responses/unsealed.ts'

/** Makes a conversation shorter: what was said becomes an item that only its maker can read. */
export const compaction: Operation = {
  ...operationFacts.compaction,
  prompt: 'input',
  check: checkResponse,
  inOwnNames,
  query: responsesDemand,
  fault: missing('output', 'list'),
  usage: usageIn,
  bounding: lateValue(async () => (await import('./responses/bounding.ts')).boundingCompaction),
  withoutSealed,
  over: compactionOverChat,
}
