import type { Environment } from '../../config/secrets.ts'
import { readSampler, type Sampler } from './sampler.ts'
import { readPairs, type Warn } from './variables.ts'

/**
 * How one kind of data is exported: by `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_HEADERS`,
 * `OTEL_EXPORTER_OTLP_TIMEOUT`, `OTEL_EXPORTER_OTLP_COMPRESSION` and `OTEL_EXPORTER_OTLP_PROTOCOL`, each of which may be
 * given for one kind alone: `OTEL_EXPORTER_OTLP_TRACES_HEADERS`.
 */
export interface SignalSettings {
  readonly url: string
  /** May hold secrets: for the request, never for a log. */
  readonly headers: Readonly<Record<string, string>>
  /** Milliseconds for one request. */
  readonly timeout: number
  readonly gzip: boolean
}

/** How spans are gathered. */
export interface BatchSettings {
  /** Milliseconds that they wait for others. */
  readonly delay: number
  /** Spans of one request to the collector. */
  readonly most: number
  /** Spans that may wait: no more are kept, and no request waits for them. */
  readonly waiting: number
}

export interface OtlpSettings {
  /** Undefined: not exported. */
  readonly traces: SignalSettings | undefined
  readonly batches: BatchSettings
  /** Attributes of whatever exports. */
  readonly resource: Readonly<Record<string, string>>
  readonly sampler: Sampler
  /** Whether `traceparent` is read and sent on. */
  readonly propagates: boolean
  /** Whether the names are those of the newest conventions for generative AI. */
  readonly latestNames: boolean
}

type Signal = 'TRACES'

const usualEndpoint = 'http://localhost:4318'

/**
 * Reads OpenTelemetry's own variables. What they say wrong is told to `warn` and ignored, as its specification has it,
 * never a reason not to start. https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
export function readOtlpSettings(env: Environment, warn: Warn): OtlpSettings {
  const read = (name: string) => env[name]?.trim() || undefined
  const off = read('OTEL_SDK_DISABLED')?.toLowerCase() === 'true'
  const propagators = (read('OTEL_PROPAGATORS') ?? 'tracecontext').split(',').map((name) => name.trim())
  const named = readPairs('OTEL_RESOURCE_ATTRIBUTES', env, warn)
  const service = read('OTEL_SERVICE_NAME')
  return {
    traces: off ? undefined : readSignal('TRACES', env, warn),
    batches: readBatches(env, warn),
    resource: { 'service.name': 'samewire', ...named, ...(service !== undefined && { 'service.name': service }) },
    sampler: readSampler(env, warn),
    propagates: propagators.includes('tracecontext'),
    latestNames: (read('OTEL_SEMCONV_STABILITY_OPT_IN') ?? '')
      .split(',')
      .some((name) => name.trim() === 'gen_ai_latest_experimental'),
  }
}

function readSignal(signal: Signal, env: Environment, warn: Warn): SignalSettings | undefined {
  const what = signal.toLowerCase()
  const read = (name: string) => env[`OTEL_EXPORTER_OTLP_${name}`]?.trim() || undefined
  /** What is said of the signal alone comes first. */
  const own = (name: string) => (read(`${signal}_${name}`) ? `${signal}_${name}` : name)
  const exporters = (env[`OTEL_${signal}_EXPORTER`] ?? '').split(',').map((name) => name.trim().toLowerCase())
  const wanted = exporters.includes('otlp')
  if (exporters.includes('none')) return undefined
  const others = exporters.filter((name) => name !== '' && name !== 'otlp')
  if (others.length > 0) warn(`OTEL_${signal}_EXPORTER: only "otlp" and "none" are known here, and the rest is ignored`)
  const endpoint = endpointOf(signal, read, wanted)
  if (!endpoint) return undefined
  const url = urlOf(endpoint.given, endpoint.suffix)
  if (url === undefined) {
    // Its value may hold a password.
    warn(`${endpoint.name}: it is no http or https address without a user, so no ${what} are exported`)
    return undefined
  }
  const protocol = read(own('PROTOCOL'))?.toLowerCase() ?? 'http/json'
  const variable = `OTEL_EXPORTER_OTLP_${own('PROTOCOL')}`
  if (protocol === 'grpc') {
    warn(`${variable}: gRPC is not spoken here, so no ${what} are exported; use http/json, and the port of OTLP/HTTP`)
    return undefined
  }
  if (protocol !== 'http/json') warn(`${variable}: ${what} are sent as http/json, which is all that is spoken here`)
  return {
    url,
    headers: readHeaders(`OTEL_EXPORTER_OTLP_${own('HEADERS')}`, env, warn),
    timeout: readCount(`OTEL_EXPORTER_OTLP_${own('TIMEOUT')}`, 10_000, env, warn),
    gzip: readCompression(`OTEL_EXPORTER_OTLP_${own('COMPRESSION')}`, env, warn),
  }
}

interface Endpoint {
  readonly name: string
  readonly given: string
  /** What is added to its path. */
  readonly suffix: string
}

function endpointOf(signal: Signal, read: (name: string) => string | undefined, wanted: boolean): Endpoint | undefined {
  const own = read(`${signal}_ENDPOINT`)
  if (own !== undefined) return { name: `OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`, given: own, suffix: '' }
  const given = read('ENDPOINT') ?? (wanted ? usualEndpoint : undefined)
  return given === undefined
    ? undefined
    : { name: 'OTEL_EXPORTER_OTLP_ENDPOINT', given, suffix: `/v1/${signal.toLowerCase()}` }
}

function urlOf(given: string, suffix: string): string | undefined {
  if (!URL.canParse(given)) return undefined
  const url = new URL(given)
  if (!/^https?:$/.test(url.protocol) || url.username || url.password) return undefined
  if (suffix !== '') url.pathname = url.pathname.replace(/\/+$/, '') + suffix
  return url.href
}

/** Headers that a request can't have are left out. Their values are secrets and never told. */
function readHeaders(name: string, env: Environment, warn: Warn): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [key, value] of Object.entries(readPairs(name, env, warn))) {
    if (/^[\w!#$%&'*+.^`|~-]+$/.test(key) && /^[\x20-\x7e\x80-\xff]*$/.test(value)) headers[key.toLowerCase()] = value
    else warn(`${name}: it has an entry that no header can carry, which is left out`)
  }
  return headers
}

function readBatches(env: Environment, warn: Warn): BatchSettings {
  const waiting = readCount('OTEL_BSP_MAX_QUEUE_SIZE', 2_048, env, warn)
  return {
    delay: readCount('OTEL_BSP_SCHEDULE_DELAY', 5_000, env, warn),
    most: Math.min(waiting, readCount('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 512, env, warn)),
    waiting,
  }
}

function readCount(name: string, usual: number, env: Environment, warn: Warn): number {
  const given = env[name]?.trim()
  if (!given) return usual
  if (/^\d{1,9}$/.test(given) && Number(given) > 0) return Number(given)
  warn(`${name}: it is no whole number above 0, so it is taken for ${usual}`)
  return usual
}

function readCompression(name: string, env: Environment, warn: Warn): boolean {
  const given = env[name]?.trim().toLowerCase()
  if (given && given !== 'gzip' && given !== 'none') warn(`${name}: only "gzip" and "none" are known, so it is ignored`)
  return given === 'gzip'
}
