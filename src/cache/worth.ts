import type { Call } from '../core/call.ts'
import type { Operation } from '../core/operation.ts'
import type { StreamReader } from '../core/stream-reader.ts'
import { EventFollower } from '../layers/follow.ts'
import { isJson } from '../wire/headers.ts'
import { isObject, type JsonObject, tryParse } from '../wire/json.ts'

/** What an answer tells of itself. */
export interface Told {
  readonly usage: JsonObject | undefined
}

export interface Given {
  readonly streams: boolean
  readonly body: Uint8Array
  readonly type: string
  /** Has read all of a stream as it is. Absent: nobody has. */
  readonly reader?: StreamReader | undefined
}

/** Undefined if an answer isn't worth keeping: it is not all there, or not what the model would have said. */
export function toldIn(given: Given, { operation, body }: Pick<Call, 'operation' | 'body'>): Told | undefined {
  const text = decoder.decode(given.body)
  if (hints.some((hint) => text.includes(hint)) && refused.test(text)) return undefined
  if (!given.streams) return toldInWhole(given, text, operation)
  return given.reader ? toldBy(given.reader) : toldInStream(given.body, operation, body.outline)
}

/**
 * Where a model, or who watches over it, refused to go on, and where a response ended before its end. No text of a model's
 * can say so: its quotes have backslashes.
 */
const refused =
  /"((finish_reason|stop_reason|reason)"\s*:\s*"(content_filter|refusal)|type"\s*:\s*"response\.incomplete)"/

/** Without these it need not be searched. */
const hints = ['"content_filter"', '"refusal"', '"response.incomplete"']

function toldBy({ complete, usage }: StreamReader): Told | undefined {
  return complete ? { usage } : undefined
}

/** All of it is read once more: its upstream, and whoever translated it, have to agree that it has come to its end. */
function toldInStream(bytes: Uint8Array, operation: Operation, asked: JsonObject): Told | undefined {
  const reader = operation.reader?.(asked)
  if (!reader) return undefined
  const follower = new EventFollower(reader)
  if (follower.follow(bytes)) return undefined
  follower.catchUp()
  const hasEnded = follower.ended || reader.endsItself || reader.isOver
  return hasEnded ? toldBy(reader) : undefined
}

function toldInWhole({ type }: Given, text: string, operation: Operation): Told | undefined {
  if (!isJson(type)) return operation.anyType ? { usage: undefined } : undefined
  const json = tryParse(text)
  if (!isObject(json)) return undefined
  const { choices, status } = json
  if (typeof status === 'string' && status !== 'completed') return undefined
  if (Array.isArray(choices) && !choices.every((choice) => isObject(choice) && choice.finish_reason)) return undefined
  return { usage: operation.usage?.(json) }
}

const decoder = new TextDecoder()
