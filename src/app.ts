import { type Context, Hono } from 'hono'
import { type Access, createGuard, type HeaderReader } from './access.ts'
import type { Answer, Trace } from './core/call.ts'
import type { Clock } from './core/clock.ts'
import { disclosure } from './core/disclosure.ts'
import type { Operation } from './core/provider.ts'
import type { Abort } from './core/signal.ts'
import type { Gateway } from './gateway.ts'
import { validateChat, validateCompletion } from './operations/validate.ts'
import { parseBody, renamed } from './wire/body.ts'
import { asGatewayError, describeCause, errorEnvelope, GatewayError, reactions, unknownModel } from './wire/errors.ts'
import { headerValue, hopsHeader, preflightHeaders, wireHeaders } from './wire/headers.ts'
import { requestIds } from './wire/ids.ts'
import { decodeId, routePath } from './wire/paths.ts'

/** How a runtime talks to its clients: the one place where Node and Workers differ on the way in and out. */
export interface Edge<Bindings extends object> {
  /** Reads request headers by their lower-case names. */
  headers(context: Context<{ Bindings: Bindings }>): HeaderReader
  /** The request's body. Rejects with a 413 as soon as more than `limit` bytes have come. */
  readBody(context: Context<{ Bindings: Bindings }>, limit: number): Promise<Uint8Array>
  /** Sends an answer; a stream is written as it comes. */
  send(context: Context<{ Bindings: Bindings }>, answer: Answer, client: Abort): Response
  /** Aborted when the client leaves. */
  watch(context: Context<{ Bindings: Bindings }>): Abort
}

export interface AppOptions<Bindings extends object> {
  readonly gateway: Gateway
  readonly edge: Edge<Bindings>
  readonly access: Access
  readonly clock: Clock
  readonly random: () => number
  /** Bytes. */
  readonly bodyLimit: number
  readonly log: (message: string) => void
}

/** The HTTP face of a gateway: routes, who may come in, and the wire's headers and errors on everything that leaves. */
export function createApp<Bindings extends object>(options: AppOptions<Bindings>) {
  type AppContext = Context<{ Bindings: Bindings }>
  const { gateway, edge, clock, log } = options
  const guard = createGuard(options.access)
  const nextId = requestIds(options.random)
  const app = new Hono<{ Bindings: Bindings }>({ getPath: (request) => routePath(request.url) })

  /** Runs a handler of a POST route and sends what comes of it, errors included. */
  async function infer(context: AppContext, operation: Operation, named?: string): Promise<Response> {
    const id = nextId()
    const started = clock.now()
    const client = edge.watch(context)
    const trace: Trace = { attempts: [] }
    const legacy = operation === 'completions' || named !== undefined
    const headers = () => Object.assign(wireHeaders(id, clock.now() - started), disclosure(trace))
    try {
      const header = edge.headers(context)
      const bearer = guard(header)
      const hops = readHops(header)
      checkContentType(header)
      const parsed = parseBody(await edge.readBody(context, options.bodyLimit))
      const body = named === undefined ? parsed : renamed(parsed, named)
      if (operation === 'chat') validateChat(body)
      else validateCompletion(body)
      const request = { operation, body, legacy, signal: client, bearer, requestId: id, hops, trace }
      const answer = await gateway.answer(request)
      return edge.send(context, { ...answer, headers: Object.assign(headers(), answer.headers) }, client)
    } catch (thrown) {
      const failure = asGatewayError(thrown)
      if (failure.kind === 'internal') log(`${id} ${describeCause(failure)}`)
      return edge.send(context, errorAnswer(failure, trace, headers()), client)
    }
  }

  /** Sends a small JSON answer, on routes where no stream can be. */
  function json(_context: AppContext, status: number, body: unknown, extra: Record<string, string> = {}): Response {
    const wire = wireHeaders(nextId(), 0)
    const headers: Record<string, string> = { ...wire, 'content-type': 'application/json', ...extra }
    return new Response(JSON.stringify(body), { status, headers })
  }

  function fail(context: AppContext, thrown: unknown): Response {
    const failure = asGatewayError(thrown)
    if (failure.kind === 'internal') log(describeCause(failure))
    return json(context, failure.status, errorEnvelope(failure), retryHeaders(failure, 0))
  }

  /** Guards a GET route and tells its failures in the envelope. */
  const lookUp = (handler: (context: AppContext) => Promise<Response>) => async (context: AppContext) => {
    try {
      guard(edge.headers(context))
      return await handler(context)
    } catch (thrown) {
      return fail(context, thrown)
    }
  }

  const list = lookUp(async (context) => json(context, 200, { object: 'list', data: await gateway.models() }))

  const retrieve = (prefix: string, legacy: boolean) =>
    lookUp(async (context) => {
      const id = decodeId(routePath(context.req.url).slice(prefix.length))
      const model = id === undefined ? undefined : await gateway.model(id)
      if (!model) throw unknownModel(id ?? '', legacy)
      return json(context, 200, model)
    })

  app.options('*', (context) =>
    context.newResponse(null, {
      status: 204,
      headers: {
        ...wireHeaders(nextId(), 0),
        ...preflightHeaders(context.req.header('access-control-request-headers')),
      },
    }),
  )
  app.post('/chat/completions', (context) => infer(context, 'chat'))
  app.post('/completions', (context) => infer(context, 'completions'))
  app.post('/engines/*', (context) => {
    const match = /^\/engines\/(.+?)\/(chat\/completions|completions)$/.exec(routePath(context.req.url))
    const id = decodeId(match?.[1] ?? '')
    if (!match || !id) return fail(context, noRoute(context))
    return infer(context, match[2] === 'completions' ? 'completions' : 'chat', id)
  })
  app.get('/models', list)
  app.get('/engines', list)
  app.get('/models/*', retrieve('/models/', false))
  app.get('/engines/*', (context) => {
    if (/\/(chat\/)?completions$/.test(routePath(context.req.url))) return fail(context, wrongMethod(context, 'POST'))
    return retrieve('/engines/', true)(context)
  })
  app.get('/health', (context) => json(context, 200, { status: 'ok' }))
  app.get('/', (context) => json(context, 200, { name: 'samewire', status: 'ok', models: '/v1/models' }))
  // Not by routes of their own: a path that two routes fit costs every request to it a chain of handlers.
  app.notFound((context) => {
    const path = routePath(context.req.url)
    const allowed = (['GET', 'POST'] as const).find((method) => app.router.match(method, path)[0].length > 0)
    return fail(context, allowed ? wrongMethod(context, allowed) : noRoute(context))
  })
  app.onError((error, context) => fail(context, error))
  return app
}

function checkContentType(header: HeaderReader): void {
  const type = header('content-type')
  if (type !== undefined && !/^application\/([\w.+-]+\+)?json\s*(;|$)/i.test(type)) {
    throw new GatewayError(
      'bad_request',
      `Invalid Content-Type header (${headerValue(type).slice(0, 100)}), expected application/json.`,
      { status: 415, code: 'unsupported_content_type' },
    )
  }
  const encoding = header('content-encoding')
  if (encoding !== undefined && encoding !== 'identity') {
    throw new GatewayError('bad_request', 'The request body must not be compressed.', {
      status: 415,
      code: 'unsupported_content_encoding',
    })
  }
}

/** Gateways in a row that somebody may want. */
const mostHops = 4

function readHops(header: HeaderReader): number {
  const hops = Number(header(hopsHeader) ?? 0)
  if (!Number.isInteger(hops) || hops < 0) return 0
  if (hops <= mostHops) return hops
  throw new GatewayError('loop', 'The request goes round in circles: a provider of this gateway leads back to it.')
}

function noRoute(context: Context): GatewayError {
  const { method, url } = context.req
  return new GatewayError('bad_request', `Invalid URL (${method} ${pathOf(url)})`, { status: 404, code: 'unknown_url' })
}

function wrongMethod(context: Context, allowed: string): GatewayError {
  const { method, url } = context.req
  const hint = '(HINT: Perhaps you meant to use a different HTTP method?)'
  return new GatewayError('bad_request', `Not allowed to ${method} on ${pathOf(url)}. ${hint}`, {
    status: 405,
    code: 'method_not_supported',
    headers: { allow: allowed === 'GET' ? 'GET, HEAD, OPTIONS' : 'POST, OPTIONS' },
  })
}

function pathOf(url: string): string {
  return new URL(url).pathname.slice(0, 200)
}

const encoder = new TextEncoder()

function errorAnswer(failure: GatewayError, trace: Trace, headers: Record<string, string>): Answer {
  const own = retryHeaders(failure, trace.attempts.length)
  return {
    status: failure.status,
    headers: { 'content-type': 'application/json', ...headers, ...own },
    body: encoder.encode(JSON.stringify(errorEnvelope(failure))),
  }
}

/** Tells the SDKs when to come again, and not to come at all where the gateway has tried enough for them. */
function retryHeaders(failure: GatewayError, attempts: number): Record<string, string> {
  const headers: Record<string, string> = { ...failure.headers }
  const wait = failure.retryAfterMs ?? (failure.kind === 'rate_limit' ? 1000 : undefined)
  if (wait !== undefined) {
    headers['retry-after'] = String(Math.max(1, Math.ceil(wait / 1000)))
    headers['retry-after-ms'] = String(Math.max(1, Math.round(wait)))
  }
  const hopeless = ['quota', 'context_length', 'loop'].includes(failure.kind)
  if (hopeless || (reactions[failure.kind].again && attempts > 1)) headers['x-should-retry'] = 'false'
  return headers
}
