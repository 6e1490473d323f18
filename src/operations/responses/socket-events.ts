import type { Message } from '../../core/socket.ts'
import { describe, invalid } from '../../wire/body.ts'
import { errorEnvelope, type GatewayError } from '../../wire/errors.ts'
import { isObject, type JsonObject, objectAt, stringAt, tryParse } from '../../wire/json.ts'

const create = 'response.create'

/**
 * What clients tell a server that stores responses, and wait for no answer to, as Codex does. An error would be taken for
 * the answer to the next request.
 */
const notice = 'response.processed'

/** Reads a client's request; undefined if its message is none and wants no answer. Throws a 400 for any other. */
export function createEvent({ data }: Message): JsonObject | undefined {
  const event = tryParse(textOf(data))
  if (!isObject(event)) throw invalid('We could not parse the message: expected a JSON object.')
  if (event.type === create) return event
  if (event.type === notice) return undefined
  const found = typeof event.type === 'string' ? `'${event.type.slice(0, 100)}'` : describe(event.type)
  throw invalid(`Invalid value for 'type': expected '${create}', but got ${found} instead.`, 'type', 'invalid_value')
}

/** No longer message only cancels. */
const longestCancel = 1000

/** The client's wish to cancel a response; undefined if its message is something else. */
export function cancelEvent({ data }: Message): JsonObject | undefined {
  if (data.length > longestCancel) return undefined
  const event = tryParse(textOf(data))
  return isObject(event) && event.type === 'response.cancel' ? event : undefined
}

function textOf(data: Message['data']): string {
  return typeof data === 'string' ? data : new TextDecoder().decode(data)
}

/** The request that an event is, as it would be by HTTP. Older clients put it, or most of it, under `response`. */
export function requestIn(event: JsonObject): JsonObject {
  const { type, stream_id: lane, generate, event_id: id, response, ...fields } = event
  const { stream_options: options, ...asked } = { ...fields, ...objectAt(event, 'response') }
  return { ...asked, stream: true }
}

/** The lane that a message names, whatever else it is. */
export function laneIn({ data }: Message): string | undefined {
  const lane = stringAt(tryParse(textOf(data)), 'stream_id')
  return lane !== undefined && lane.length <= longestLane ? lane : undefined
}

/** Characters: lanes are kept for requests that aren't. */
const longestLane = 1000

/** The event that says why a request has no response: nested as OpenAI sends it, and flat as it documents it. */
export function errorEvent(failure: GatewayError, headers: Readonly<Record<string, string>>): string {
  const { error } = errorEnvelope(failure)
  const { code, message, param } = failure
  return JSON.stringify({
    ...{ type: 'error', status: failure.status, error, headers },
    ...{ code, message, param, sequence_number: 0 },
  })
}

const notable = /"type":\s*"response\.(created|output_item\.done|completed|incomplete|failed)"/

/** What a client has been told of a response. */
export class Progress {
  #begun: JsonObject | undefined
  readonly #items: unknown[] = []
  #latest = ''
  /** The response as it ended. */
  ended: JsonObject | undefined

  get id(): unknown {
    return this.#begun?.id
  }

  see(data: string): void {
    this.#latest = data
    if (!notable.test(data)) return
    const event = tryParse(data)
    const response = objectAt(event, 'response')
    const type = stringAt(event, 'type')
    if (type === 'response.created') this.#begun = response
    else if (type === 'response.output_item.done') this.#items.push(objectAt(event, 'item'))
    else if (type && /^response\.(completed|incomplete|failed)$/.test(type)) this.ended = response
  }

  /**
   * The event that ends a response which its client has cancelled; undefined if it hasn't begun. OpenAI has no such
   * message and no event of its own for it; pipecat waits for one of those that end all others.
   */
  cancelled(): string | undefined {
    if (!this.#begun) return undefined
    const latest = tryParse(this.#latest)
    const number = isObject(latest) ? Number(latest.sequence_number) + 1 : 0
    const response = { ...this.#begun, status: 'cancelled', output: this.#items }
    return JSON.stringify({ type: 'response.incomplete', sequence_number: number, response })
  }
}
