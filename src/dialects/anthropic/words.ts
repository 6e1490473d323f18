import { type GatewayError, reactions } from '../../wire/errors.ts'
import { isObject, type JsonObject } from '../../wire/json.ts'

/** https://platform.claude.com/docs/en/api/errors */
const typesOfStatus: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
  529: 'overloaded_error',
}

const types: ReadonlySet<unknown> = new Set([...Object.values(typesOfStatus), 'api_error'])

/** The statuses of failures that have another one in OpenAI's API. */
const statusesOfKind: Partial<Record<GatewayError['kind'], number>> = {
  quota: 402,
  loading: 529,
  overloaded: 529,
  stopping: 529,
}

export function statusOf({ kind, status }: GatewayError): number {
  return statusesOfKind[kind] ?? status
}

/** At these details Anthropic's SDK sends the whole conversation instead of what is new in its thread. */
const unthreaded = { error_code: 'thread_unsupported_request', unsupported: ['thread'] }

/** The body of an error answer. */
export function refuse(failure: GatewayError, requestId: string): JsonObject {
  const { message, type, kind, param } = failure
  const error = {
    type: typeOf(statusOf(failure), type),
    message: kind === 'context_length' ? promptTooLong(message) : inOwnWords(message),
    ...(kind === 'incapable' && param === 'thread' && { details: unthreaded }),
  }
  return { type: 'error', error, request_id: requestId }
}

/** What Anthropic says where the gateway refuses a request, of whatever API, before it is read. */
const own: readonly (readonly [RegExp, string])[] = [
  [/^You didn't provide an API key\..*/s, 'x-api-key header is required'],
  [/^We could not parse the JSON body of your request(?:\. \(HINT:.*)?/s, 'The request body is not valid JSON'],
]

function inOwnWords(message: string): string {
  return own.reduce((said, [pattern, words]) => said.replace(pattern, words), message)
}

/** An `error` of OpenAI's in a stream as the data of Anthropic's event. */
export function errorEvent(error: unknown): JsonObject {
  const { message, type, code } = isObject(error) ? error : { message: error, type: undefined, code: undefined }
  const said = code === reactions.context_length.code ? promptTooLong(String(message)) : String(message)
  return { type: 'error', error: { type: types.has(type) ? type : typeOf(statusOfCode(code), type), message: said } }
}

function typeOf(status: number | undefined, type: unknown): string {
  const isAsked = status === undefined ? type === 'invalid_request_error' : status < 500
  return typesOfStatus[status ?? 0] ?? (isAsked ? 'invalid_request_error' : 'api_error')
}

/** The status of a failure that only its code tells. */
function statusOfCode(code: unknown): number | undefined {
  const kinds = Object.keys(reactions) as (keyof typeof reactions)[]
  const kind = kinds.find((one) => code !== null && code !== undefined && reactions[one].code === code)
  return kind && (statusesOfKind[kind] ?? reactions[kind].status)
}

/**
 * Claude Code compacts the conversation at these words, by as much as the numbers say. Where nobody tells the length of the
 * request, they have none.
 */
function promptTooLong(message: string): string {
  const most = Number(/maximum context length is (\d+) tokens/.exec(message)?.[1])
  const lengths = [...message.matchAll(/\b(\d{1,12})\)?(?: [a-z]{1,12})? tokens?\b/gi)].map(([, number]) =>
    Number(number),
  )
  const asked = Math.max(...lengths)
  return asked > most ? `prompt is too long: ${asked} tokens > ${most} maximum` : `prompt is too long: ${message}`
}
