import type { GatewayError } from '../../wire/errors.ts'
import { isObject, type JsonObject, objectAt, tryParse } from '../../wire/json.ts'
import { errorEvent } from './socket-events.ts'

type Headers = Readonly<Record<string, string>>

/** Events with the response as it stands. */
const telling = /"type":\s*"response\.(created|queued|in_progress|completed|incomplete|failed)"/

/** Sends the events of one response to a client, with what HTTP says in headers, and what only the connection knows. */
export class Reply {
  readonly #send: (data: string) => boolean
  readonly #headers: () => Headers
  #lane: unknown
  #previous: unknown
  #hasBegun = false

  /** `send`: returns false if the client is behind. */
  constructor(send: (data: string) => boolean, headers: () => Headers) {
    this.#send = send
    this.#headers = headers
  }

  /** The lane of the request: clients with several tell the events apart so. */
  to(lane: unknown): void {
    this.#lane = lane
  }

  /** The response goes on from one that was made on this connection, of which no model knows. */
  after(previous: unknown): void {
    this.#previous = previous
  }

  /** Returns false if the client is behind. */
  say(data: string): boolean {
    const headers = this.#hasBegun ? undefined : this.#headers()
    this.#hasBegun = true
    return this.#send(this.#addressed(this.#linked(data), headers && { headers }))
  }

  refuse(failure: GatewayError, headers: Headers): boolean {
    return this.#send(this.#addressed(errorEvent(failure, { ...this.#headers(), ...headers })))
  }

  #addressed(data: string, more: JsonObject = {}): string {
    const members = { ...(typeof this.#lane === 'string' && { stream_id: this.#lane }), ...more }
    const text = JSON.stringify(members).slice(1, -1)
    return text === '' ? data : data.replace('{', () => `{${text},`)
  }

  #linked(data: string): string {
    if (this.#previous === undefined || !telling.test(data)) return data
    const event = tryParse(data)
    const response = objectAt(event, 'response')
    if (!isObject(event) || !response) return data
    return JSON.stringify({ ...event, response: { ...response, previous_response_id: this.#previous } })
  }
}
