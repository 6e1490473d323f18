import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import OpenAI, { APIError } from 'openai'
import { Agent as Dispatcher, fetch as fetchBy } from 'undici'
import { type Api, apis } from './apis.ts'
import { deframerFor, type Framed } from './framing.ts'
import type { Plan } from './plan.ts'
import type { Route, Target } from './target.ts'
import { misread, nothing, type Received, raise } from './verdict.ts'

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
  const keys = api.keyHeader === undefined ? { authorization: `Bearer ${key}` } : { [api.keyHeader]: key }
  const asking = request(`${url}${api.path(plan, route)}`, {
    agent,
    method: 'POST',
    headers: { 'content-type': 'application/json', ...keys, ...route.headers },
  })
  asking.end(JSON.stringify(api.body(plan, route)))
  return asking
}

/** Sends a request as the API's own clients do, and records all that they would notice. Never rejects. */
export function ask(plan: Plan, asked: Asked): Promise<Received> {
  const received = nothing()
  const heard = hearer(received, asked)
  const api = apis[plan.api]
  return new Promise((resolve) => {
    const settle = () => {
      clearTimeout(timer)
      resolve(received)
    }
    const broke = (error: Error) => {
      received.raised ??= 'connection'
      received.message ??= error.message
      if (api.strict) misread(received, `the connection broke: ${error.message}`)
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
      checkError(api, received, text)
    }
    settle()
  })
}

/**
 * Stops at `[DONE]`, at an error unless its end is to follow, and at invalid JSON, and ignores what follows. A strict
 * client reads on to the end, where nothing may follow.
 */
function readStream(response: IncomingMessage, received: Received, { api, heard = () => {}, settle }: Reading): void {
  const deframer = deframerFor(api.framing ?? 'events')
  let over = false
  response.setEncoding('utf8').on('data', (piece: string) => {
    if (over) return
    over = deframer.read(piece).some((event) => takeEvent(event, received, api))
    heard()
    if (over) settle()
  })
  response.on('end', () => {
    if (over) return
    const rest = deframer.end()
    if (api.strict) checkEnd(api, received, rest)
    else received.undone = true
    settle()
  })
}

function checkEnd(api: Api, received: Received, rest: string): void {
  if (rest !== '') takeStray(rest, received, api)
  const { isEnded } = api.strict ?? {}
  if (isEnded && !isEnded(received)) received.undone = true
}

/** Returns whether a client stops here. */
function takeEvent({ data = '', name, stray }: Framed, received: Received, api: Api): boolean {
  if (api.strict) {
    if (stray === undefined) takeStrictly({ data, name }, received, api)
    else takeStray(stray, received, api)
    return false
  }
  if (data.startsWith('[DONE]')) return true
  if (data === '') return false
  if (name === 'error') raise(received, 'event', data)
  else attempt(api, data, received)
  return received.raised !== undefined && !(api.endsItself && received.raised === 'event')
}

/** Nothing may follow an error but one in another form. */
function takeStrictly({ data = '', name }: Framed, received: Received, api: Api): void {
  if (received.raised !== undefined) {
    if (data !== '') takeStray(data, received, api)
  } else if (data !== '' || api.framing === 'lines') {
    attempt(api, data, received, name)
    if (received.raised === 'event') checkError(api, received, data)
  }
}

function takeStray(text: string, received: Received, { strict }: Api): void {
  if (holds(() => strict?.mayStray?.(text))) raise(received, 'event', text)
  else misread(received, `no event: ${text}`)
}

function checkError({ strict }: Api, received: Received, text: string): void {
  if (!strict || holds(() => strict.isOwnError(text, received.status))) return
  misread(received, `an error of another API: ${received.status ?? ''} ${text}`)
}

/** Whether it is true, and doesn't throw. */
function holds(condition: () => boolean | undefined): boolean {
  try {
    return condition() === true
  } catch {
    return false
  }
}

function attempt({ strict, take }: Api, text: string, received: Received, event?: string): void {
  try {
    take(text, received, event)
  } catch {
    raise(received, 'JSON', text)
    if (strict) misread(received, `no JSON: ${text}`)
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
    await apis[plan.api].askOfficially?.(client, { plan, route, signal: leave.signal, received, heard })
  } catch (error) {
    if (error instanceof APIError) received.status = error.status
    raise(received, 'client', String(error))
  } finally {
    clearTimeout(timer)
    await dispatcher.destroy()
  }
  return received
}
