import { type ClientOptions, WebSocket } from 'ws'
import type { Both, Runtime } from './both.ts'

export interface ReceivedMessage {
  readonly text: string | undefined
  readonly bytes: Buffer
}

/** How a WebSocket was closed. */
export interface Closing {
  readonly code: number
  readonly reason: string
}

/** A client's WebSocket, and all that it got. */
export interface SocketClient {
  readonly ws: WebSocket
  /** Of the 101. */
  readonly headers: Readonly<Record<string, string>>
  /** Resolves with the next message that was not taken yet. */
  next(): Promise<ReceivedMessage>
  readonly closed: Promise<Closing>
}

/** The refusal of a WebSocket. */
export class Refusal extends Error {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string

  constructor(status: number, headers: Readonly<Record<string, string>>, body: string) {
    super(`refused with HTTP ${status}: ${body}`)
    this.status = status
    this.headers = headers
    this.body = body
  }
}

/** Resolves once the WebSocket is open; rejects with a `Refusal`. */
export function connectSocket(
  url: string,
  options: ClientOptions = {},
  protocols: readonly string[] = [],
): Promise<SocketClient> {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(url.replace(/^http/, 'ws'), [...protocols], { perMessageDeflate: false, ...options })
    const waiting: ReceivedMessage[] = []
    const takers: ((message: ReceivedMessage) => void)[] = []
    let headers: Record<string, string> = {}
    const closed = closedOf(ws)
    ws.on('message', (data, isBinary) => {
      const bytes = data as Buffer
      const message = { bytes, text: isBinary ? undefined : bytes.toString('utf8') }
      const taker = takers.shift()
      if (taker) taker(message)
      else waiting.push(message)
    })
    ws.on('upgrade', (response) => {
      headers = response.headers as Record<string, string>
    })
    ws.on('unexpected-response', async (_, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of response) chunks.push(chunk as Buffer)
      const body = Buffer.concat(chunks).toString('utf8')
      reject(new Refusal(response.statusCode ?? 0, response.headers as Record<string, string>, body))
    })
    ws.on('error', reject)
    ws.on('open', () =>
      resolve({
        ws,
        headers,
        closed,
        next: () => {
          const known = waiting.shift()
          return known ? Promise.resolve(known) : new Promise((taken) => takers.push(taken))
        },
      }),
    )
  })
}

/** Opens a WebSocket at a gateway on one of both runtimes, with its key. */
export function openAt(
  { addresses, key }: Both,
  runtime: Runtime,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<SocketClient> {
  return connectSocket(addresses[runtime] + path, { headers: { authorization: `Bearer ${key}`, ...headers } })
}

/** Resolves when one end, which must be open, is closed. */
export function closedOf(socket: WebSocket | undefined): Promise<Closing> {
  return new Promise((resolve, reject) => {
    if (!socket) return reject(new Error('there is no WebSocket'))
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }))
  })
}

export async function refusalOf(opening: Promise<SocketClient>): Promise<Refusal> {
  const outcome = await opening.catch((error: unknown) => error)
  if (outcome instanceof Refusal) return outcome
  throw new Error(`expected a refusal, got ${outcome}`)
}
