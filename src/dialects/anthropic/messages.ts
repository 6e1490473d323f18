import { atHand } from '../../core/late.ts'
import type { Beat, Operation } from '../../core/operation.ts'
import type { Translated, Translation } from '../../core/translation.ts'
import { chat } from '../../operations/chat.ts'
import { extrasOf } from '../../operations/common/extras.ts'
import { firstChoice } from '../../operations/common/first-choice.ts'
import { missing } from '../../operations/common/missing.ts'
import { usageIn } from '../../operations/common/usage.ts'
import { parseBody } from '../../wire/body.ts'
import { identifier } from '../../wire/ids.ts'
import { type JsonObject, objectAt, stringAt } from '../../wire/json.ts'
import { typedFrame } from '../../wire/sse.ts'
import { boundingMessage } from './bounding.ts'
import { checkMessage } from './check.ts'
import { Content } from './content.ts'
import { messageDemand } from './demand.ts'
import { forAnthropic } from './direct.ts'
import { extras, MessageEvents } from './events.ts'
import { type Head, messageOf } from './message.ts'
import { MessageReader } from './reader.ts'
import { hints, inOwnTerms, toChat } from './request.ts'
import { eventsOf, messageFrom } from './whole-events.ts'

const overChat: Translation<Operation> = {
  operation: chat,
  direct: forAnthropic,
  failure: inOwnTerms,
  begin({ json: asked }, context): Translated {
    const { random, model } = context
    const { chat: request, dropped } = toChat(asked, context)
    const head: Head = { id: identifier('msg_', random, 24), model }
    return {
      body: parseBody(new TextEncoder().encode(JSON.stringify(request))),
      dropped,
      optional: hints,
      answer(answer) {
        const choice = firstChoice(answer)
        const content = new Content(random, asked)
        content.add(withText(objectAt(choice, 'message') ?? {}))
        const end = { finish: choice?.finish_reason, stop: choice?.stop_reason, usage: usageIn(answer) }
        return messageOf({ ...head, model: stringAt(answer, 'model') || model }, content, asked, end)
      },
      leftOut: (answer) => extrasOf(answer, extras),
      stage: () => new MessageEvents(asked, head, random),
    }
  },
}

/** Some servers send the content of a whole answer in parts. */
function withText(message: JsonObject): JsonObject {
  const { content } = message
  return Array.isArray(content)
    ? { ...message, content: content.map((part) => stringAt(part, 'text') ?? '').join('') }
    : message
}

/** https://platform.claude.com/docs/en/build-with-claude/streaming#ping-events */
const beat: Beat = { bytes: typedFrame({ type: 'ping' }), comments: true }

/** Anthropic's request for an answer. A model that only chats serves it too. */
export const messages: Operation = {
  name: 'messages',
  path: '/messages',
  routes: [],
  check: checkMessage,
  // Anthropic gives one answer, and refuses to be asked for a number of them.
  inOwnNames: ({ n: _, ...fields }) => fields,
  query: messageDemand,
  fault: missing('content', 'list'),
  usage: usageIn,
  conclusion: ({ id, stop_reason }) => ({ id, reasons: [stop_reason] }),
  bounding: atHand(boundingMessage),
  over: overChat,
  reader: () => new MessageReader(),
  toWhole: messageFrom,
  toStream: eventsOf,
  beat,
}
