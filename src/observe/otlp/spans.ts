import type { Deployment } from '../../core/catalog.ts'
import type { Provider } from '../../core/provider.ts'
import type { RequestReport } from '../../core/report.ts'
import type { Conclusion } from '../../core/stream-reader.ts'
import type { AttemptRecord } from '../../core/trace.ts'
import type { TraceContext } from '../../core/trace-context.ts'
import { dollarsOf } from '../../prices/money.ts'
import type { JsonObject } from '../../wire/json.ts'
import { Alike } from './alike.ts'
import type { Attributes } from './attributes.ts'
import { type Names, operationName } from './names.ts'
import { addRoute, type Route, routeOf } from './routes.ts'
import { client, type SpanBatch, server } from './span-batch.ts'

/** Spans for the attempts of one request. */
const mostAttempts = 50
/** Choices whose reasons are told. */
const mostReasons = 16

/** How many spans a request has: its own, that of the call to a model, and those of the attempts. */
export function spanCount({ operation, trace: { plan, attempts } }: RequestReport): number {
  // Without a plan nothing was done yet for which there is a model.
  return operation === undefined || !plan ? 1 : 2 + Math.min(attempts.length, mostAttempts)
}

/** Writes the spans of requests, each to the batch that `next` returns. */
export function spansOf(names: Names): (report: RequestReport, context: TraceContext, next: () => SpanBatch) => void {
  const calls = new Alike<CallFacts>()
  return (report, context, next) => {
    addRequest(next(), report, context)
    const count = spanCount(report)
    if (count === 1) return
    const id = context.nextSpan()
    addCall(next(), { report, context, id, names, calls })
    for (const attempt of report.trace.attempts.slice(0, count - 2))
      addAttempt(next(), attempt, report, { context, id })
  }
}

function addRequest(batch: SpanBatch, report: RequestReport, context: TraceContext): void {
  const { status, outcome, requestId, started, ms, key, bytesIn, cost } = report
  const route = routeOf(report.method, report.path)
  // Of the client's own faults it is the client's span that fails: so the conventions for HTTP have it.
  const failed = status >= 500 || outcome === 'cut'
  batch
    .begin({
      context,
      id: context.spanId,
      parent: context.parentId,
      kind: server,
      what: route.method,
      of: route.route,
      start: started,
      end: started + ms,
    })
    .same(ends.of(route, { route, status, outcome, key, reason: reasonOf(report) }), addEnd)
    .int('http.request.body.size', bytesIn)
    .id('samewire.request_id', requestId)
    .double('samewire.cost', cost === undefined ? undefined : dollarsOf(cost))
    .text('error.type', failed ? errorOf(report) : undefined)
  batch.end(failed)
}

/** How requests end, which most of a route do alike. */
interface End {
  readonly route: Route
  readonly status: number
  readonly outcome: RequestReport['outcome']
  readonly key: string | undefined
  readonly reason: string | undefined
}

const ends = new Alike<End>()

function addEnd(attributes: Attributes, { route, status, outcome, key, reason }: End): void {
  addRoute(attributes, route)
  attributes
    .int('http.response.status_code', status)
    .word('samewire.outcome', outcome)
    .text('samewire.reason', reason)
    .text('samewire.key', key)
}

interface Call {
  readonly report: RequestReport
  readonly context: TraceContext
  readonly id: string
  readonly names: Names
  readonly calls: Alike<CallFacts>
}

/** What calls of a deployment have in common. */
interface CallFacts {
  readonly names: Names
  readonly name: string
  readonly deployment: Deployment
  readonly served: Deployment | undefined
  readonly model: string | undefined
  readonly streams: boolean
}

function addCall(batch: SpanBatch, { report, context, id, names, calls }: Call): void {
  const { operation = '', model, outcome, started, ms, firstMs, tokens, streams, served, trace } = report
  const name = operationName(operation)
  const start = trace.attempts[0]?.at ?? started
  const failed = outcome === 'failed' || outcome === 'cut'
  const deployment = served ?? trace.plan?.targets[0]?.deployment
  const attributes = batch.begin({
    context,
    id,
    parent: context.spanId,
    kind: client,
    what: name,
    of: model,
    start,
    end: started + ms,
  })
  if (deployment) {
    attributes.same(calls.of(deployment, { names, name, deployment, served, model, streams }), addCallFacts)
  } else attributes.text(names.operation, name).text(names.requestModel, model).flag(names.stream, streams)
  if (report.asked) addParameters(attributes, report.asked, names)
  if (report.conclusion) addConclusion(attributes, report.conclusion, names)
  if (tokens) {
    attributes.int(names.input, tokens.input).int(names.output, tokens.output)
    if (tokens.cached > 0) attributes.int(names.cached, tokens.cached)
    if (tokens.reasoning > 0) attributes.int(names.thought, tokens.reasoning)
  }
  if (streams && firstMs !== undefined) attributes.double(names.firstChunk, (started + firstMs - start) / 1000)
  if (outcome === 'gone') attributes.word('samewire.outcome', outcome)
  if (failed) attributes.text('error.type', errorOf(report))
  batch.end(failed)
}

function addCallFacts(attributes: Attributes, { names, name, deployment, served, model, streams }: CallFacts): void {
  attributes
    .text(names.operation, name)
    .text(names.provider, providerName(deployment))
    .same(deployment.provider, addAddress)
    .text(names.requestModel, model)
    .text(names.responseModel, served?.model)
    .flag(names.stream, streams)
    .text('samewire.deployment', served?.label)
}

interface Above {
  readonly context: TraceContext
  /** Of the call's span. */
  readonly id: string
}

/** No names of generative AI: whoever adds up tokens or calls would count them twice. */
function addAttempt(batch: SpanBatch, attempt: AttemptRecord, report: RequestReport, { context, id }: Above): void {
  const { deployment: label, at, ms, over, failure, reason, status, broke, why } = attempt
  const deployment = report.trace.plan?.targets.find(({ deployment }) => deployment.label === label)?.deployment
  // Where the client left, nobody waited for the rest.
  const failed = (broke === true && report.outcome !== 'gone') || (failure !== undefined && failure !== 'gone')
  const attributes = batch.begin({
    context,
    id: attempt.span ?? context.nextSpan(),
    parent: id,
    kind: client,
    what: 'attempt',
    of: label,
    start: at,
    end: Math.max(over ?? 0, at + ms),
  })
  if (deployment) attributes.same(attempts.of(deployment, { deployment, why }), addAttemptFacts)
  else attributes.text('samewire.deployment', label).word('samewire.why', why)
  attributes.int('http.response.status_code', status).word('samewire.failure', failure).text('samewire.reason', reason)
  if (failed) attributes.text('error.type', reason ?? failure ?? 'upstream_stream_truncated')
  batch.end(failed)
}

interface AttemptFacts {
  readonly deployment: Deployment
  readonly why: AttemptRecord['why']
}

const attempts = new Alike<AttemptFacts>()

function addAttemptFacts(attributes: Attributes, { deployment, why }: AttemptFacts): void {
  attributes
    .text('samewire.deployment', deployment.label)
    .word('samewire.why', why)
    .same(deployment.provider, addAddress)
}

/** A stream that breaks off without a word of its upstream has no failure of its own. */
function errorOf({ failure, outcome, status }: RequestReport): string {
  return failure?.reason ?? (outcome === 'cut' ? 'upstream_stream_truncated' : String(status))
}

function reasonOf({ failure, trace }: RequestReport): string | undefined {
  return failure?.reason ?? trace.reason ?? trace.attempts.find((attempt) => attempt.failure)?.reason
}

function providerName({ provider: { definition } }: Deployment): string {
  return definition.telemetryName ?? definition.type
}

/** A provider's host and port, and nothing else of its address. */
function addAddress(attributes: Attributes, { settings: { baseURL } }: Provider): void {
  if (!URL.canParse(baseURL)) return
  const { hostname, port, protocol } = new URL(baseURL)
  const number = Number(port) || (protocol === 'https:' ? 443 : 80)
  attributes.text('server.address', hostname).int('server.port', number)
}

function addConclusion(attributes: Attributes, { id, reasons }: Conclusion, names: Names): void {
  if (typeof id === 'string' && id !== '') attributes.unique(names.responseId, id)
  const told = reasons.filter((reason) => typeof reason === 'string')
  attributes.texts(names.finishReasons, told.slice(0, mostReasons))
}

/** Settings of the request, whatever its API calls them: never what was said. */
function addParameters(attributes: Attributes, asked: JsonObject, names: Names): void {
  const { max_completion_tokens, max_output_tokens, max_tokens, stop, n, reasoning_effort, reasoning } = asked
  attributes
    .int(names.maxTokens, max_completion_tokens ?? max_output_tokens ?? max_tokens)
    .double(names.temperature, asked.temperature)
    .double(names.topP, asked.top_p)
    .double(names.frequencyPenalty, asked.frequency_penalty)
    .double(names.presencePenalty, asked.presence_penalty)
    .int(names.seed, asked.seed)
  if (n !== 1) attributes.int(names.choices, n)
  const stops = (Array.isArray(stop) ? stop : [stop]).filter((one) => typeof one === 'string')
  attributes.texts(names.stop, stops.slice(0, 16))
  const effort = reasoning_effort ?? Object(reasoning).effort
  if (typeof effort === 'string') attributes.text(names.reasoning, effort)
}
