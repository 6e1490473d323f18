import { concat } from './block.ts'
import { depthLimit, tooDeep } from './effort.ts'
import { GatewayError } from './errors.ts'
import { deeperThan, isObject, type JsonObject } from './json.ts'
import { type Edits, edit, members } from './members.ts'
import { outlineOf } from './outline.ts'
import type { Span } from './strings.ts'

/** From this size in bytes on, a body is read by its outline; smaller ones are parsed faster, whatever they contain. */
const large = 16 * 1024
/** Model names are short; a longer one is a mistake or an attack, and would not fit into a response header. */
const modelLength = 512

// Strict: a body that is not UTF-8 would otherwise leave the gateway changed.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()

/** A client's request, raw and parsed: the bytes are what is sent on, the rest decides where to. */
export class RequestBody {
  readonly bytes: Uint8Array
  /** The parsed body; in a large one, marks replace the long texts (see `textLength`). */
  readonly outline: JsonObject
  /** The model that the client asked for, in the body or the path; undefined if it named none. */
  readonly model: string | undefined
  /** Whether `bytes` contain that model. */
  readonly isWritten: boolean
  readonly stream: boolean
  /** Where the value of `model` is in `bytes`; undefined if there is none. */
  readonly modelSpan: Span | undefined
  #json: JsonObject | undefined

  constructor(bytes: Uint8Array, outline: JsonObject, model: string | undefined, modelSpan?: Span, isWritten = true) {
    this.bytes = bytes
    this.isWritten = isWritten
    this.outline = outline
    this.model = model
    this.modelSpan = modelSpan
    this.stream = outline.stream === true
    this.#json = bytes.length < large ? outline : undefined
  }

  /** The whole body, for translations; a large one is parsed on first use. */
  get json(): JsonObject {
    this.#json ??= { ...(JSON.parse(this.text) as JsonObject), ...(!this.isWritten && { model: this.model }) }
    return this.#json
  }

  /** What it came as: JSON, a form with files, or the request for a WebSocket. See body-kinds.ts. */
  get kind(): 'json' | 'form' | 'socket' {
    return 'json'
  }

  /** Whether all of it is there. */
  get isWhole(): boolean {
    return true
  }

  /** Whether it was sent and can't be sent again. */
  get spent(): boolean {
    return false
  }

  /** To be called when an attempt to send it has failed: nothing more of it belongs to that. */
  release(): void {}

  /** The same request for another model, such as the one in the path. `bytes` stay; sending sets the model anyway. */
  named(model: string): RequestBody {
    return new RequestBody(this.bytes, { ...this.outline, model }, model, this.modelSpan, false)
  }

  /** The body as received. */
  get text(): string {
    return decoder.decode(this.bytes)
  }
}

/** Reads a JSON request of any operation. Throws a 400 like OpenAI's if it can't be read. */
export function parseBody(bytes: Uint8Array): RequestBody {
  return bytes.length < large ? readSmall(bytes) : readLarge(bytes)
}

function readSmall(bytes: Uint8Array): RequestBody {
  const text = decodable(() => decoder.decode(bytes))
  const json = parse(text)
  if (deeperThan(json, depthLimit)) throw tooDeep()
  const span = findModel(text)
  // If every character is one byte, positions in the text and in the bytes are the same.
  const inBytes = span && (bytes.length === text.length ? span : spanInBytes(text, span))
  return located(bytes, json, readModel(json), inBytes)
}

function readLarge(bytes: Uint8Array): RequestBody {
  const outline = decodable(() => outlineOf(bytes))
  const json = parse(outline?.text ?? '')
  return located(bytes, json, readModel(json), outline?.model)
}

/** The body with the position of its `model`, which needs a full search if the quick one found nothing. */
function located(bytes: Uint8Array, outline: JsonObject, model: string | undefined, quick?: Span): RequestBody {
  if (model === undefined) return new RequestBody(bytes, outline, model)
  if (quick) return new RequestBody(bytes, outline, model, quick)
  const [only, another] = members(bytes).filter(({ key }) => key === 'model')
  // Parsers disagree about two `model` keys: the model that was checked here might not be the one that is served.
  if (!only || another) throw duplicateModel()
  return new RequestBody(bytes, outline, model, { start: only.valueStart, end: only.end })
}

export function duplicateModel(): GatewayError {
  return invalid("Duplicate parameter: 'model' is given more than once.", 'model', 'duplicate_parameter')
}

function decodable<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof GatewayError) throw error
    throw invalid('We could not parse the JSON body of your request: it is not valid UTF-8.')
  }
}

function parse(text: string): JsonObject {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw invalid(
      "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP " +
        'library correctly. The API expects a JSON payload, but what was sent was not valid JSON.)',
    )
  }
  if (!isObject(json)) throw invalid('We could not parse the JSON body of your request: it is not a JSON object.')
  return json
}

/** The model that a request names. Throws a 400 for what can't be a name. */
export function readModel(json: JsonObject): string | undefined {
  if (!Object.hasOwn(json, 'model')) return undefined
  const model = json.model
  if (model === null || model === '') return undefined
  if (typeof model !== 'string') {
    throw invalid(
      `Invalid type for 'model': expected a string, but got ${describe(model)} instead.`,
      'model',
      'invalid_type',
    )
  }
  checkModelLength(model.length)
  return model
}

/** Throws a 400 for a name of more characters than any has. */
export function checkModelLength(length: number): void {
  if (length <= modelLength) return
  throw invalid(
    `Invalid 'model': string too long. Expected a string with maximum length ${modelLength}, but got a string with length ${length} instead.`,
    'model',
    'string_above_max_length',
  )
}

/** The value after `"model"`. */
const stringValue = /\s*:\s*("(?:[^"\\]|\\.)*")/y

/**
 * Where the value of the only `model` key is; undefined if that takes a full search: no such key, several of them
 * (perhaps nested), or escapes that could spell it.
 */
function findModel(text: string): Span | undefined {
  let key = -1
  // Search without the first quote, since JSON is full of quotes and engines search for the first character.
  for (let at = text.indexOf('model"'); at >= 0; at = text.indexOf('model"', at + 6)) {
    if (text[at - 1] !== '"') continue
    if (key >= 0) return undefined
    key = at
  }
  if (key < 0 || text[key - 2] === '\\' || mayBeEscaped(text)) return undefined
  stringValue.lastIndex = key + 6
  const value = stringValue.exec(text)?.[1]
  return value === undefined ? undefined : { start: stringValue.lastIndex - value.length, end: stringValue.lastIndex }
}

/** `\u0064` … `\u006f` spell d, e, l, m, o. Searches for the digits, which are rarer than a backslash. */
function mayBeEscaped(text: string): boolean {
  for (let at = text.indexOf('006'); at >= 0; at = text.indexOf('006', at + 1)) {
    if (text[at - 1] === 'u' && text[at - 2] === '\\') return true
  }
  return false
}

function spanInBytes(text: string, { start, end }: Span): Span {
  const before = encoder.encode(text.slice(0, start)).length
  return { start: before, end: before + encoder.encode(text.slice(start, end)).length }
}

const encoded = new Map<string, Uint8Array>()

/** A model name as JSON. Cached, because few different names go upstream. */
function encodeName(name: string): Uint8Array {
  const known = encoded.get(name)
  if (known) return known
  if (encoded.size >= 1000) encoded.clear()
  const bytes = encoder.encode(JSON.stringify(name))
  encoded.set(name, bytes)
  return bytes
}

/** The request with the upstream's name for the model, in pieces, so that nothing is copied. */
export function withModel(body: RequestBody, model: string): readonly Uint8Array[] {
  const { bytes, modelSpan } = body
  if (!modelSpan) return editBody(body, { set: new Map([['model', JSON.stringify(model)]]) })
  if (body.isWritten && body.model === model) return [bytes]
  return [bytes.subarray(0, modelSpan.start), encodeName(model), bytes.subarray(modelSpan.end)]
}

/** The request's bytes with some top-level fields changed; all other bytes stay the same. */
export function editBody({ bytes }: RequestBody, edits: Edits): readonly Uint8Array[] {
  return edit(bytes, edits)
}

/** The same request with some top-level fields changed. */
export function edited(body: RequestBody, edits: Edits): RequestBody {
  const kept = parseBody(concat(editBody(body, edits)))
  return body.model === undefined ? kept : renamed(kept, body.model)
}

/** The same request without some top-level fields. */
export function withoutFields(body: RequestBody, names: ReadonlySet<string>): RequestBody {
  return edited(body, { drop: names })
}

/** The same request for another model. */
export function renamed(body: RequestBody, model: string): RequestBody {
  return body.model === model ? body : body.named(model)
}

export function invalid(message: string, param: string | null = null, code: string | null = null): GatewayError {
  return new GatewayError('bad_request', message, { param, code })
}

/** A JSON type with its article, in the words of OpenAI's messages. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'an integer' : 'a decimal'
  if (typeof value === 'object') return 'an object'
  return `a ${typeof value}`
}
