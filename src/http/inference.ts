import type { Context } from 'hono'
import { tenantFor } from '../core/account.ts'
import type { Answer } from '../core/answer.ts'
import type { Clock } from '../core/clock.ts'
import { disclosure } from '../core/disclosure.ts'
import { late } from '../core/late.ts'
import type { Log } from '../core/log.ts'
import { readLimits } from '../core/read-preferences.ts'
import type { Trace } from '../core/trace.ts'
import type { Rest } from '../core/transport.ts'
import type { InferenceRoute } from '../dialects/dialect.ts'
import type { Gateway, GatewayRequest } from '../gateway.ts'
import { type Edge, uploadLimit } from '../runtime/edge.ts'
import { parseBody, type RequestBody } from '../wire/body.ts'
import { isFormBody } from '../wire/body-kinds.ts'
import { asGatewayError, describeCause, type GatewayError } from '../wire/errors.ts'
import type { FormBody } from '../wire/form-body.ts'
import { boundaryOf, isForm } from '../wire/form-type.ts'
import { type HeaderReader, headerValue, readHops, wireHeaders } from '../wire/headers.ts'
import type { Guard } from './access.ts'
import { checkContent, encodingOf, readBytes, withKeyIn } from './reading.ts'
import type { Reports, RequestRecord } from './report.ts'
import { retryHeaders } from './retry-headers.ts'

export interface InferenceOptions<Bindings extends object> {
  readonly gateway: Gateway
  readonly edge: Edge<Bindings>
  readonly guard: Guard
  readonly clock: Clock
  readonly nextId: () => string
  /** Bytes. */
  readonly bodyLimit: number
  readonly log: Log
  readonly reports: Reports
}

const readForm = late(async () => (await import('../core/read-form.ts')).readForm)

/** What the answer to a request has to go through. */
interface Way<Bindings extends object> {
  readonly context: Context<{ Bindings: Bindings }>
  readonly route: InferenceRoute
  /** The model in the path. */
  readonly named: string | undefined
  readonly read: RequestBody
  readonly url: string | undefined
  readonly record: RequestRecord | undefined
}

/** The path of a request through the gateway, from top to bottom. */
export function createInference<Bindings extends object>(options: InferenceOptions<Bindings>) {
  const { gateway, edge, guard, clock, log, reports } = options

  const once = late(async () => {
    const { createOnce } = await import('./idempotency.ts')
    return createOnce(clock, await gateway.store())
  })

  function readRequest(
    context: Context<{ Bindings: Bindings }>,
    route: InferenceRoute,
    header: HeaderReader,
    record: RequestRecord | undefined,
  ) {
    const type = header('content-type')
    if (route.forms && type !== undefined && isForm(type)) {
      const model = new URL(context.req.url).searchParams.get('model') ?? undefined
      return readForm(edge.openBody(context, uploadLimit, encodingOf(header)), boundaryOf(type), model)
    }
    if (!route.anyType) checkContent(header)
    return readBytes(edge, context, options.bodyLimit).then((bytes) => {
      if (record) record.read.bytes = bytes.length
      return parseBody(bytes)
    })
  }

  /** The answer in the client's dialect. */
  function wordedFor(answered: Answer, { trace, signal }: GatewayRequest, way: Way<Bindings>): Answer {
    const { context, route, read, url, record } = way
    if (trace.shadow) edge.afterwards(context, trace.shadow)
    const answer = record?.follow(answered, signal) ?? answered
    return route.answer?.(answer, read, url) ?? answer
  }

  /** The same where a request may have been sent before, under the key `repeated`. */
  function answerOnce(repeated: string, request: GatewayRequest, way: Way<Bindings>): Promise<Answer> {
    const { signal: client, trace, key, bearer, session, flights } = request
    const { route, named, read, record } = way
    return once({
      ...{ key: repeated, client, trace, bearer, flights },
      tenant: `key:${tenantFor(trace.account, key).key}`,
      parts: [route.path, named, session],
      bytes: read.bytes,
      ask: async (signal) => wordedFor(await gateway.answer({ ...request, signal }), request, way),
      taken: (answer) => record?.follow(answer, client) ?? answer,
    })
  }

  return async function infer(
    context: Context<{ Bindings: Bindings }>,
    route: InferenceRoute,
    named?: string,
  ): Promise<Response> {
    const requestId = options.nextId()
    const started = clock.now()
    const signal = edge.watch(context)
    const trace: Trace = { attempts: [] }
    const given = edge.headers(context)
    const arrival = { requestId, method: 'POST', path: route.path, header: given, started, trace }
    const record = route.explains ? undefined : reports(arrival)
    record?.outlasting((work) => edge.afterwards(context, work))
    let read: RequestBody | undefined
    let retries: number | undefined
    const { keyParameter, carries, sessionHeader } = route
    const headers = () => disclosure(trace, wireHeaders(requestId, clock.now() - started, route.headers))
    try {
      // 1. Who is the caller, and do they have access?
      const url = route.explains || keyParameter !== undefined ? context.req.url : undefined
      const header = keyParameter === undefined || url === undefined ? given : withKeyIn(keyParameter, url, given)
      const guarded = guard(header, 'POST', route.anyType)
      const { bearer, key, account } = guarded instanceof Promise ? await guarded : guarded
      if (record) record.key = key
      trace.account = account
      const hops = readHops(header)
      const session = header('x-session-id') ?? (sessionHeader && header(sessionHeader))
      const limits = readLimits(header)
      retries = limits?.retries
      if (header('x-samewire-explain') === 'true') trace.asked = true
      // 2. What do they ask for? The bytes are read once and sent on unchanged unless something has to change.
      read = await readRequest(context, route, header, record)
      if (record) record.read.model = named ?? read.model
      const asked = route.request(read, named, url)
      const { operation, body, dropped } = asked instanceof Promise ? await asked : asked
      if (record) Object.assign(record, { operation, body })
      const loading = record?.loading
      if (loading) await loading
      if (route.explains) {
        const plan = encoder.encode(
          JSON.stringify(await gateway.explain({ operation, body, session, limits, account })),
        )
        const told = { ...headers(), 'content-type': 'application/json' }
        return edge.send(context, { status: 200, headers: told, body: plan }, signal)
      }
      // 3. The gateway plans which targets to try, and tries them: see gateway.ts.
      const request: GatewayRequest = {
        flights: edge.flights?.(context),
        operation,
        body,
        dropped,
        carried: carries && carriedFrom(header, carries),
        signal,
        header,
        key,
        bearer,
        requestId,
        session,
        limits,
        hops,
        trace,
      }
      const way: Way<Bindings> = { context, route, named, read, url, record }
      const repeated = header('idempotency-key')
      const worded =
        !repeated || isFormBody(read)
          ? wordedFor(await gateway.answer(request), request, way)
          : await answerOnce(repeated, request, way)
      // 4. Send the answer in the client's dialect, with headers that say who answered.
      return edge.send(context, { ...worded, headers: Object.assign(headers(), worded.headers) }, signal)
    } catch (thrown) {
      const failure = asGatewayError(thrown)
      if (read && isFormBody<Rest>(read)) dropRest(read)
      if (failure.kind === 'internal') log(`${requestId} ${describeCause(failure)}`, 'error')
      record?.failed(failure, route.status?.(failure))
      return edge.send(
        context,
        refusal(failure, route, { ...headers(), ...retryHeaders(failure, trace, retries) }),
        signal,
      )
    }
  }
}

function carriedFrom(header: HeaderReader, names: readonly string[]): Readonly<Record<string, string>> {
  const found = names.map((name) => [name, header(name)] as const)
  return Object.fromEntries(found.flatMap(([name, value]) => (value === undefined ? [] : [[name, headerValue(value)]])))
}

const encoder = new TextEncoder()

/** Reads the rest of an upload that nobody has read: many clients read no answer before they have sent all. */
function dropRest({ remainder, spent }: FormBody<Rest>): void {
  if (!spent) remainder?.take().source.cancel('Nobody takes it.')
}

function refusal(failure: GatewayError, route: InferenceRoute, headers: Record<string, string>): Answer {
  return {
    status: route.status?.(failure) ?? failure.status,
    headers: { 'content-type': 'application/json', ...headers },
    body: encoder.encode(JSON.stringify(route.refuse(failure, headers['x-request-id'] ?? ''))),
  }
}
