import type { Context } from 'hono'
import type { Guard } from './access.ts'
import { type Answer, isPending, isStream, whenOver } from './core/answer.ts'
import type { Trace } from './core/call.ts'
import type { Clock } from './core/clock.ts'
import { disclosure } from './core/disclosure.ts'
import { readForm } from './core/read-form.ts'
import { readLimits } from './core/read-preferences.ts'
import { patience } from './core/retry-budget.ts'
import type { Services } from './core/services.ts'
import type { Rest } from './core/transport.ts'
import type { InferenceRoute } from './dialects/dialect.ts'
import type { Gateway } from './gateway.ts'
import { createReport } from './report.ts'
import { tooLarge } from './runtime/body-limit.ts'
import { type Edge, uploadLimit } from './runtime/edge.ts'
import { parseBody, type RequestBody } from './wire/body.ts'
import { asGatewayError, describeCause, type FailureKind, GatewayError, reactions } from './wire/errors.ts'
import { boundaryOf, isForm } from './wire/form.ts'
import { FormBody } from './wire/form-body.ts'
import { type HeaderReader, headerValue, isJson, readHops, wireHeaders } from './wire/headers.ts'

export interface InferenceOptions<Bindings extends object> {
  readonly gateway: Gateway
  readonly edge: Edge<Bindings>
  readonly guard: Guard
  readonly clock: Clock
  readonly nextId: () => string
  /** Bytes. */
  readonly bodyLimit: number
  readonly log: (message: string) => void
  readonly onTrace?: Services['onTrace']
}

/** The path of a request through the gateway, from top to bottom. */
export function createInference<Bindings extends object>(options: InferenceOptions<Bindings>) {
  const { gateway, edge, guard, clock, log, onTrace } = options
  const report = createReport(options)

  function readRequest(context: Context<{ Bindings: Bindings }>, route: InferenceRoute, header: HeaderReader) {
    const type = header('content-type')
    if (route.forms && type !== undefined && isForm(type)) {
      const model = new URL(context.req.url).searchParams.get('model') ?? undefined
      return readForm(edge.openBody(context, uploadLimit, encodingOf(header)), boundaryOf(type), model)
    }
    checkContent(header)
    const encoding = encodingOf(header)
    const { bodyLimit } = options
    if (encoding === undefined) return edge.readBody(context, bodyLimit).then(parseBody)
    const { source } = edge.openBody(context, bodyLimit, encoding)
    return source.collect(bodyLimit, () => tooLarge(bodyLimit)).then(parseBody)
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
    let operationName: string | undefined
    let read: RequestBody | undefined
    let retries: number | undefined
    const headers = () => Object.assign(wireHeaders(requestId, clock.now() - started), disclosure(trace))
    try {
      // 1. Who is the caller, and do they have access?
      const header = edge.headers(context)
      const bearer = guard(header, 'POST')
      const hops = readHops(header)
      const session = header('x-session-id')
      const limits = readLimits(header)
      retries = limits?.retries
      if (header('x-samewire-explain') === 'true') trace.asked = true
      // 2. What do they ask for? The bytes are read once and sent on unchanged unless something has to change.
      read = await readRequest(context, route, header)
      const { operation, body, dropped } = route.request(read, named, route.explains ? context.req.url : undefined)
      operationName = operation.name
      if (route.explains) {
        const plan = encoder.encode(JSON.stringify(gateway.explain({ operation, body, session, limits })))
        const told = { ...headers(), 'content-type': 'application/json' }
        return edge.send(context, { status: 200, headers: told, body: plan }, signal)
      }
      // 3. The gateway plans which targets to try, and tries them: see gateway.ts.
      const answered = await gateway.answer({
        operation,
        body,
        dropped,
        signal,
        bearer,
        requestId,
        session,
        limits,
        hops,
        trace,
      })
      if (trace.shadow) edge.afterwards(context, trace.shadow)
      const answer =
        onTrace || trace.attempts.length > 1 || isPending(answered.body)
          ? followed(answered, () => report(requestId, started, trace, operationName))
          : answered
      // 4. Send the answer in the client's dialect, with headers that say who answered.
      const worded = route.answer?.(answer, read) ?? answer
      return edge.send(context, { ...worded, headers: Object.assign(headers(), worded.headers) }, signal)
    } catch (thrown) {
      const failure = asGatewayError(thrown)
      if (read instanceof FormBody) dropRest(read)
      if (failure.kind === 'internal') log(`${requestId} ${describeCause(failure)}`)
      if (!route.explains) report(requestId, started, trace, operationName, failure)
      return edge.send(
        context,
        refusal(failure, route, { ...headers(), ...retryHeaders(failure, trace, retries) }),
        signal,
      )
    }
  }
}

/** A stream that nobody else follows to its end isn't followed for this either: its runtime may carry it. */
function followed(answer: Answer, over: () => void): Answer {
  const { body } = answer
  if (!isStream(body) || body.steps.some((step) => step.over)) return whenOver(answer, over)
  over()
  return answer
}

const encoder = new TextEncoder()

/** Reads the rest of an upload that nobody has read: many clients read no answer before they have sent all. */
function dropRest({ remainder, spent }: FormBody<Rest>): void {
  if (!spent) remainder?.take().source.cancel('Nobody takes it.')
}

function refusal(failure: GatewayError, route: InferenceRoute, headers: Record<string, string>): Answer {
  return {
    status: failure.status,
    headers: { 'content-type': 'application/json', ...headers },
    body: encoder.encode(JSON.stringify(route.refuse(failure))),
  }
}

function checkContent(header: HeaderReader): void {
  const type = header('content-type')
  if (type !== undefined && !isJson(type)) {
    throw new GatewayError(
      'bad_request',
      `Invalid Content-Type header (${headerValue(type).slice(0, 100)}), expected application/json.`,
      { status: 415, code: 'unsupported_content_type' },
    )
  }
}

/** How the request's body is compressed, if it is. */
function encodingOf(header: HeaderReader): string | undefined {
  const encoding = header('content-encoding')
  return encoding === undefined || /^\s*(identity)?\s*$/i.test(encoding) ? undefined : encoding
}

/** Failures that no waiting cures. */
const hopeless: ReadonlySet<FailureKind> = new Set(['quota', 'context_length', 'loop', 'auth', 'incapable'] as const)

/** What passes by itself, sometimes. A timeout does too, although the gateway doesn't wait for it twice. */
function mayPass(kind: FailureKind): boolean {
  return reactions[kind].again || kind === 'timeout'
}

/**
 * Tells SDKs when to retry, or not to retry at all: once the gateway has tried, more tries are its own to make. Two
 * cases are left to the client if nothing was tried twice: it asked for no `retries`, or the provider for a long wait.
 */
export function retryHeaders(failure: GatewayError, { attempts }: Trace, retries?: number): Record<string, string> {
  const headers: Record<string, string> = { ...failure.headers }
  const wait = failure.retryAfterMs ?? (failure.kind === 'rate_limit' ? 1000 : undefined)
  if (wait !== undefined) {
    headers['retry-after'] = String(Math.max(1, Math.ceil(wait / 1000)))
    headers['retry-after-ms'] = String(Math.max(1, Math.round(wait)))
  }
  const tried = attempts.filter(({ failure: kind }) => kind !== undefined && mayPass(kind)).length
  const isHopeless = hopeless.has(failure.kind) || (reactions[failure.kind].again && !failure.again)
  const clientsTurn = retries === 0 || (failure.retryAfterMs ?? 0) > patience
  const isEnough = mayPass(failure.kind) && tried > (clientsTurn ? 1 : 0)
  if (isHopeless || isEnough) headers['x-should-retry'] = 'false'
  return headers
}
