import type { Begun, Continuing } from '../../core/continuing.ts'
import { synonyms } from '../../core/synonyms.ts'
import { isObject, type JsonObject, stringAt } from '../../wire/json.ts'
import { messagesOf } from './messages.ts'

/** Fields that make an answer more than a text, or one that depends on how much of it the server itself has written. */
const obstacles =
  /^(tools|functions|(response_)?format|grammar|json_schema|structured_outputs|guided_.*|regex|ebnf|logprobs|echo|suffix|min_tokens|(frequency|presence)_penalty|options)$/

/** The field that is in the way; undefined if none is. */
function obstacleIn(body: JsonObject, { text, tokens }: Begun): string | undefined {
  return (
    Object.keys(body).find(
      (name) => obstacles.test(name) && isSet(body[name]) && stringAt(body[name], 'type') !== 'text',
    ) ??
    ['n', 'best_of'].find((name) => Number(body[name]) > 1) ??
    synonyms.stop.find((name) => [body[name]].flat().some((stop) => endsWithin(stop, text))) ??
    synonyms.limit.find((name) => isLimit(body[name]) && body[name] <= tokens)
  )
}

function isSet(value: unknown): boolean {
  return isObject(value) || Array.isArray(value) ? Object.keys(value).length > 0 : Boolean(value)
}

/** Whether a text ends with the start of a stop sequence, the rest of which the next server would not recognise. */
function endsWithin(stop: unknown, text: string): boolean {
  if (typeof stop !== 'string') return false
  for (let length = 1; length < stop.length; length++) if (text.endsWith(stop.slice(0, length))) return true
  return false
}

/** Zero and below mean no limit, for those servers that take such values. */
function isLimit(value: unknown): value is number {
  return typeof value === 'number' && value > 0
}

/** The body with what its limit leaves for the rest. */
function limited(body: JsonObject, { tokens, fields }: Begun): JsonObject {
  const limits = synonyms.limit.flatMap((name) => (isLimit(body[name]) ? [[name, body[name] - tokens]] : []))
  return { ...body, ...Object.fromEntries(limits), ...fields }
}

/** A chat is continued by a last message of the assistant. */
export const continuingChat: Continuing = {
  obstacle(body, begun) {
    if (stringAt(messagesOf(body).at(-1), 'role') === 'assistant') return 'messages'
    // Templates take it out of the messages.
    if (/<\/?think/.test(begun.text)) return 'reasoning'
    return obstacleIn(body, begun)
  },
  request: (body, begun) => ({
    ...limited(body, begun),
    messages: [...messagesOf(body), { role: 'assistant', content: begun.text }],
  }),
  text({ delta, logprobs }) {
    const { role: _, content, ...more } = isObject(delta) ? delta : {}
    return Object.values({ ...more, logprobs }).some(isSet) ? undefined : textOf(content)
  },
  withText: (choice, text) => ({ ...choice, delta: text === '' ? {} : { content: text } }),
}

/** A completion is continued by its prompt and what follows it so far. */
export const continuingCompletion: Continuing = {
  obstacle(body, begun) {
    if (promptOf(body) === undefined) return 'prompt'
    // Most servers write 16 tokens then, some as many as they can.
    if (!synonyms.limit.some((name) => isLimit(body[name]))) return 'max_tokens'
    return obstacleIn(body, begun)
  },
  request: (body, begun) => ({ ...limited(body, begun), prompt: promptOf(body) + begun.text }),
  text: ({ text, logprobs }) => (logprobs ? undefined : textOf(text)),
  withText: (choice, text) => ({ ...choice, text }),
}

/** Undefined if it is anything but a text, or nothing. */
function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : isSet(value) ? undefined : ''
}

function promptOf({ prompt }: JsonObject): string | undefined {
  const only = Array.isArray(prompt) && prompt.length === 1 ? prompt[0] : prompt
  return typeof only === 'string' ? only : undefined
}
