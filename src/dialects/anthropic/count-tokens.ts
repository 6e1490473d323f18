import { atHand } from '../../core/late.ts'
import type { Operation } from '../../core/operation.ts'
import type { Translation } from '../../core/translation.ts'
import { plainDemand } from '../../operations/common/plain-demand.ts'
import { responseFor } from '../../operations/common/response-for-chat.ts'
import { inputTokens } from '../../operations/input-tokens.ts'
import { parseBody } from '../../wire/body.ts'
import { boundingCount } from './bounding.ts'
import { checkPrompt } from './check.ts'
import { forAnthropic } from './direct.ts'
import { inOwnTerms, toChat } from './request.ts'

const overInputTokens: Translation<Operation> = {
  operation: inputTokens,
  direct: forAnthropic,
  failure: inOwnTerms,
  begin({ json }, context) {
    const { chat, dropped } = toChat(json, context)
    return {
      body: parseBody(new TextEncoder().encode(JSON.stringify(responseFor(chat)))),
      dropped,
      answer: ({ input_tokens }) => ({ input_tokens }),
    }
  },
}

/** Counts what a request for a message would be to the model. */
export const countTokens: Operation = {
  name: 'countTokens',
  path: '/messages/count_tokens',
  routes: [],
  check: checkPrompt,
  query: plainDemand,
  bounding: atHand(boundingCount),
  fault: ({ input_tokens: count }) => (typeof count === 'number' ? undefined : { wrong: 'sent no number of tokens' }),
  over: overInputTokens,
}
