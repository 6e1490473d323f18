import type { SocketClient } from './socket-client.ts'

/** An event of a response that is created over a WebSocket. */
export interface Event {
  readonly type: string
  readonly sequence_number: number
  readonly status?: number
  readonly stream_id?: string
  readonly error?: { readonly code: string | null; readonly message: string; readonly param: string | null }
  readonly headers?: Readonly<Record<string, string>>
  readonly response: {
    readonly id: string
    readonly status: string
    readonly output: { readonly type: string }[]
    readonly previous_response_id: string | null
  }
}

const isLast = ({ type }: Event) => /^(error|response\.(completed|incomplete|failed))$/.test(type)

/** Sends a request and reads its events up to the last one. */
export async function create(client: SocketClient, request: object): Promise<Event[]> {
  client.ws.send(JSON.stringify({ type: 'response.create', ...request }))
  return read(client)
}

/** Reads events up to the last one of a response. */
export async function read(client: SocketClient): Promise<Event[]> {
  const events: Event[] = []
  do events.push(JSON.parse((await client.next()).text ?? '') as Event)
  while (!isLast(events.at(-1) as Event))
  return events
}

export const last = (events: readonly Event[]) => events.at(-1) as Event
