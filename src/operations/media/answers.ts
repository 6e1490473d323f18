import type { Answer } from '../../core/answer.ts'
import { sourceOf } from '../../core/sources.ts'
import { GatewayError } from '../../wire/errors.ts'
import type { JsonObject } from '../../wire/json.ts'
import { typedFrame } from '../../wire/sse.ts'

const encoder = new TextEncoder()

export function jsonAnswer(body: JsonObject): Answer {
  return bytesAnswer('application/json', encoder.encode(JSON.stringify(body)))
}

/** Subtitles too: OpenAI's have this type, whatever their form. */
export function textAnswer(text: string): Answer {
  return bytesAnswer('text/plain; charset=utf-8', encoder.encode(text))
}

export function bytesAnswer(type: string, body: Uint8Array): Answer {
  return { status: 200, headers: { 'content-type': type }, body }
}

/** A stream of events that name their own type, all of which are known already. */
export function eventsAnswer(events: readonly JsonObject[]): Answer {
  return {
    status: 200,
    headers: { 'content-type': 'text/event-stream; charset=utf-8' },
    body: { source: sourceOf(events.map(typedFrame)), steps: [] },
  }
}

/** The 400 for a parameter that a model can't honour. `why` is a sentence. */
export function unsupported(param: string, why = 'It is not supported with this model.'): GatewayError {
  return new GatewayError('incapable', `Unsupported parameter: '${param}'. ${why}`, { param })
}

/** Throws a 400 for the first of these fields that asks for anything. `harmless`: values that ask for nothing. */
export function refuseFields(body: JsonObject, fields: Readonly<Record<string, readonly unknown[]>>): void {
  for (const [name, harmless] of Object.entries(fields)) {
    const value = body[name] ?? ''
    // A form's values are texts.
    if (value !== '' && !harmless.some((one) => String(one) === String(value))) throw unsupported(name)
  }
}
