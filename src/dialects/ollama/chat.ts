import { atHand } from '../../core/late.ts'
import type { Operation } from '../../core/operation.ts'
import type { Translated, TranslationContext } from '../../core/translation.ts'
import { chat } from '../../operations/chat.ts'
import { extrasOf } from '../../operations/common/extras.ts'
import { firstChoice } from '../../operations/common/first-choice.ts'
import { inJsonMode } from '../../operations/common/json-mode.ts'
import { invalid, parseBody, type RequestBody } from '../../wire/body.ts'
import { isObject, type JsonObject } from '../../wire/json.ts'
import { boundingOllama } from './bounding.ts'
import { aBool, aMap, anInt, aString, checkFields, checkSettings, listOf } from './check.ts'
import { demandFor } from './demand.ts'
import { chatForm, type Form } from './form.ts'
import { AnswerLines, type Begun, emptyAnswer, extras, wholeAnswer } from './lines.ts'
import { Stopwatch } from './measures.ts'
import { chatMessages } from './messages.ts'
import { conclusionOf, faultIn, LinesReader, usageOf } from './reader.ts'
import { hints, inOwnTerms, settingsOf } from './settings.ts'

export const ollamaChat: Operation = {
  name: 'ollamaChat',
  path: '/api/chat',
  routes: [],
  streams: wantsStream,
  check: checkChat,
  query: ({ outline }) => {
    const messages = messagesIn(outline)
    return demandFor(
      outline,
      messages.map(({ content }) => content),
      messages.map(({ images }) => images),
    )
  },
  fault: (answer) => faultIn(answer, 'message'),
  usage: usageOf,
  conclusion: conclusionOf,
  bounding: atHand(boundingOllama),
  reader: () => new LinesReader(),
  over: {
    operation: chat,
    failure: inOwnTerms,
    begin(body, context) {
      const asked = body.json
      const { messages, dropped } = chatMessages(asked.messages)
      const tools = toolsOf(asked.tools)
      const answering = beginAnswer(chatForm, context)
      const extra = { messages, ...(tools.length > 0 && { tools }) }
      const isEmpty = messages.length === 0
      return overChat(asked, extra, { answering, dropped, isEmpty })
    },
  },
}

/** Unless the client says that it wants none. */
export function wantsStream({ outline }: RequestBody): boolean {
  return outline.stream !== false
}

export function beginAnswer(form: Form, { clock, model, random }: TranslationContext): Begun {
  return { form, model, random, watch: new Stopwatch(clock) }
}

interface Beginning {
  readonly answering: Begun
  readonly dropped: readonly string[]
  /** Whether there is nothing to answer. */
  readonly isEmpty: boolean
}

/** A request as a chat. `extra`: its messages and tools. */
export function overChat(asked: JsonObject, extra: JsonObject, { answering, dropped, isEmpty }: Beginning): Translated {
  const settings = settingsOf(asked)
  return {
    body: parseBody(new TextEncoder().encode(JSON.stringify(inJsonMode({ ...settings.fields, ...extra })))),
    dropped: [...settings.dropped, ...dropped],
    optional: hints,
    answer: (answer) => wholeAnswer(answer, firstChoice(answer), answering),
    leftOut: (answer) => extrasOf(answer, extras),
    stage: () => new AnswerLines(answering),
    ...(isEmpty && { unasked: emptyAnswer(asked, answering) }),
  }
}

/** Clients may leave out the type: there is only one. */
function toolsOf(tools: unknown): JsonObject[] {
  return (Array.isArray(tools) ? tools : []).filter(isObject).map((tool) => ({ ...tool, type: 'function' }))
}

function messagesIn({ messages }: JsonObject): readonly JsonObject[] {
  return Array.isArray(messages) ? messages.filter(isObject) : []
}

const fields = {
  messages: listOf('api.Message'),
  tools: listOf('api.Tool'),
  stream: aBool,
  options: aMap,
  logprobs: aBool,
  top_logprobs: anInt,
}

const messageFields = {
  role: aString,
  content: aString,
  thinking: aString,
  images: listOf('api.ImageData'),
  tool_calls: listOf('api.ToolCall'),
  tool_name: aString,
  tool_call_id: aString,
}

function checkChat({ outline }: RequestBody): void {
  checkFields(outline, 'ChatRequest', fields)
  for (const message of Array.isArray(outline.messages) ? outline.messages : []) {
    if (!isObject(message)) {
      throw invalid('json: cannot unmarshal a value into Go struct field ChatRequest.messages of type api.Message')
    }
    checkFields(message, 'ChatRequest.messages', messageFields)
  }
  checkSettings(outline)
}
