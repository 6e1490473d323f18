import { waitIn } from '../../core/retry-after.ts'
import { type GatewayError, isMissing, reactions, shorten } from '../../wire/errors.ts'
import { isObject, type JsonObject } from '../../wire/json.ts'

/** https://cloud.google.com/apis/design/errors#handling_errors */
const statuses: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  499: 'CANCELLED',
  500: 'INTERNAL',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
}

/** Codes of failures that pass by themselves. */
const passing: ReadonlySet<unknown> = new Set([429, 503])

/** What is worded for OpenAI's clients, and doesn't hold for Google's. */
const own: readonly (readonly [RegExp, string])[] = [
  [/\bin an Authorization header using Bearer auth .*$/s, 'in the header x-goog-api-key, or as `key` in the query.'],
  [/^We could not parse the JSON body of your request\. \(HINT: .*$/s, 'Invalid JSON payload received.'],
]

/** The body of an error answer. */
export function refuse({ kind, model, message, status, retryAfterMs }: GatewayError): JsonObject {
  const said =
    model !== undefined && isMissing(kind)
      ? `${model.startsWith('tunedModels/') ? '' : 'models/'}${shorten(model)} is not found for API version v1beta, or is not supported for this method.`
      : own.reduce((told, [pattern, words]) => told.replace(pattern, words), message)
  return { error: { code: status, message: said, status: statusOf(status), ...waitFor(retryAfterMs) } }
}

/**
 * An `error` of OpenAI's, or one of Google's, as the end of a stream. Older libraries of Google's, such as that of the Gemini CLI,
 * look for it only in the bare form, alone in what they read at once. Other clients skip such a line: it is no field of an event.
 */
export function lastWords(error: unknown, retryAfterMs?: number): { readonly event: string; readonly apart: string } {
  const said = isObject(error) ? wordsFor(error) : internal(String(error))
  // Nothing but the message says it where the upstream has told the error in its stream.
  const wait = retryAfterMs ?? (passing.has(said.code) ? waitIn(String(said.message)) : undefined)
  const json = JSON.stringify({ error: { ...said, ...(said.details ? {} : waitFor(wait)) } })
  return { event: `data: ${json}\n\n`, apart: `${json}\n\n` }
}

function wordsFor(error: JsonObject): JsonObject {
  const { message, code, type, status } = error
  if (typeof code === 'number' && typeof status === 'string') return error
  const kinds = Object.keys(reactions) as (keyof typeof reactions)[]
  const kind = kinds.find((one) => typeof code === 'string' && reactions[one].code === code)
  // One that broke off has a code that no whole answer has.
  const other = String(code).startsWith('upstream_') ? 502 : type === 'invalid_request_error' ? 400 : 500
  const found = kind ? reactions[kind].status : other
  return { code: found, message: String(message), status: statusOf(found) }
}

function internal(message: string): JsonObject {
  return { code: 500, message, status: 'INTERNAL' }
}

function statusOf(status: number): string {
  return statuses[status] ?? (status < 500 ? 'INVALID_ARGUMENT' : 'INTERNAL')
}

/** Clients wait as long as it says. */
function waitFor(ms: number | undefined): JsonObject {
  if (ms === undefined) return {}
  const retryDelay = `${Math.ceil(ms / 1000)}s`
  return { details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay }] }
}
