import {
  type FailureDetails,
  type FailureKind,
  GatewayError,
  isMissing,
  shorten,
  unknownModel,
} from '../wire/errors.ts'
import { isObject, type JsonObject, stringAt, tryParse } from '../wire/json.ts'
import type { Call } from './call.ts'
import type { ErrorRule, Provider } from './provider.ts'
import { secretsAt, withoutSecrets } from './secrets.ts'

/** An upstream's error response, as received. */
export interface Refusal {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** The start of the body; endless error bodies are cut. */
  readonly body: string
  /** The upstream's name for the model. */
  readonly model: string
  /** The client's name for the model. */
  readonly asked: string
  /** The caller's own bearer token, which the upstream may echo. */
  readonly bearer: string | undefined
  /** Milliseconds since 1970, for a `retry-after` given as a date. */
  readonly now: number
}

/** What an error body says, whatever its format. */
export interface Said {
  readonly message: string
  readonly type?: string
  readonly code?: string
  readonly param?: string
}

/**
 * Common wordings, whichever server uses them. A provider's own rules come first; these apply when all that is known is
 * the status and a text.
 */
const generalRules: readonly ErrorRule[] = [
  { status: 429, match: /insufficient_quota|exceeded your current quota|credit/i, kind: 'quota' },
  { status: 404, match: /not a chat model|v1\/completions|v1\/chat\/completions/i, kind: 'wrong_endpoint' },
  {
    match: /model\b.{0,160}(is|was|been) (deprecated|decommissioned|retired|discontinued|shut down)/i,
    kind: 'retired',
  },
  { status: 404, match: /model|deployment/i, kind: 'not_found' },
  { status: 400, match: /model .{0,200}(not found|does not exist|not exist)|model_not_found/i, kind: 'not_found' },
  {
    match:
      /context_length_exceeded|maximum context length|context (size|window)|exceed_context_size|context length|prompt is too long/i,
    kind: 'context_length',
  },
  { match: /content_filter|content_policy|content management policy/i, kind: 'content_policy' },
  { status: 503, match: /loading/i, kind: 'loading' },
]

/** Classifies an upstream's error response and keeps its message where the client can use it. */
export function readRefusal(refusal: Refusal, provider: Provider): GatewayError {
  const said = readSaid(refusal.body, secretsAt(provider, refusal.bearer))
  const evidence = `${said.code ?? ''} ${said.type ?? ''} ${said.message}`
  const { errors = [] } = provider.definition
  const rules = [...(typeof errors === 'function' ? errors(provider.settings) : errors), ...generalRules]
  const rule = rules.find(
    ({ status, match }) => (status === undefined || status === refusal.status) && match.test(evidence),
  )
  const kind = refusal.status === 401 ? 'auth' : (rule?.kind ?? kindOfStatus(refusal.status))
  const retryAfterMs = readRetryAfter(refusal.headers, refusal.now)
  const details = {
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(isMissing(kind) && { model: refusal.asked }),
  }
  const word = rule?.say?.(refusal.model)
  return word !== undefined && refusal.status !== 401
    ? new GatewayError(kind, word, { ...details, param: 'model' })
    : worded(kind, said, refusal, provider, details)
}

/** The failure for an `error` inside an answer with a success status, before any of the answer was sent on. */
export function readInBand(error: unknown, call: Call): GatewayError {
  const { deployment } = call.target
  const status = isObject(error) && typeof error.code === 'number' ? error.code : 500
  const refusal = { status, headers: {}, body: JSON.stringify({ error }), ...namesOf(call), now: 0 }
  return readRefusal(refusal, deployment.provider)
}

/** What a `Refusal` needs of a call: the upstream's and the client's name for the model, and the client's bearer. */
export function namesOf({ target, plan, bearer }: Call): Pick<Refusal, 'model' | 'asked' | 'bearer'> {
  const { model } = target.deployment
  return { model, asked: target.why === 'requested' ? (plan.requested ?? model) : model, bearer }
}

/** The error envelope for an `error` that an upstream sends inside its stream: the upstream's words, all four keys. */
export function streamError(error: unknown, provider: Provider, bearer: string | undefined): JsonObject {
  const said = readSaid(JSON.stringify({ error }), secretsAt(provider, bearer))
  return {
    error: {
      message: said.message || `${provider.name} failed without a word.`,
      type: said.type ?? 'server_error',
      param: said.param ?? null,
      code: said.code ?? (isObject(error) && error.code === null ? null : 'upstream_error'),
    },
  }
}

function worded(
  kind: FailureKind,
  said: Said,
  refusal: Refusal,
  provider: Provider,
  details: FailureDetails,
): GatewayError {
  const { name } = provider
  switch (kind) {
    case 'not_found':
    case 'retired':
      return unknownModel(refusal.asked, kind)
    case 'auth':
      if (provider.callersKey) {
        return new GatewayError('unauthorized', `${name} rejected the API key that you sent (HTTP ${refusal.status}).`)
      }
      // The upstream's message may quote the gateway's own key, so none of it is passed on.
      return new GatewayError('auth', `The gateway's credentials for ${name} were rejected (HTTP ${refusal.status}).`)
    case 'bad_request': {
      // openai-python 0.27 retries a 409 for ever, and every client retries a 5xx.
      const status = refusal.status === 409 || refusal.status >= 500 ? 400 : refusal.status
      return new GatewayError(kind, said.message || `${name} refused the request (HTTP ${refusal.status}).`, {
        ...details,
        status,
        type: said.type ?? 'invalid_request_error',
        code: said.code ?? null,
        param: said.param ?? null,
      })
    }
    case 'context_length':
      return new GatewayError(kind, contextMessage(said.message), { ...details, param: said.param ?? 'messages' })
    case 'rate_limit':
      return new GatewayError(kind, said.message || `${name} is over its rate limit.`, {
        ...details,
        ...(said.type === 'tokens' && { type: 'tokens' }),
      })
    case 'not_pulled':
    case 'no_live_provider':
    case 'incapable':
    case 'content_policy':
    case 'quota':
      return new GatewayError(kind, said.message || `${name} can't serve the request.`, {
        ...details,
        param: said.param ?? (kind === 'not_pulled' || kind === 'no_live_provider' ? 'model' : null),
      })
    default:
      return new GatewayError(kind, `${name} failed: ${said.message || `HTTP ${refusal.status}`}`, details)
  }
}

/** LangChain and agents look for "maximum context length is N tokens", whatever term the server uses. */
export function contextMessage(message: string): string {
  if (/maximum context length is \d+ tokens/.test(message)) return message
  const size = /context (?:size|length|window)[^0-9]{0,30}(\d+)/i.exec(message)?.[1]
  return size
    ? `This model's maximum context length is ${size} tokens. ${message}`
    : `The request exceeds this model's maximum context length. ${message}`
}

function kindOfStatus(status: number): FailureKind {
  if (status === 401 || status === 403 || status === 407) return 'auth'
  if (status === 402) return 'quota'
  if (status === 404 || status === 405) return 'wrong_endpoint'
  if (status === 410) return 'retired'
  if (status === 408) return 'timeout'
  if (status === 429) return 'rate_limit'
  if (status === 503 || status === 529) return 'overloaded'
  if (status === 508) return 'loop'
  if (status >= 500) return 'upstream'
  return status >= 400 ? 'bad_request' : 'protocol'
}

/**
 * Reads `{error: {…}}`, `{error: "…"}`, `{message}`, `{detail}`, JSON inside a JSON string, plain text; drops HTML.
 * Removes the secrets from everything that it reads.
 */
export function readSaid(body: string, secrets: readonly string[] = []): Said {
  // Every string, however nested, loses its secrets before it is shortened, so that none of them is cut in half.
  const clean = (text: string) => cleaned(withoutSecrets(text, secrets))
  const parsed = tryParse(body)
  if (isObject(parsed)) return fromObject(parsed, clean)
  if (typeof parsed === 'string') return { message: clean(parsed) }
  if (/^\s*<(!doctype|html|\?xml)/i.test(body)) return { message: 'it answered with a web page instead of JSON' }
  return { message: clean(body) }
}

function fromObject(object: JsonObject, clean: (text: string) => string): Said {
  const inner = object.error ?? object.message ?? object.detail ?? object.errors
  if (typeof inner === 'string') {
    const nested = tryParse(inner)
    if (isObject(nested)) return fromObject(nested, clean)
    const type = stringAt(object, 'error_type')
    return { message: clean(inner), ...(type !== undefined && { type: clean(type) }) }
  }
  if (!isObject(inner)) return { message: clean(inner === undefined ? '' : JSON.stringify(inner)) }
  const nested = tryParse(stringAt(inner, 'message') ?? '')
  if (isObject(nested)) return fromObject(nested, clean)
  const { type, code, param } = inner
  return {
    message: clean(stringAt(inner, 'message') ?? stringAt(inner, 'error') ?? detailIn(inner)),
    ...(typeof type === 'string' && { type: clean(type) }),
    ...(typeof code === 'string' && { code: clean(code) }),
    ...(typeof param === 'string' && { param: clean(param) }),
  }
}

/** Mistral's list of mistakes, `{message: {detail: […]}}`, which says where each of them is. */
function detailIn({ detail }: JsonObject): string {
  if (detail === undefined || detail === null) return ''
  return typeof detail === 'string' ? detail : JSON.stringify(detail)
}

/** Makes a text fit for a message: one line, limited in length, without anything that looks like a key. */
function cleaned(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return shorten(line.replace(/\b(sk|hf|gsk|xai|key)[-_][\w-]{12,}/g, '$1-***'), 2000)
}

/** Milliseconds from `retry-after-ms`, `retry-after` (seconds or a date), or Hugging Face's `RateLimit: …;t=N`. */
export function readRetryAfter(headers: Readonly<Record<string, string>>, now: number): number | undefined {
  const ms = Number.parseFloat(headers['retry-after-ms'] ?? '')
  if (ms > 0) return Math.min(ms, longestWait)
  const after = headers['retry-after'] ?? /;\s*t=(\d+)/.exec(headers.ratelimit ?? '')?.[1] ?? ''
  if (/^\d+(\.\d+)?$/.test(after)) return Math.min(Number.parseFloat(after) * 1000, longestWait)
  // A date contains the name of a month; without that check `Date.parse` would accept much else.
  const until = /[a-z]{3}/i.test(after) ? Date.parse(after) : Number.NaN
  return Number.isNaN(until) ? undefined : Math.min(Math.max(0, until - now), longestWait)
}

/** Milliseconds: one day. Longer or absurd values are reduced to it. */
const longestWait = 86_400_000
