import { shorten } from '../wire/errors.ts'
import { isObject, type JsonObject, tryParse } from '../wire/json.ts'
import { quotedError } from './quoted.ts'
import { withoutSecrets } from './secrets.ts'

/** What an error body says, whatever its format. */
export interface Said {
  readonly message: string
  readonly type?: string
  readonly code?: string
  readonly param?: string
  /** The HTTP status that the body itself states, which may differ from the response's. */
  readonly status?: number
}

const webPage = 'it answered with a web page instead of JSON'

/**
 * Reads an error body in all shapes that servers are known to send: `{error: {…}}` and its relatives, lists, JSON or
 * Python dicts inside strings, the provider's own error inside a router's. Removes the secrets from everything it reads.
 */
export function readSaid(body: string, secrets: readonly string[] = []): Said {
  const parsed = tryParse(body)
  const found = parsed === undefined ? readText(body, depth) : read(parsed, depth)
  return presentable(found ?? { message: isPage(body) ? webPage : '' }, secrets)
}

/** The same for an error inside an apparent success: the error alone, or the whole answer with it. */
export function readSaidInBand(told: unknown, secrets: readonly string[] = []): Said {
  return presentable(read(isObject(told) && told.error ? told : { error: told }, depth) ?? { message: '' }, secrets)
}

/** Makes what was read fit for an error. */
function presentable({ message, type, code, param, status }: Said, secrets: readonly string[]): Said {
  // Every string loses its secrets before it is shortened, so that none of them is cut in half.
  const clean = (text: string) => cleaned(withoutSecrets(text, secrets))
  return {
    message: clean(message),
    ...(type !== undefined && { type: clean(type) }),
    ...(code !== undefined && { code: clean(code) }),
    ...(param !== undefined && { param: clean(param) }),
    ...(status !== undefined && { status }),
  }
}

/** Levels of nesting that are read: a router's error around a gateway's around a server's, as JSON in strings. */
const depth = 10
/** Entries of a list of errors that are read. */
const mostEntries = 4

/** The keys under which an error's message or another error is found, the most specific first. */
const holders = [
  'error',
  'message',
  'Message',
  'detail',
  'details',
  'errors',
  'error_message',
  'error_msg',
  'errorMessage',
].concat(['msg', 'status_msg', 'description', 'reason', 'raw', 'metadata', 'base_resp', 'title'])
const statuses = ['http_status_code', 'http_code', 'status_code', 'statusCode', 'http_status', 'status', 'code']

/** Messages that only say that there was an error. */
const generic =
  /^(?:(?:error from provider: )?(?:the )?(?:upstream )?provider returned (?:an? )?error|(?:http )?(?:error|bad request|not found|upstream error|internal server error|unprocessable entity|(?:input )?validation (?:error|failed)|invalid request))[.:!]?$/i

function read(value: unknown, depth: number): Said | undefined {
  if (depth === 0) return undefined
  if (typeof value === 'string') return readText(value, depth)
  if (Array.isArray(value)) return readList(value, depth)
  return isObject(value) ? readObject(value, depth) : undefined
}

function readText(text: string, depth: number): Said | undefined {
  if (isPage(text)) return undefined
  const parsed = /^\s*[[{"]/.test(text) ? tryParse(text) : undefined
  const nested = parsed === undefined ? undefined : read(parsed, depth - 1)
  if (nested) return nested
  const quoted = quotedError(text)
  const inner = quoted && read(quoted.value, depth - 1)
  if (inner?.message) return { ...(quoted?.status !== undefined && { status: quoted.status }), ...inner }
  return text.trim() === '' ? undefined : { message: text }
}

function readList(list: readonly unknown[], depth: number): Said | undefined {
  const all = list.slice(0, mostEntries).flatMap((entry) => read(entry, depth - 1) ?? [])
  if (all.length === 0) return undefined
  return merged(
    all
      .map(({ message }) => message)
      .filter(Boolean)
      .join('; '),
    all,
  )
}

function readObject(object: JsonObject, depth: number): Said | undefined {
  const candidates = holders.flatMap((key) => read(object[key], depth - 1) ?? [])
  const own = fieldsOf(object)
  const worded = candidates.filter(({ message }) => message !== '')
  const telling = worded.filter(({ message }) => !generic.test(message.trim()))
  const best = telling.find(({ message }) => !isWord(message)) ?? telling[0] ?? worded[0]
  // `{error: "invalid_model", message: "…"}`: the word is a code.
  const word = worded.find(({ message }) => message !== best?.message && isWord(message))
  if (!best && candidates.length === 0 && Object.keys(own).length === 0) return undefined
  const rest = candidates.filter((candidate) => candidate !== best)
  const place = placeOf(object)
  const all: Partial<Said>[] = [best ?? {}, own, ...(word ? [{ code: word.message }] : []), ...rest]
  const message = best?.message ?? ''
  return merged(place && message ? `${place}: ${message}` : message, place ? [{ param: place }, ...all] : all)
}

/** The first that is known of each field. */
function merged(message: string, all: readonly Partial<Said>[]): Said {
  const first = <K extends keyof Said>(key: K) => all.find((said) => said[key] !== undefined)?.[key]
  const [type, code, param, status] = [first('type'), first('code'), first('param'), first('status')]
  return {
    message,
    ...(type !== undefined && { type }),
    ...(code !== undefined && { code }),
    ...(param !== undefined && { param }),
    ...(status !== undefined && { status }),
  }
}

function fieldsOf(object: JsonObject): Partial<Said> {
  // FastAPI names the kind of a validation error `type`: `missing`, `value_error`. Clients know other types.
  const type = Array.isArray(object.loc) ? undefined : [object.type, object.error_type].map(wordIn).find(isTold)
  const code = wordIn(object.code) ?? wordIn(object.error_code) ?? outcomeIn(object.base_resp)
  const param = wordIn(object.param)
  const status = statuses.map((key) => statusIn(object[key])).find((found) => found !== undefined)
  const named = wordIn(object.status)
  const kind = type ?? (named !== undefined && statusIn(named) === undefined ? named : undefined)
  return {
    ...(kind !== undefined && { type: kind }),
    ...(code !== undefined && { code }),
    ...(param !== undefined && { param }),
    ...(status !== undefined && { status }),
  }
}

/** Anthropic's bodies have the type `error`, which says nothing. */
function isTold(type: string | undefined): boolean {
  return type !== undefined && type !== 'error'
}

/** A text other than LiteLLM's `None`. */
function wordIn(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value !== 'None' ? value : undefined
}

function statusIn(value: unknown): number | undefined {
  const status = typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : value
  return typeof status === 'number' && Number.isInteger(status) && status >= 400 && status <= 599 ? status : undefined
}

/** MiniMax's codes, which are numbers that mean something else to others. */
function outcomeIn(value: unknown): string | undefined {
  return isObject(value) && typeof value.status_code === 'number' ? `base_resp.${value.status_code}` : undefined
}

/** Where in the request FastAPI found a mistake: `messages.0.content`. */
function placeOf({ loc }: JsonObject): string | undefined {
  const path = Array.isArray(loc) ? loc.filter((part) => part !== 'body').join('.') : ''
  return path === '' ? undefined : path
}

function isWord(text: string): boolean {
  return /^[\w.-]+$/.test(text)
}

function isPage(text: string): boolean {
  return /^\s*<(!doctype|html|\?xml)/i.test(text)
}

/** Makes a text fit for a message: one line, limited in length, without anything that looks like a key. */
function cleaned(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  // LiteLLM's `key_model_access_denied` is no key: it has no digit.
  return shorten(line.replace(/\b(sk|hf|gsk|xai|key(?=[\w-]{0,40}\d))[-_][\w-]{12,}/g, '$1-***'), 2000)
}
