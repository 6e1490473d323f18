import type { Answer } from '../core/answer.ts'
import type { Call } from '../core/call.ts'
import type { Operation } from '../core/operation.ts'
import type { Services } from '../core/services.ts'
import { sourceOf } from '../core/sources.ts'
import { CallContext } from '../layers/call-context.ts'
import { HiddenUsage } from '../operations/choices/hidden-usage.ts'
import { headerValue } from '../wire/headers.ts'
import { isObject, type JsonObject, objectAt, tryParse } from '../wire/json.ts'
import { done, EventReader, frame, typedFrame } from '../wire/sse.ts'
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
  const steps = counts && !form.usage ? [{ stage: new HiddenUsage(), carried: 'never' } as const] : []
  return { source: sourceOf([body]), steps }
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
