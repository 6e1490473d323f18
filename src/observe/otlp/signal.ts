import type { Environment } from '../../config/secrets.ts'
import { readCount, readPairs, type Warn } from './variables.ts'

/**
 * How one kind of data is exported: by `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_HEADERS`,
 * `OTEL_EXPORTER_OTLP_TIMEOUT`, `OTEL_EXPORTER_OTLP_COMPRESSION` and `OTEL_EXPORTER_OTLP_PROTOCOL`, each of which may be
 * given for one kind alone: `OTEL_EXPORTER_OTLP_TRACES_HEADERS`, `OTEL_EXPORTER_OTLP_METRICS_HEADERS`.
 */
export interface SignalSettings {
  readonly url: string
  /** May hold secrets: for the request, never for a log. */
  readonly headers: Readonly<Record<string, string>>
  /** Milliseconds for one request. */
  readonly timeout: number
  readonly gzip: boolean
  /** Whether it is sent as JSON. Otherwise it is protobuf, which costs a fraction of it. */
  readonly isJSON: boolean
}

export type Signal = 'TRACES' | 'METRICS'

const usualEndpoint = 'http://localhost:4318'

/** What may stand in `OTEL_TRACES_EXPORTER` and its like; `prometheus`: a server is to be asked for them. */
const known: Readonly<Record<Signal, readonly string[]>> = {
  TRACES: ['otlp', 'none'],
  METRICS: ['otlp', 'prometheus', 'none'],
}

/** Attributes of whatever exports. */
export function readResource(env: Environment, warn: Warn): Record<string, string> {
  const named = readPairs('OTEL_RESOURCE_ATTRIBUTES', env, warn)
  const service = env.OTEL_SERVICE_NAME?.trim()
  return { 'service.name': 'samewire', ...named, ...(service && { 'service.name': service }) }
}

/** Undefined: nothing of the kind is exported. What its variables say wrong is told to `warn` and ignored. */
export function readSignal(signal: Signal, env: Environment, warn: Warn): SignalSettings | undefined {
  const what = signal.toLowerCase()
  const read = (name: string) => env[`OTEL_EXPORTER_OTLP_${name}`]?.trim() || undefined
  /** What is said of the signal alone comes first. */
  const own = (name: string) => (read(`${signal}_${name}`) ? `${signal}_${name}` : name)
  const exporters = (env[`OTEL_${signal}_EXPORTER`] ?? '').split(',').map((name) => name.trim().toLowerCase())
  const wanted = exporters.includes('otlp')
  if (env.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true' || exporters.includes('none')) return undefined
  if (!exporters.every((name) => name === '' || known[signal].includes(name))) {
    warn(`OTEL_${signal}_EXPORTER: only ${known[signal].join(', ')} are known here, and the rest is ignored`)
  }
  if (signal === 'METRICS' && exporters.includes('prometheus') && !wanted) return undefined
  const endpoint = endpointOf(signal, read, wanted)
  if (!endpoint) return undefined
  const url = urlOf(endpoint.given, endpoint.suffix)
  if (url === undefined) {
    // Its value may hold a password.
    warn(`${endpoint.name}: it is no http or https address without a user, so no ${what} are exported`)
    return undefined
  }
  const isJSON = readProtocol(`OTEL_EXPORTER_OTLP_${own('PROTOCOL')}`, what, env, warn)
  if (isJSON === undefined) return undefined
  return {
    url,
    headers: readHeaders(`OTEL_EXPORTER_OTLP_${own('HEADERS')}`, env, warn),
    timeout: readCount(`OTEL_EXPORTER_OTLP_${own('TIMEOUT')}`, 10_000, env, warn),
    gzip: readCompression(`OTEL_EXPORTER_OTLP_${own('COMPRESSION')}`, env, warn),
    isJSON,
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

function readCompression(name: string, env: Environment, warn: Warn): boolean {
  const given = env[name]?.trim().toLowerCase()
  if (given && given !== 'gzip' && given !== 'none') warn(`${name}: only "gzip" and "none" are known, so it is ignored`)
  return given === 'gzip'
}

/** Undefined: it can't be exported. */
function readProtocol(name: string, what: string, env: Environment, warn: Warn): boolean | undefined {
  const given = env[name]?.trim().toLowerCase() || 'http/protobuf'
  if (given === 'grpc') {
    warn(`${name}: gRPC is not spoken here, so no ${what} are exported; use http/protobuf, and the port of OTLP/HTTP`)
    return undefined
  }
  const isJSON = given === 'http/json'
  if (!isJSON && given !== 'http/protobuf') {
    warn(`${name}: only "http/protobuf" and "http/json" are spoken here, so ${what} are sent as the first`)
  }
  return isJSON
}
