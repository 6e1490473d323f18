import type { Answer } from '../core/answer.ts'
import type { Call } from '../core/call.ts'
import type { Operation } from '../core/operation.ts'
import type { Services } from '../core/services.ts'
import { sourceOf } from '../core/sources.ts'
import { CallContext } from '../layers/call-context.ts'
import { concat } from '../wire/block.ts'
import { headerValue } from '../wire/headers.ts'
import { isObject, type JsonObject, objectAt, tryParse } from '../wire/json.ts'
import { done, EventReader, eventEnd, frame, typedFrame } from '../wire/sse.ts'
import type { Stored } from './answers.ts'

/** The form in which a client wants an answer. */
export interface Form {
  readonly streams: boolean
  /** Whether a stream is to tell the usage, where only those do that are asked to. */
  readonly usage: boolean
}

export function formOf({ streams, body }: Pick<Call, 'streams' | 'body'>): Form {
  return { streams, usage: streams && objectAt(body.outline, 'stream_options')?.include_usage === true }
}

/** Whether a kept answer has all that its model would say in this form. */
export function serves({ streams, usage, type }: Stored, wanted: Form, operation: Operation): boolean {
  if (streams === wanted.streams) return !wanted.usage || usage !== undefined
  if (wanted.streams) return operation.toStream !== undefined && operation.reader !== undefined && isJsonType.test(type)
  return operation.toWhole !== undefined && usage !== undefined
}

const isJsonType = /json/i

/** An answer that was kept, in the form that its client wants: in its own form byte for byte. */
export function replayed(stored: Stored, call: Call, services: Pick<Services, 'clock' | 'random'>): Answer {
  const age = Math.max(0, Math.floor((services.clock.now() - stored.at) / 1000))
  const headers = { 'content-type': stored.type, age: String(age), 'x-samewire-model': headerValue(stored.served) }
  const form = formOf(call)
  if (stored.streams === form.streams) return { status: 200, headers, body: inSameForm(stored, form) }
  const context = new CallContext(call, services)
  return form.streams
    ? { status: 200, headers: { ...headers, 'content-type': eventsType }, body: asStream(stored, call, context, form) }
    : { status: 200, headers: { ...headers, 'content-type': 'application/json' }, body: asWhole(stored, call, context) }
}

const eventsType = 'text/event-stream; charset=utf-8'

function inSameForm({ body, streams, counts }: Stored, form: Form): Answer['body'] {
  if (!streams) return body
  return { source: sourceOf([counts && !form.usage ? withoutUsage(body) : body]), steps: [] }
}

/** A stream without the chunk that has only the usage. Where others have it too, it stays: there nobody has to ask. */
function withoutUsage(bytes: Uint8Array): Uint8Array {
  if (!hasNoChoice.test(decoder.decode(bytes))) return bytes
  const pieces: Uint8Array[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = eventEnd(bytes, at)
    const event = bytes.subarray(at, end)
    if (!isUsage(event)) pieces.push(event)
    at = end
  }
  return concat(pieces)
}

const hasNoChoice = /"choices"\s*:\s*\[\s*\]/

function isUsage(event: Uint8Array): boolean {
  if (!hasNoChoice.test(decoder.decode(event))) return false
  const [said] = new EventReader().read(event)
  const chunk = said && tryParse(said.data)
  return isObject(chunk) && Array.isArray(chunk.choices) && chunk.choices.length === 0 && isObject(chunk.usage)
}

function asWhole({ body }: Stored, { operation }: Call, context: CallContext): Uint8Array {
  const reader = new EventReader()
  const events = [...reader.read(body), ...reader.end()]
  const chunks = events.map(({ data }) => tryParse(data)).filter(isObject)
  return encoder.encode(JSON.stringify(operation.toWhole?.(chunks, context)))
}

function asStream({ body }: Stored, { operation }: Call, context: CallContext, form: Form): Answer['body'] {
  const answer = JSON.parse(decoder.decode(body)) as JsonObject
  const chunks = operation.toStream?.(answer, context, form) ?? []
  const isTyped = operation.reader?.(context.body).endsItself
  return { source: sourceOf(isTyped ? chunks.map(typedFrame) : [...chunks.map(frame), done]), steps: [] }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()
