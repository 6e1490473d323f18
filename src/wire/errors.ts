import type { JsonObject } from './json.ts'

/**
 * Why a model can't answer a valid request. Each kind can have its own policy (`missing` in the configuration), because
 * each needs a different cure: a substitute, a pull, or an error.
 */
export const missingKinds = ['absent', 'unknown', 'not_found', 'retired', 'not_pulled', 'no_live_provider'] as const
export type MissingKind = (typeof missingKinds)[number]

/** Every way in which an attempt can fail, distinguished by what can be done about it. */
export type FailureKind =
  | MissingKind
  | 'wrong_endpoint'
  | 'incapable'
  | 'bad_request'
  | 'context_length'
  | 'content_policy'
  | 'unauthorized'
  | 'forbidden'
  | 'auth'
  | 'quota'
  | 'rate_limit'
  | 'loading'
  | 'overloaded'
  | 'network'
  | 'timeout'
  | 'protocol'
  | 'loop'
  | 'upstream'
  | 'internal'
  | 'stopping'
  | 'gone'

/** What a model may or may not be able to do. */
export type Capability = 'tools' | 'vision' | 'audio' | 'schema' | 'dimensions' | 'logprobs'

/**
 * How a failure counts for the deployment's circuit breaker. `failed`: towards its limits; `limited`: it opens at once;
 * `rejected`: at once, and for long, since credentials and bills don't mend themselves.
 */
export type Severity = 'failed' | 'limited' | 'rejected'

interface Reaction {
  /** HTTP status for the client, unless the failure has its own. */
  readonly status: number
  readonly type: string
  readonly code: string | null
  /** Worth a retry on the same deployment. */
  readonly again: boolean
  /** Worth a try on another deployment. Differs from `again`: a wrong key stays wrong, but only at that provider. */
  readonly elsewhere: boolean
  /** Whether a cooldown of the deployment follows, and how soon. Absent: the failure says nothing about it. */
  readonly cools?: Severity
  /** The value for `x-samewire-reason`, if it says more than `code`. */
  readonly reason?: string
}

const request = { type: 'invalid_request_error' }
const server = { type: 'server_error' }
const never = { again: false, elsewhere: false }
const onlyElsewhere = { again: false, elsewhere: true }
const anywhere = { again: true, elsewhere: true }

/** This table decides what each failure means for the client, for retries and for fallbacks. */
export const reactions: Record<FailureKind, Reaction> = {
  absent: { status: 400, ...request, code: null, ...onlyElsewhere, reason: 'model_not_found' },
  unknown: { status: 404, ...request, code: 'model_not_found', ...onlyElsewhere },
  not_found: { status: 404, ...request, code: 'model_not_found', ...onlyElsewhere },
  retired: { status: 404, ...request, code: 'model_not_found', ...onlyElsewhere, reason: 'model_deprecated' },
  not_pulled: {
    status: 404,
    ...request,
    code: 'model_not_found',
    ...onlyElsewhere,
    reason: 'model_unavailable_upstream',
  },
  no_live_provider: { status: 404, ...request, code: 'model_not_found', ...onlyElsewhere, reason: 'no_endpoints' },
  wrong_endpoint: { status: 404, ...request, code: 'wrong_endpoint', ...onlyElsewhere },
  incapable: { status: 400, ...request, code: 'unsupported_parameter', ...onlyElsewhere },
  bad_request: { status: 400, ...request, code: null, ...never, reason: 'bad_request' },
  context_length: { status: 400, ...request, code: 'context_length_exceeded', ...onlyElsewhere },
  content_policy: { status: 400, ...request, code: 'content_policy_violation', ...never },
  unauthorized: { status: 401, ...request, code: 'invalid_api_key', ...never },
  forbidden: { status: 403, ...request, code: 'forbidden', ...never },
  auth: { status: 502, ...server, code: 'upstream_credentials_rejected', ...onlyElsewhere, cools: 'rejected' },
  quota: { status: 429, type: 'insufficient_quota', code: 'insufficient_quota', ...onlyElsewhere, cools: 'rejected' },
  rate_limit: { status: 429, type: 'requests', code: 'rate_limit_exceeded', ...anywhere, cools: 'limited' },
  loading: { status: 503, ...server, code: 'temporarily_unavailable', ...anywhere },
  overloaded: { status: 503, ...server, code: 'capacity_exhausted', ...anywhere, cools: 'failed' },
  network: { status: 502, ...server, code: 'upstream_unreachable', ...anywhere, cools: 'failed' },
  // A retry would only use up the same time again.
  timeout: { status: 504, ...server, code: 'upstream_timeout', ...onlyElsewhere, cools: 'failed' },
  protocol: { status: 502, ...server, code: 'upstream_invalid_response', ...anywhere, cools: 'failed' },
  loop: { status: 508, ...server, code: 'gateway_loop', ...onlyElsewhere },
  upstream: { status: 502, ...server, code: 'upstream_error', ...anywhere, cools: 'failed' },
  internal: { status: 500, ...server, code: 'internal_error', ...never },
  stopping: { status: 503, ...server, code: 'shutting_down', ...never },
  gone: { status: 499, ...request, code: 'client_closed_request', ...never },
}

export interface FailureDetails {
  readonly status?: number
  readonly type?: string
  readonly code?: string | null
  readonly param?: string | null
  /** The client's name for a missing model. */
  readonly model?: string
  /** How long the upstream asked to wait, in milliseconds. */
  readonly retryAfterMs?: number
  /** `false`: the upstream says that a retry can't help, whatever the kind. */
  readonly again?: boolean
  /** What an incapable model lacks, if it said so. */
  readonly lacks?: Capability
  /** The value for `x-samewire-reason`, if neither the kind nor the code says it. */
  readonly reason?: string
  /** Which of the gateway's own limits it was, for operators: `key_rpm`. */
  readonly limit?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
  readonly cause?: unknown
}

/** Every failure of a request, created where its cause is known, with all that answers and policies need. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError'
  readonly kind: FailureKind
  readonly status: number
  readonly type: string
  readonly code: string | null
  readonly param: string | null
  /** The client's name for a missing model, which some dialects word in their own way. */
  readonly model: string | undefined
  readonly retryAfterMs: number | undefined
  /** Worth a retry on the same deployment. */
  readonly again: boolean
  readonly lacks: Capability | undefined
  readonly limit: string | undefined
  readonly headers: Readonly<Record<string, string>>
  /** The HTTP status by which an upstream told it. */
  upstreamStatus: number | undefined
  readonly #reason: string | undefined

  constructor(kind: FailureKind, message: string, details: FailureDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    const reaction = reactions[kind]
    this.kind = kind
    this.status = details.status ?? reaction.status
    this.type = details.type ?? reaction.type
    this.code = details.code === undefined ? reaction.code : details.code
    this.param = details.param ?? null
    this.model = details.model
    this.retryAfterMs = details.retryAfterMs
    this.again = reaction.again && details.again !== false
    this.lacks = details.lacks
    this.limit = details.limit
    this.headers = details.headers ?? {}
    this.#reason = details.reason
  }

  /** The same failure in the terms of the request that the client made. */
  inTermsOf(param: string | null, message: string): GatewayError {
    const { kind, status, type, code, headers, cause, limit } = this
    const same = new GatewayError(kind, message, {
      ...{ status, type, code, param, headers, cause, limit, again: this.again, reason: this.reason },
      ...(this.model !== undefined && { model: this.model }),
      ...(this.retryAfterMs !== undefined && { retryAfterMs: this.retryAfterMs }),
      ...(this.lacks !== undefined && { lacks: this.lacks }),
    })
    same.upstreamStatus = this.upstreamStatus
    return same
  }

  /** The value for `x-samewire-reason`, one of a fixed set. */
  get reason(): string {
    const reaction = reactions[this.kind]
    return this.#reason ?? reaction.reason ?? this.code ?? reaction.code ?? this.kind
  }
}

/** Turns anything thrown into a `GatewayError`. An unexpected error becomes its cause, and clients don't see it. */
export function asGatewayError(thrown: unknown): GatewayError {
  return thrown instanceof GatewayError
    ? thrown
    : new GatewayError('internal', 'The gateway failed unexpectedly.', { cause: thrown })
}

/** `{error: {message, type, param, code}}`, always with all four keys: clients read them without checking. */
export function errorEnvelope(error: GatewayError): JsonObject {
  return { error: { message: error.message, type: error.type, param: error.param, code: error.code } }
}

export function isMissing(kind: FailureKind): kind is MissingKind {
  return (missingKinds as readonly string[]).includes(kind)
}

/** OpenAI's message for a model that doesn't exist. */
export function unknownModel(model: string, kind: MissingKind = 'unknown'): GatewayError {
  const message = `The model \`${shorten(model)}\` does not exist or you do not have access to it.`
  return new GatewayError(kind, message, { model })
}

/**
 * A name for a message: that repeats the caller's own text, but not ten kilobytes of it, and no key, since clients log
 * what they are told.
 */
export function shorten(name: string, length = 200): string {
  const shown = name.replace(/\bsk-[\w-]{12,}/g, maskKey)
  return shown.length > length ? `${shown.slice(0, length)}…` : shown
}

/** Shows enough of a secret to recognise it, never all of it: `sk-ab***yz`. */
export function maskKey(key: string): string {
  return key.length < 12 ? '***' : `${key.slice(0, 5)}***${key.slice(-2)}`
}

/** For the log: the message of an unexpected failure, with its cause's stack. */
export function describeCause({ message, cause }: GatewayError): string {
  return cause instanceof Error ? `${message} ${cause.stack ?? cause.message}` : message
}
