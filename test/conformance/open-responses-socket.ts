import { connectSocket, type SocketClient } from '../support/socket-client.ts'
import { eventFault, resourceFault } from './open-responses-schema.ts'
import { eventsFault, type Response, type ResponseEvent } from './response.ts'
import type { Check } from './specification.ts'

/** The gateway, and what a conversation with it takes. */
export interface Parties {
  readonly baseURL: string
  /** The model whose upstream streams its answer, and the one whose upstream answers whole. */
  readonly streaming: string
  readonly whole: string
  /** OpenAI's own specification of an event. */
  readonly check?: Check
}

/** A test over WebSockets: what is wrong in the end. */
export type Talk = (parties: Parties) => Promise<string | undefined>

/** Milliseconds in which a request must have come to its end. */
const patience = 30_000

const isLast = ({ type }: ResponseEvent) => /^(error|response\.(completed|incomplete|failed))$/.test(type)

/** A client that creates responses over one WebSocket. */
class Talker {
  readonly #socket: SocketClient
  readonly #parties: Parties

  constructor(socket: SocketClient, parties: Parties) {
    this.#socket = socket
    this.#parties = parties
  }

  /** Creates a response that is as it should be. */
  async answered(request: object): Promise<Response> {
    const events = await this.#ask(request)
    const response = events.at(-1)?.response
    if (!response) throw new Error(`no response: ${JSON.stringify(events.at(-1))}`)
    const { check = () => undefined } = this.#parties
    const wrong = events.map(eventFault).find(Boolean) ?? resourceFault(response) ?? eventsFault(events)
    const worse = wrong ?? events.map(({ name: _, ...event }) => check(event)).find(Boolean)
    if (worse) throw new Error(worse)
    if (response.status !== 'completed' || response.output.length === 0)
      throw new Error(`${response.status}, with ${response.output.length} items`)
    return response
  }

  /** Asks for what can't be had. `code`: what the error must say, if it matters. */
  async refused(request: object, code?: string): Promise<void> {
    const events = await this.#ask(request)
    const last = events.at(-1)
    const error = (last?.error ?? last?.response?.error) as { readonly code?: unknown } | undefined
    if (!error) throw new Error(`no error: ${JSON.stringify(last)}`)
    const wrong = events.map(eventFault).find(Boolean)
    if (wrong) throw new Error(wrong)
    if (code !== undefined && error.code !== code) throw new Error(`the code is ${error.code}`)
  }

  async #ask(request: object): Promise<ResponseEvent[]> {
    const asked = { type: 'response.create', model: this.#parties.streaming, ...request }
    this.#socket.ws.send(JSON.stringify(asked))
    const events: ResponseEvent[] = []
    while (!events.some(isLast)) events.push(await this.#next())
    return events
  }

  async #next(): Promise<ResponseEvent> {
    const { promise: late, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => reject(new Error(`nothing within ${patience / 1000} seconds`)), patience)
    const gone = this.#socket.closed.then(({ code }) => {
      throw new Error(`closed with ${code}`)
    })
    try {
      const { text = '' } = await Promise.race([this.#socket.next(), late, gone])
      const event = JSON.parse(text) as Omit<ResponseEvent, 'name'> & { readonly type: string }
      return { ...event, name: event.type }
    } finally {
      clearTimeout(timer)
    }
  }
}

/** Has a conversation over a WebSocket of its own. */
async function talking<T>(parties: Parties, about: (talker: Talker) => Promise<T>): Promise<T> {
  const socket = await connectSocket(`${parties.baseURL}/responses`)
  try {
    return await about(new Talker(socket, parties))
  } finally {
    socket.ws.close()
  }
}

const talk =
  (about: (parties: Parties) => Promise<unknown>): Talk =>
  (parties) =>
    about(parties).then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    )

/** All of it over one WebSocket. */
const talkOnce = (about: (talker: Talker) => Promise<unknown>) => talk((parties) => talking(parties, about))

const user = (content: unknown) => ({ type: 'message', role: 'user', content })
const unstored = (input: unknown, previous?: string) => ({
  input,
  store: false,
  ...(previous !== undefined && { previous_response_id: previous }),
})
const notFound = 'previous_response_not_found'

/** The tests of the acceptance suite of Open Responses that go over a WebSocket, by the names that they have there. */
export const talks: Readonly<Record<string, Talk>> = {
  'websocket-response': talkOnce((talker) => talker.answered({ input: [user('Name three colours.')] })),
  'websocket-sequential-responses': talkOnce(async (talker) => {
    await talker.answered(unstored('Say one.'))
    await talker.answered(unstored('Say two.'))
  }),
  'websocket-continuation': talkOnce(async (talker) => {
    const { id } = await talker.answered(unstored('The word is heron.'))
    await talker.answered(unstored('Which word is it?', String(id)))
  }),
  'websocket-reconnect-store-false-recovery': talk(async (parties) => {
    const { id } = await talking(parties, (talker) => talker.answered(unstored('The word is linnet.')))
    await talking(parties, async (talker) => {
      await talker.refused(unstored('Go on.', String(id)), notFound)
      await talker.answered(unstored([user('Then begin anew.')]))
    })
  }),
  'websocket-previous-response-not-found': talkOnce((talker) =>
    talker.refused(unstored('Go on.', 'resp_that_nobody_made'), notFound),
  ),
  'websocket-failed-continuation-evicts-cache': talkOnce(async (talker) => {
    const { id } = await talker.answered(unstored('The word is plover.'))
    const stray = { type: 'function_call_output', call_id: 'call_that_nobody_made', output: 'rain' }
    await talker.refused(unstored([stray], String(id)))
    await talker.refused(unstored('Which word is it?', String(id)), notFound)
  }),
  'websocket-compact-new-chain': talk(async (parties) => {
    const output = await compacted(parties)
    await talking(parties, (talker) => talker.answered({ ...unstored([...output, user('Go on.')]), tools: [] }))
  }),
}

async function compacted({ baseURL, whole }: Parties): Promise<readonly unknown[]> {
  const input = [
    user([{ type: 'input_text', text: 'The word is siskin.' }]),
    { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'I keep it in mind.' }] },
    user([{ type: 'input_text', text: 'We go on later.' }]),
  ]
  const response = await fetch(`${baseURL}/responses/compact`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: whole, input }),
  })
  const text = await response.text()
  if (response.status !== 200) throw new Error(`the compaction: ${response.status} ${text}`)
  const { output } = JSON.parse(text) as { readonly output?: unknown }
  if (!Array.isArray(output)) throw new Error(`no compacted output: ${text}`)
  return output
}
