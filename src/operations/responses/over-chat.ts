import type { Operation } from '../../core/operation.ts'
import type { Translated, Translation } from '../../core/translation.ts'
import { parseBody, type RequestBody } from '../../wire/body.ts'
import { identifier } from '../../wire/ids.ts'
import { isObject, type JsonObject, objectAt } from '../../wire/json.ts'
import { chat } from '../chat.ts'
import { extrasOf } from '../common/extras.ts'
import { firstChoice } from '../common/first-choice.ts'
import { type Begun, extras, ResponseEvents } from './events.ts'
import { isToBeCompacted } from './input.ts'
import type { Teller } from './items.ts'
import { Output, sealedThoughts } from './output.ts'
import { bringsUnknownTools, inOwnTerms, toChat } from './request.ts'
import { endOf, type Head, responseOf, toldIn } from './response.ts'
import { Summary, summingUp } from './summary.ts'
import { unsealed } from './unsealed.ts'

/** Serves responses with a model that chats. */
export const overChat: Translation<Operation> = {
  operation: chat,
  direct: unsealed,
  exceeds: bringsUnknownTools,
  failure: inOwnTerms,
  begin(body: RequestBody, { random, clock, model, reads, keeps }): Translated {
    const asked = keeps ? withThoughts(body.json) : body.json
    const seconds = () => Math.floor(clock.now() / 1000)
    const isSummary = isToBeCompacted(asked.input)
    const { chat: request, tools, dropped } = isSummary ? summingUp(asked) : toChat(asked, reads)
    const head: Head = { id: identifier('resp_', random, 48), created: seconds(), model, tier: 'default' }
    const outputFor = (teller?: Teller) =>
      isSummary ? new Summary(random, teller) : new Output(asked, tools, random, teller)
    const begun: Begun = { asked, head, output: outputFor, seconds }
    return {
      body: parseBody(new TextEncoder().encode(JSON.stringify(request))),
      dropped,
      answer(answer) {
        const choice = firstChoice(answer)
        const output = outputFor()
        output.add(withCalls(objectAt(choice, 'message') ?? {}), choice?.logprobs)
        const { status, reason } = endOf(choice?.finish_reason)
        output.finish(status)
        return responseOf(asked, toldIn(answer, head), {
          ...{ status, output: output.items, reason, completed: seconds() },
          usage: isObject(answer.usage) ? answer.usage : undefined,
        })
      },
      leftOut: (answer) => extrasOf(answer, extras),
      stage: () => new ResponseEvents(begun),
    }
  },
}

/** A request whose answer has what the model needs back. */
function withThoughts(asked: JsonObject): JsonObject {
  const { include } = asked
  return { ...asked, include: [...(Array.isArray(include) ? include : []), sealedThoughts] }
}

/** The calls of a whole message are counted by their places. */
function withCalls(message: JsonObject): JsonObject {
  const { tool_calls: calls } = message
  if (!Array.isArray(calls)) return message
  return { ...message, tool_calls: calls.map((call, index) => (isObject(call) ? { ...call, index } : call)) }
}
