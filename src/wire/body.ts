import { depthLimit, tooDeep } from './effort.ts'
import { GatewayError } from './errors.ts'
import { deeperThan, isObject, type JsonObject } from './json.ts'
import { type Edits, edit, members } from './members.ts'
import { outlineOf } from './outline.ts'
import type { Span } from './strings.ts'

/** Bytes from which on a body is read by its outline: below, parsing all of it is quicker, whatever it is made of. */
const large = 16 * 1024
/** Names of models are short; a longer one is a mistake or an attack, and would not fit a response header. */
const modelLength = 512

// Not lenient: a body that is not UTF-8 would come out of the gateway as another one than went in.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()

/** A request as the client wrote it, and as it reads: the bytes are what goes on, the rest is for deciding where. */
export class RequestBody {
  readonly bytes: Uint8Array
  /** What it says, long texts of a large body left out: their `textLength` is known. */
  readonly outline: JsonObject
  /** What the client asked for, in the body or in the path; undefined when it named no model. */
  readonly model: string | undefined
  /** Whether that stands in `bytes`. */
  readonly isWritten: boolean
  readonly stream: boolean
  /** Where the value of `model` stands in `bytes`; undefined when there is none. */
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

  /** All of it, for translations; a large one is parsed when this is first asked for. */
  get json(): JsonObject {
    this.#json ??= { ...(JSON.parse(this.text) as JsonObject), ...(!this.isWritten && { model: this.model }) }
    return this.#json
  }

  /** As it came. */
  get text(): string {
    return decoder.decode(this.bytes)
  }
}

/** Reads a JSON request of any operation. Throws the 400 that OpenAI's clients understand. */
export function parseBody(bytes: Uint8Array): RequestBody {
  return bytes.length < large ? readSmall(bytes) : readLarge(bytes)
}

function readSmall(bytes: Uint8Array): RequestBody {
  const text = decodable(() => decoder.decode(bytes))
  const json = parse(text)
  if (deeperThan(json, depthLimit)) throw tooDeep()
  const span = findModel(text)
  // Where every character is a byte, the places in the text are those in the bytes.
  const inBytes = span && (bytes.length === text.length ? span : spanInBytes(text, span))
  return located(bytes, json, readModel(json), inBytes)
}

function readLarge(bytes: Uint8Array): RequestBody {
  const outline = decodable(() => outlineOf(bytes))
  const json = parse(outline?.text ?? '')
  return located(bytes, json, readModel(json), outline?.model)
}

/** The body, with a closer look where the only `model` of a quick one is not at hand. */
function located(bytes: Uint8Array, outline: JsonObject, model: string | undefined, quick?: Span): RequestBody {
  if (model === undefined) return new RequestBody(bytes, outline, model)
  if (quick) return new RequestBody(bytes, outline, model, quick)
  const [only, another] = members(bytes).filter(({ key }) => key === 'model')
  // Two `model` keys are read differently by different parsers: what was checked here might not be what is served.
  if (!only || another) {
    throw invalid("Duplicate parameter: 'model' is given more than once.", 'model', 'duplicate_parameter')
  }
  return new RequestBody(bytes, outline, model, { start: only.valueStart, end: only.end })
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

function readModel(json: JsonObject): string | undefined {
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
  if (model.length > modelLength) {
    throw invalid(
      `Invalid 'model': string too long. Expected a string with maximum length ${modelLength}, but got a string with length ${model.length} instead.`,
      'model',
      'string_above_max_length',
    )
  }
  return model
}

/** The value behind `"model"`. */
const stringValue = /\s*:\s*("(?:[^"\\]|\\.)*")/y

/**
 * Where the value of the only `model` key stands, or undefined when a closer look is needed: no such key, several
 * (perhaps nested), or escapes with which it could be spelled otherwise.
 */
function findModel(text: string): Span | undefined {
  let key = -1
  // Without the first quote, of which JSON is full: engines look for the first letter and then compare.
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

/** `\u0064` … `\u006f` make d, e, l, m, o. Looked for from the rarest character on. */
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

/** A name as JSON; those that go upstream are few. */
function encodeName(name: string): Uint8Array {
  const known = encoded.get(name)
  if (known) return known
  if (encoded.size >= 1000) encoded.clear()
  const bytes = encoder.encode(JSON.stringify(name))
  encoded.set(name, bytes)
  return bytes
}

/** The request under the upstream's name of the model, in pieces: none of it is copied. */
export function withModel(body: RequestBody, model: string): readonly Uint8Array[] {
  const { bytes, modelSpan } = body
  if (!modelSpan) return editBody(body, { set: new Map([['model', JSON.stringify(model)]]) })
  if (body.isWritten && body.model === model) return [bytes]
  return [bytes.subarray(0, modelSpan.start), encodeName(model), bytes.subarray(modelSpan.end)]
}

/** The request's bytes with some top-level fields changed and all the rest untouched. */
export function editBody({ bytes }: RequestBody, edits: Edits): readonly Uint8Array[] {
  return edit(bytes, edits)
}

/** The same request for another model, as when the path names it: what is sent gets the upstream's name in any case. */
export function renamed(body: RequestBody, model: string): RequestBody {
  if (body.model === model) return body
  return new RequestBody(body.bytes, { ...body.outline, model }, model, body.modelSpan, false)
}

export function invalid(message: string, param: string | null = null, code: string | null = null): GatewayError {
  return new GatewayError('bad_request', message, { param, code })
}

/** A JSON type with its article, as OpenAI's messages name it. */
export function describe(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'an integer' : 'a decimal'
  if (typeof value === 'object') return 'an object'
  return `a ${typeof value}`
}
