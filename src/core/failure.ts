import type { RequestBody } from '../wire/body.ts'
import {
  errorEnvelope,
  type FailureDetails,
  type FailureKind,
  GatewayError,
  isMissing,
  reactions,
  unknownModel,
} from '../wire/errors.ts'
import { isObject, type JsonObject } from '../wire/json.ts'
import type { Call } from './call.ts'
import { contextMessage } from './context-message.ts'
import { paramOfCapability } from './operation.ts'
import type { Provider } from './provider.ts'
import { fittingRule } from './recognise.ts'
import { readRetryAfter } from './retry-after.ts'
import { readSaid, readSaidInBand, type Said } from './said.ts'
import { secretsAt } from './secrets.ts'
import { kindOfStatus, statusOfType } from './statuses.ts'

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
  /** The field with what the model reads, for `param` where that is too long. Absent: `messages`. */
  readonly prompt?: string | undefined
  /** The client's request as text, which the upstream may echo; absent: nothing is taken for an echo. */
  readonly sent?: () => string
  /** Milliseconds since 1970, for a `retry-after` given as a date. */
  readonly now: number
}

/** Classifies an upstream's error response and keeps its message where the client can use it. */
export function readRefusal(refusal: Refusal, provider: Provider): GatewayError {
  const said = readSaid(refusal.body, secretsAt(provider, refusal.bearer))
  // Gateways wrap a refusal in a 5xx of their own: what the body says of it is more exact.
  const status = refusal.status >= 500 ? (said.status ?? refusal.status) : refusal.status
  return decide(said, { ...refusal, status }, provider)
}

/** The failure for an error inside an answer with a success status, before any of the answer was sent on. */
export function readInBand(told: unknown, call: Call): GatewayError {
  const { provider } = call.target.deployment
  const said = readSaidInBand(told, secretsAt(provider, call.bearer))
  const status = said.status ?? statusOfType[said.type ?? '']
  return decide(said, { status, headers: {}, body: told, ...namesOf(call), now: 0 }, provider)
}

type Told = Omit<Refusal, 'status' | 'body'> & { readonly status: number | undefined; readonly body: unknown }

function decide(said: Said, refusal: Told, provider: Provider): GatewayError {
  const { status, sent, model, body } = refusal
  const { errors = [] } = provider.definition
  const own = typeof errors === 'function' ? errors(provider.settings) : errors
  const rule = fittingRule({ ...said, message: withQuoted(model, said.message) }, { own, status, sent, body })
  const kind = rule?.kind ?? (status === undefined ? 'upstream' : kindOfStatus(status))
  const { headers, now } = refusal
  const passes = reactions[kind].again
  const limited = status === 429 || kind === 'rate_limit'
  const retryAfterMs = readRetryAfter({ headers, body, message: said.message, passes, limited, now })
  const details = {
    ...(headers['x-should-retry'] === 'false' && { again: false }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(isMissing(kind) && { model: refusal.asked }),
    ...(rule?.lacks !== undefined && { lacks: rule.lacks }),
  }
  const word = rule?.say?.(refusal.model)
  if (word !== undefined) return new GatewayError(kind, word, { ...details, param: 'model' })
  const param = said.param ?? rule?.param
  return worded(kind, param === undefined ? said : { ...said, param }, refusal, provider, details)
}

/** A message with the model's name in quotes, by which a bare name is told from other words: `unknown model x`. */
function withQuoted(model: string, message: string): string {
  if (model.length < 2 || !message.includes(model)) return message
  return message
    .split(model)
    .reduce((text, rest) =>
      /["'`=/\w.-]$/.test(text) || /^["'`/\w-]/.test(rest) ? text + model + rest : `${text}"${model}"${rest}`,
    )
}

/** What a `Refusal` needs of a call. */
export function namesOf({
  target,
  plan,
  bearer,
  body,
  operation,
}: Call): Pick<Refusal, 'model' | 'asked' | 'bearer' | 'prompt' | 'sent'> {
  const { model } = target.deployment
  const asked = target.why === 'requested' ? (plan.requested ?? model) : model
  return { model, asked, bearer, prompt: operation.prompt, sent: () => sentText(body) }
}

/** Bytes at a request's beginning and at its end that are searched for an echo. What lies between is mostly images. */
const searched = 1024 * 1024
const decoder = new TextDecoder()

function sentText({ bytes }: RequestBody): string {
  if (bytes.length <= 2 * searched) return decoder.decode(bytes)
  return `${decoder.decode(bytes.subarray(0, searched))} ${decoder.decode(bytes.subarray(-searched))}`
}

/** Of what only the server that made it can read. */
export const unreadableCode = 'invalid_encrypted_content'

/** Kinds of failure that say no more than that there was one. */
const plain: ReadonlySet<FailureKind> = new Set(['upstream', 'protocol', 'bad_request'] as const)

/**
 * The error envelope for an `error` that an upstream sends inside its stream, with all four keys: the words and the code
 * of a failure that is recognised, which clients act on; else what the upstream says.
 */
export function streamError(told: unknown, call: Call): JsonObject {
  const failure = readInBand(told, call)
  if (!plain.has(failure.kind)) return errorEnvelope(failure)
  const { provider } = call.target.deployment
  const said = readSaidInBand(told, secretsAt(provider, call.bearer))
  const error = isObject(told) && told.error ? told.error : told
  return {
    error: {
      message: said.message || `${provider.name} failed without a word.`,
      type: typeIn(said) ?? 'server_error',
      param: said.param ?? null,
      code: said.code ?? (isObject(error) && error.code === null ? null : 'upstream_error'),
    },
  }
}

/** Google's statuses, as `INVALID_ARGUMENT`, are no types that clients know. */
function typeIn({ type }: Said): string | undefined {
  return type !== undefined && /^[A-Z_]+$/.test(type) ? undefined : type
}

function worded(
  kind: FailureKind,
  said: Said,
  refusal: Told,
  provider: Provider,
  details: FailureDetails,
): GatewayError {
  const { name } = provider
  const http = refusal.status === undefined ? '' : ` (HTTP ${refusal.status})`
  switch (kind) {
    case 'not_found':
    case 'retired':
      return unknownModel(refusal.asked, kind)
    case 'auth':
      if (provider.callersKey) {
        return new GatewayError('unauthorized', `${name} rejected the API key that you sent${http}.`)
      }
      // The upstream's message may quote the gateway's own key, so none of it is passed on.
      return new GatewayError('auth', `The gateway's credentials for ${name} were rejected${http}.`)
    case 'bad_request': {
      // openai-python 0.27 retries a 409 for ever, and every client retries a 5xx.
      const { status: given = 400 } = refusal
      const status = given === 409 || given >= 500 ? 400 : given
      return new GatewayError(kind, said.message || `${name} refused the request${http}.`, {
        ...details,
        status,
        type: typeIn(said) ?? 'invalid_request_error',
        code: said.code ?? null,
        param: said.param ?? null,
      })
    }
    case 'context_length':
      return new GatewayError(kind, contextMessage(said.message), {
        ...details,
        param: said.param ?? refusal.prompt ?? 'messages',
      })
    case 'rate_limit':
      return new GatewayError(kind, said.message || `${name} is over its rate limit.`, {
        ...details,
        ...(said.type === 'tokens' && { type: 'tokens' }),
      })
    case 'incapable':
      return new GatewayError(kind, said.message || `${name} can't serve the request.`, {
        ...details,
        // Clients act on what their own history is refused by.
        ...(said.code === unreadableCode && { code: said.code }),
        param: said.param ?? (details.lacks === undefined ? null : paramOfCapability[details.lacks]),
      })
    case 'not_pulled':
    case 'no_live_provider':
    case 'content_policy':
    case 'quota':
      return new GatewayError(kind, said.message || `${name} can't serve the request.`, {
        ...details,
        param: said.param ?? (kind === 'not_pulled' || kind === 'no_live_provider' ? 'model' : null),
      })
    default:
      return new GatewayError(
        kind,
        `${name} failed: ${said.message || (refusal.status === undefined ? 'it did not say why' : `HTTP ${refusal.status}`)}`,
        details,
      )
  }
}
