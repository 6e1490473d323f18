import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import OpenAI, { APIError } from 'openai'
import { Agent as Dispatcher, fetch as fetchBy } from 'undici'
import { type Api, apis } from './apis.ts'
import type { Plan } from './plan.ts'
import type { Route, Target } from './target.ts'
import { nothing, type Received, raise } from './verdict.ts'

/** The gateway and the client's settings. */
export interface Asked extends Pick<Target, 'url' | 'key' | 'patience'> {
  readonly route: Route
  /** Called when the first content has arrived. */
  readonly heard: () => void
}

/** Above all of the gateway's limits together. */
const longest = 30_000

// A reused connection may close at that moment, which would look like a fault of the gateway.
const agent = new Agent({ keepAlive: false })

/** Sends a request; the caller reads the response. */
export function send(plan: Plan, { url, key, route }: Pick<Asked, 'url' | 'key' | 'route'>): ClientRequest {
  const api = apis[plan.api]
  const asking = request(`${url}${api.path}`, {
    agent,
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}`, ...route.headers },
  })
  asking.end(JSON.stringify(api.body(plan, route)))
  return asking
}

/** Sends a request as OpenAI's clients do, and records all that they would notice. Never rejects. */
export function ask(plan: Plan, asked: Asked): Promise<Received> {
  const received = nothing()
  const heard = hearer(received, asked)
  return new Promise((resolve) => {
    const settle = () => {
      clearTimeout(timer)
      resolve(received)
    }
    const broke = (error: Error) => {
      received.raised ??= 'connection'
      received.message ??= error.message
      settle()
    }
    const asking = send(plan, asked)
    const timer = setTimeout(() => {
      received.hung = true
      asking.destroy()
      settle()
    }, asked.patience ?? longest)
    asking.on('error', broke)
    asking.on('response', (response) => {
      response.on('error', broke)
      const api = apis[plan.api]
      if (plan.streams && response.statusCode === 200) readStream(response, received, { api, heard, settle })
      else readWhole(response, received, { api, settle })
    })
  })
}

/** Notes when the first content arrived. */
function hearer(received: Received, { heard }: Asked): () => void {
  const started = performance.now()
  return () => {
    if (received.firstContent !== undefined || !received.texts.some((text) => text !== '')) return
    received.firstContent = performance.now() - started
    heard()
  }
}

interface Reading {
  readonly api: Api
  /** Called after each event. */
  readonly heard?: () => void
  /** Called when the client has all that it reads. */
  readonly settle: () => void
}

function readWhole(response: IncomingMessage, received: Received, { api, settle }: Reading): void {
  let text = ''
  response.setEncoding('utf8').on('data', (piece: string) => {
    text += piece
  })
  response.on('end', () => {
    if (response.statusCode === 200) attempt(api, text, received)
    else {
      received.status = response.statusCode
      raise(received, 'status', `${response.statusCode} ${text}`)
    }
    settle()
  })
}

/** Stops at `[DONE]`, at an error unless its end is to follow, and at invalid JSON, and ignores what follows. */
function readStream(response: IncomingMessage, received: Received, { api, heard = () => {}, settle }: Reading): void {
  let rest = ''
  let over = false
  response.setEncoding('utf8').on('data', (piece: string) => {
    if (over) return
    const events = (rest + piece).split(/\r\n\r\n|\n\n|\r\r/)
    // An event without its blank line is incomplete, and dropped as in every client.
    rest = events.pop() ?? ''
    for (const event of events) {
      if (!takeEvent(event, received, api)) continue
      over = true
      break
    }
    heard()
    if (over) settle()
  })
  response.on('end', () => {
    if (over) return
    received.undone = true
    settle()
  })
}

/** Returns whether a client stops here. */
function takeEvent(event: string, received: Received, api: Api): boolean {
  const lines = event.split(/\r\n|\n|\r/)
  const field = (name: string) =>
    lines.filter((line) => line.startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).replace(/^ /, ''))
  const data = field('data').join('\n')
  if (data.startsWith('[DONE]')) return true
  if (data === '') return false
  if (field('event')[0] === 'error') raise(received, 'event', data)
  else attempt(api, data, received)
  return received.raised !== undefined && !(api.endsItself && received.raised === 'event')
}

function attempt({ take }: Api, text: string, received: Received): void {
  try {
    take(text, received)
  } catch {
    raise(received, 'JSON', text)
  }
}

/** The same with OpenAI's own client, which doesn't tell whether `[DONE]` arrived. */
export async function askOfficially(plan: Plan, asked: Asked): Promise<Received> {
  const { url, key, route, patience = longest } = asked
  const received = nothing()
  // For the same reason as above. With a header alone a connection that had a stream may stay open for seconds.
  const dispatcher = new Dispatcher()
  const client = new OpenAI({
    baseURL: `${url}/v1`,
    apiKey: key,
    fetch: fetchBy as unknown as typeof fetch,
    fetchOptions: { dispatcher },
    ...(route.headers && { defaultHeaders: route.headers }),
    maxRetries: 0,
    timeout: patience,
    logLevel: 'off',
  })
  const leave = new AbortController()
  const timer = setTimeout(() => {
    received.hung = true
    leave.abort()
  }, patience)
  try {
    const heard = hearer(received, asked)
    await apis[plan.api].askOfficially(client, { plan, route, signal: leave.signal, received, heard })
  } catch (error) {
    if (error instanceof APIError) received.status = error.status
    raise(received, 'client', String(error))
  } finally {
    clearTimeout(timer)
    await dispatcher.destroy()
  }
  return received
}
