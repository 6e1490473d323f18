import { lateValue } from '../core/late.ts'
import type { Operation } from '../core/operation.ts'
import { objectAt } from '../wire/json.ts'
import { missing } from './common/missing.ts'
import { usageIn } from './common/usage.ts'
import { operationFacts } from './facts.ts'
import { checkResponse } from './responses/check.ts'
import { responsesDemand } from './responses/demand.ts'
import { inOwnNames } from './responses/fields.ts'
import { overChat } from './responses/over-chat.ts'
import { conclusionOf, ResponsesReader } from './responses/reader.ts'
import { withoutSealed } from './responses/unsealed.ts'
import { eventsOf } from './responses/whole-events.ts'

/** OpenAI's API since 2025. A model that only chats serves it too. */
export const responses: Operation = {
  ...operationFacts.responses,
  prompt: 'input',
  echoes: true,
  check: checkResponse,
  inOwnNames,
  query: responsesDemand,
  fault: missing('output', 'list'),
  usage: usageIn,
  conclusion: conclusionOf,
  bounding: lateValue(async () => (await import('./responses/bounding.ts')).boundingResponse),
  withoutSealed,
  over: overChat,
  reader: (asked) => new ResponsesReader(asked),
  // The last event has all of it.
  toWhole: (events) => objectAt(events.at(-1), 'response') ?? {},
  toStream: eventsOf,
}
