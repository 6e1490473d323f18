import type { AttemptRecord } from '../../core/call.ts'
import type { Deployment } from '../../core/catalog.ts'
import type { Conclusion } from '../../core/operation.ts'
import type { Provider } from '../../core/provider.ts'
import type { RequestReport } from '../../core/report.ts'
import type { TraceContext } from '../../core/trace-context.ts'
import { dollarsOf } from '../../prices/money.ts'
import type { JsonObject } from '../../wire/json.ts'
import { Attributes } from './attributes.ts'
import { type Names, operationName } from './names.ts'
import { nanoseconds } from './nanoseconds.ts'
import { named, routeOf } from './routes.ts'

const server = 2
const client = 3
/** Of `flags`: whether it is known where the parent is, and that it is elsewhere. */
const hasRemote = 0x100
const isRemote = 0x200
/** Spans for the attempts of one request. */
const mostAttempts = 50
/** Choices whose reasons are told. */
const mostReasons = 16

interface Span {
  readonly context: TraceContext
  readonly id: string
  readonly parent: string | undefined
  /** As JSON. */
  readonly name: string
  readonly kind: typeof server | typeof client
  /** Milliseconds since 1970. */
  readonly start: number
  readonly end: number
  readonly attributes: Attributes
  readonly failed: boolean
}

/** Makes the spans of a request, each as OTLP's JSON: its own, that of the call to a model, and those of the attempts. */
export function spansOf(names: Names): (report: RequestReport, context: TraceContext) => readonly string[] {
  return (report, context) => {
    const spans = [requestSpan(report, context)]
    const { attempts, plan } = report.trace
    // Without a plan nothing was done yet for which there is a model.
    if (report.operation === undefined || !plan) return spans
    const id = context.nextSpan()
    spans.push(callSpan(report, context, id, names))
    for (const attempt of attempts.slice(0, mostAttempts)) spans.push(attemptSpan(attempt, report, context, id))
    return spans
  }
}

function requestSpan(report: RequestReport, context: TraceContext): string {
  const { method, status, outcome, requestId, started, ms, key, bytesIn, cost } = report
  const { name, known } = routeOf(method, report.path)
  // Of the client's own faults it is the client's span that fails: so the conventions for HTTP have it.
  const failed = status >= 500 || outcome === 'cut'
  const attributes = new Attributes()
    .all(known)
    .int('http.response.status_code', status)
    .int('http.request.body.size', bytesIn)
    .word('samewire.request_id', requestId)
    .word('samewire.outcome', outcome)
    .text('samewire.reason', reasonOf(report))
    .text('samewire.key', key)
    .double('samewire.cost', cost === undefined ? undefined : dollarsOf(cost))
    .text('error.type', failed ? errorOf(report) : undefined)
  return written({
    ...{ context, id: context.spanId, parent: context.parentId, name, kind: server },
    ...{ start: started, end: started + ms, attributes, failed },
  })
}

function callSpan(report: RequestReport, context: TraceContext, id: string, names: Names): string {
  const { operation = '', model, outcome, started, ms, firstMs, tokens, streams, served, trace } = report
  const name = operationName(operation)
  const start = trace.attempts[0]?.at ?? started
  const failed = outcome === 'failed' || outcome === 'cut'
  const deployment = served ?? trace.plan?.targets[0]?.deployment
  const attributes = new Attributes().text(names.operation, name)
  if (deployment) {
    attributes.text(names.provider, providerName(deployment))
    attributes.all(addressOf(deployment.provider))
  }
  attributes.text(names.requestModel, model).text(names.responseModel, served?.model).flag(names.stream, streams)
  if (report.asked) addParameters(attributes, report.asked, names)
  if (report.conclusion) addConclusion(attributes, report.conclusion, names)
  if (tokens) {
    attributes.int(names.input, tokens.input).int(names.output, tokens.output)
    if (tokens.cached > 0) attributes.int(names.cached, tokens.cached)
    if (tokens.reasoning > 0) attributes.int(names.thought, tokens.reasoning)
  }
  if (streams && firstMs !== undefined) attributes.double(names.firstChunk, (started + firstMs - start) / 1000)
  attributes.text('samewire.deployment', served?.label)
  if (outcome === 'gone') attributes.word('samewire.outcome', outcome)
  if (failed) attributes.text('error.type', errorOf(report))
  return written({
    ...{
      context,
      id,
      parent: context.spanId,
      name: model === undefined ? `"${name}"` : named(name, model),
      kind: client,
    },
    ...{ start, end: started + ms, attributes, failed },
  })
}

/** No names of generative AI: whoever adds up tokens or calls would count them twice. */
function attemptSpan(attempt: AttemptRecord, report: RequestReport, context: TraceContext, parent: string): string {
  const { deployment: label, at, ms, over, failure, reason, status, broke, why } = attempt
  const deployment = report.trace.plan?.targets.find(({ deployment }) => deployment.label === label)?.deployment
  // Where the client left, nobody waited for the rest.
  const failed = (broke === true && report.outcome !== 'gone') || (failure !== undefined && failure !== 'gone')
  const attributes = new Attributes().text('samewire.deployment', label).word('samewire.why', why)
  if (deployment) attributes.all(addressOf(deployment.provider))
  attributes.int('http.response.status_code', status).word('samewire.failure', failure).text('samewire.reason', reason)
  if (failed) attributes.text('error.type', reason ?? failure ?? 'upstream_stream_truncated')
  return written({
    ...{ context, id: attempt.span ?? context.nextSpan(), parent, name: named('attempt', label), kind: client },
    ...{ start: at, end: Math.max(over ?? 0, at + ms), attributes, failed },
  })
}

function written({ context, id, parent, name, kind, start, end, attributes, failed }: Span): string {
  const { traceId, state } = context
  const remote = kind === server && parent !== undefined ? isRemote : 0
  let json = `{"traceId":"${traceId}","spanId":"${id}"`
  if (parent !== undefined) json += `,"parentSpanId":"${parent}"`
  if (state !== undefined) json += `,"traceState":${JSON.stringify(state)}`
  json += `,"flags":${context.flags | hasRemote | remote},"name":${name},"kind":${kind}`
  json += `,"startTimeUnixNano":"${nanoseconds(start)}","endTimeUnixNano":"${nanoseconds(Math.max(start, end))}"`
  json += `,"attributes":[${attributes.json}]`
  return failed ? `${json},"status":{"code":2}}` : `${json}}`
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

const addresses = new WeakMap<Provider, string>()

/** The attributes that tell of a provider's address: its host and port, and nothing else of it. */
function addressOf(provider: Provider): string {
  let known = addresses.get(provider)
  if (known === undefined) {
    known = addressIn(provider.settings.baseURL)
    addresses.set(provider, known)
  }
  return known
}

function addressIn(url: string): string {
  if (!URL.canParse(url)) return ''
  const { hostname, port, protocol } = new URL(url)
  const number = Number(port) || (protocol === 'https:' ? 443 : 80)
  return new Attributes().text('server.address', hostname).int('server.port', number).json
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
