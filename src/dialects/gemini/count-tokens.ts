import type { Operation } from '../../core/operation.ts'
import { readingOnly } from '../../operations/common/bounding.ts'
import { plainDemand } from '../../operations/common/plain-demand.ts'
import { responseFor } from '../../operations/common/response-for-chat.ts'
import { inputTokens } from '../../operations/input-tokens.ts'
import { parseBody } from '../../wire/body.ts'
import { isObject, type JsonObject } from '../../wire/json.ts'
import { checkAsked } from './check.ts'
import { camel } from './fields.ts'
import { inOwnTerms, toChat } from './request.ts'

/** Counts what a request for content would be to the model: its contents alone, or all of it. */
export const countContentTokens: Operation = {
  name: 'countContentTokens',
  path: '/models/{model}:countTokens',
  routes: [],
  prompt: 'contents',
  streams: () => false,
  check: ({ outline }) => checkAsked(counted(camel(outline))),
  inOwnNames: () => ({}),
  query: plainDemand,
  bounding: readingOnly,
  fault: ({ totalTokens: count }) => (typeof count === 'number' ? undefined : { wrong: 'sent no number of tokens' }),
  over: {
    operation: inputTokens,
    failure: inOwnTerms,
    begin({ json }, context) {
      const { chat, dropped } = toChat(counted(camel(json)), context, false)
      return {
        body: parseBody(new TextEncoder().encode(JSON.stringify(responseFor(chat)))),
        dropped,
        answer: ({ input_tokens: count }) => ({ totalTokens: count }),
      }
    },
  },
}

function counted(asked: JsonObject): JsonObject {
  const { generateContentRequest: whole, model } = asked
  return isObject(whole) ? { ...whole, model } : asked
}
