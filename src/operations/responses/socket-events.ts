import type { Message } from '../../core/socket.ts'
import { describe, invalid } from '../../wire/body.ts'
import { errorEnvelope, type GatewayError } from '../../wire/errors.ts'
import { isObject, type JsonObject, objectAt, stringAt, tryParse } from '../../wire/json.ts'

const create = 'response.create'

/**
 * What clients tell a server that stores responses, or generates them ahead, and wait for no answer to: Codex and pipecat.
 * An error would be taken for the answer to the next request.
 */
const notices: ReadonlySet<unknown> = new Set(['response.processed', 'response.cancel'])

/** Reads a client's request; undefined if its message is none and wants no answer. Throws a 400 for any other. */
export function createEvent({ data }: Message): JsonObject | undefined {
  const event = tryParse(typeof data === 'string' ? data : new TextDecoder().decode(data))
  if (!isObject(event)) throw invalid('We could not parse the message: expected a JSON object.')
  if (event.type === create) return event
  if (notices.has(event.type)) return undefined
  const found = typeof event.type === 'string' ? `'${event.type.slice(0, 100)}'` : describe(event.type)
  throw invalid(`Invalid value for 'type': expected '${create}', but got ${found} instead.`, 'type', 'invalid_value')
}

/** The request that an event is, as it would be by HTTP. Older clients put it under `response`. */
export function requestIn(event: JsonObject): JsonObject {
  const { type, stream_id: lane, generate, event_id: id, response, stream_options: options, ...fields } = event
  return { ...(objectAt(event, 'response') ?? fields), stream: true }
}

/** The event that says why a request has no response: nested as OpenAI sends it, and flat as it documents it. */
export function errorEvent(failure: GatewayError, headers: Readonly<Record<string, string>>): string {
  const { error } = errorEnvelope(failure)
  const { code, message, param } = failure
  return JSON.stringify({
    ...{ type: 'error', status: failure.status, error, headers },
    ...{ code, message, param, sequence_number: 0 },
  })
}

/** An event for the lane of its request: clients with several tell them apart so. */
export function inLane(data: string, { stream_id: lane }: JsonObject): string {
  return typeof lane === 'string' ? data.replace('{', `{"stream_id":${JSON.stringify(lane)},`) : data
}

const last = /"type":\s*"response\.(completed|incomplete|failed)"/

/** The response that an event ends. */
export function endIn(data: string): JsonObject | undefined {
  if (!last.test(data)) return undefined
  const event = tryParse(data)
  const type = stringAt(event, 'type') ?? ''
  return /^response\.(completed|incomplete|failed)$/.test(type) ? objectAt(event, 'response') : undefined
}
