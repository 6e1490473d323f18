import { GatewayError } from './errors.ts'
import { deeperThan, isObject, type JsonObject } from './json.ts'
import { type Edits, edit, members } from './members.ts'

/** A request as the client wrote it, and as it reads. The text is what goes on; the object is for deciding where. */
export interface RequestBody {
  /** As it came; absent when the text has been changed since. */
  readonly bytes?: Uint8Array
  readonly text: string
  readonly json: JsonObject
  /** What the client asked for; undefined when it named no model. */
  readonly model: string | undefined
  readonly stream: boolean
}

/** Where a value stands in a text. */
interface Span {
  readonly start: number
  readonly end: number
}

/** Names of models are short; a longer one is a mistake or an attack, and would not fit a response header. */
const modelLength = 512
/** Levels of nesting; the deepest JSON schemas seen in tools stay under 40. */
const depthLimit = 256

// Not lenient: a body that is not UTF-8 would come out of the gateway as another one than went in.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()

/** Reads a JSON request of any operation. Throws the 400 that OpenAI's clients understand. */
export function parseBody(bytes: Uint8Array): RequestBody {
  const text = decode(bytes)
  const json = parse(text)
  if (!isObject(json)) throw invalid('We could not parse the JSON body of your request: it is not a JSON object.')
  if (deeperThan(json, depthLimit)) throw invalid(`The JSON body nests deeper than ${depthLimit} levels.`)
  const model = readModel(json, text)
  return { bytes, text, json, model, stream: json.stream === true }
}

/** The request's bytes with some top-level fields changed and all the rest untouched. */
export function editBody(body: RequestBody, edits: Edits): Uint8Array {
  const model = edits.set?.get('model')
  // Without a model of its own, the only `model` key may be a nested one.
  if (body.model !== undefined && model !== undefined && edits.set?.size === 1 && !edits.drop?.size) {
    const span = modelSpan(body.text)
    if (span) return splice(body, span, model)
  }
  return encoder.encode(edit(body.text, edits))
}

function splice({ bytes, text }: RequestBody, { start, end }: Span, value: string): Uint8Array {
  // Where every character is a byte, the places in the text are those in the bytes, and nothing is encoded again.
  if (bytes?.length !== text.length) return encoder.encode(text.slice(0, start) + value + text.slice(end))
  const inserted = encoder.encode(value)
  const whole = new Uint8Array(bytes.length - (end - start) + inserted.length)
  whole.set(bytes.subarray(0, start))
  whole.set(inserted, start)
  whole.set(bytes.subarray(end), start + inserted.length)
  return whole
}

/** The same request under another model name, as when the path names it. */
export function renamed(body: RequestBody, model: string): RequestBody {
  if (body.model === model) return body
  const text = edit(body.text, { set: new Map([['model', JSON.stringify(model)]]) })
  return { text, json: { ...body.json, model }, model, stream: body.stream }
}

function decode(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch {
    throw invalid('We could not parse the JSON body of your request: it is not valid UTF-8.')
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw invalid(
      "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP " +
        'library correctly. The API expects a JSON payload, but what was sent was not valid JSON.)',
    )
  }
}

function readModel(json: JsonObject, text: string): string | undefined {
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
  // Two `model` keys are read differently by different parsers: what was checked here might not be what is served.
  if (!modelSpan(text) && members(text).filter((member) => member.key === 'model').length > 1) {
    throw invalid("Duplicate parameter: 'model' is given more than once.", 'model', 'duplicate_parameter')
  }
  return model
}

/**
 * Where the value of the only `model` key stands, or undefined when a closer look is needed: no such key, several
 * (perhaps nested), or escapes with which it could be spelled otherwise (`\u006d` … `\u006f` make m, o, d, e, l).
 */
function modelSpan(text: string): Span | undefined {
  const at = text.indexOf('"model"')
  if (at < 0 || text.indexOf('"model"', at + 7) >= 0 || text.includes('\\u006')) return undefined
  if (text[at - 1] === '\\') return undefined
  const value = /\s*:\s*("(?:[^"\\]|\\.)*")/y
  value.lastIndex = at + 7
  const match = value.exec(text)
  if (!match?.[1]) return undefined
  return { start: value.lastIndex - match[1].length, end: value.lastIndex }
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
