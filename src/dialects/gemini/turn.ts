import { CallPieces } from '../../operations/choices/call-pieces.ts'
import { merged } from '../../operations/choices/merge.ts'
import type { Random } from '../../wire/ids.ts'
import { isObject, type JsonObject, objectAt, stringAt, tryParse } from '../../wire/json.ts'
import { extraOfCall, google, sealedSignature } from './thoughts.ts'

/** How a turn ends: the parts that come last, and why. */
export interface Ending {
  readonly parts: readonly JsonObject[]
  readonly reason: JsonObject
}

/** Makes the parts of an answer from what a chat says, whole or piece by piece. */
export class Turn {
  readonly #thinks: boolean
  readonly #given: (name: string) => string
  readonly #calls: CallPieces
  /** The pieces of the details, joined by their index. */
  #details: JsonObject = {}
  /** How many calls have begun, how many of them were told, and how many of another model's details went with these. */
  #begun = 0
  #told = 0
  #sealed = 0
  /** The ids of the calls that were told before their signatures came, if they have any. */
  readonly #unsigned = new Set<unknown>()
  #refused = false

  /** `thinks`: whether the client wants to see thoughts. `given`: the client's name for a function. */
  constructor(random: Random, thinks: boolean, given: (name: string) => string) {
    this.#thinks = thinks
    this.#given = given
    this.#calls = new CallPieces(random)
  }

  /** The parts that a delta or a whole message adds. A call is told once it is whole: when the next one begins. */
  add(said: JsonObject): JsonObject[] {
    const { reasoning_content: thought, reasoning_details: details, content, refusal, tool_calls: calls } = said
    if (Array.isArray(details)) {
      for (const one of details.filter(isObject)) this.#details = merged(this.#details, { list: [one] })
    }
    if (Array.isArray(calls)) this.#calls.add(calls.map((call, index) => (isObject(call) ? { index, ...call } : call)))
    const text = textIn(content)
    if (isText(refusal)) this.#refused = true
    return [
      ...(this.#thinks && isText(thought) ? [{ text: thought, thought: true }] : []),
      ...(text === '' ? [] : [{ text }]),
      ...(isText(refusal) ? [{ text: refusal }] : []),
      ...picturesIn(said.images),
      ...(Array.isArray(calls) ? this.#wholeCalls() : []),
    ]
  }

  finish(finish: unknown): Ending {
    const calls = this.#calls.whole()
    const parts: JsonObject[] = []
    let broken: string | undefined
    while (this.#told < calls.length) {
      const call = calls[this.#told] as JsonObject
      const part = this.#tell(call)
      if (part) parts.push(part)
      else broken = this.#nameOf(call)
    }
    const late = calls.length > 0 ? this.#toSeal([]) : []
    if (late.length > 0) parts.push({ text: '', thoughtSignature: sealedSignature(late) })
    const text = this.#own.find(({ id }) => id === undefined)?.data
    // A stream has it behind the text, so a whole answer has it there too.
    if (calls.length === 0 && isText(text)) parts.push({ text: '', thoughtSignature: text })
    return { parts, reason: this.#reasonFor(finish, broken) }
  }

  #reasonFor(finish: unknown, broken: string | undefined): JsonObject {
    if (this.#refused || finish === 'content_filter') return { finishReason: 'SAFETY' }
    if (finish === 'length') return { finishReason: 'MAX_TOKENS' }
    if (broken === undefined) return { finishReason: 'STOP' }
    const finishMessage = `Malformed function call: the arguments of '${broken}' are no JSON object.`
    return { finishReason: 'MALFORMED_FUNCTION_CALL', finishMessage }
  }

  get #all(): readonly JsonObject[] {
    const { list } = this.#details
    return Array.isArray(list) ? list : []
  }

  /** Gemini's own. */
  get #own(): readonly JsonObject[] {
    return this.#all.filter(({ format }) => format === google)
  }

  #wholeCalls(): JsonObject[] {
    const calls = this.#calls.begun
    if (calls.length === this.#begun) return []
    this.#begun = calls.length
    const parts: JsonObject[] = []
    while (this.#told < calls.length - 1) {
      const call = calls[this.#told] as JsonObject
      // The pieces of several calls may come in turns: a call without arguments may still get some.
      if (!hasArguments(call)) break
      const part = this.#tell(call)
      if (part) parts.push(part)
    }
    return parts
  }

  /** The part for the next call; undefined if its arguments are broken. */
  #tell(call: JsonObject): JsonObject | undefined {
    const place = this.#told++
    const args = argumentsOf(objectAt(call, 'function')?.arguments)
    if (!args) return undefined
    const name = this.#nameOf(call)
    const signature = this.#signatureOf(call, place)
    return { functionCall: { id: call.id, name, args }, ...(signature && { thoughtSignature: signature }) }
  }

  #nameOf(call: JsonObject): string {
    return this.#given(stringAt(objectAt(call, 'function'), 'name') ?? '')
  }

  /** Gemini's own signature of a call, or else what another model must get back, as far as it has come. */
  #signatureOf({ id: called, extra_content: extra }: JsonObject, place: number): string | undefined {
    const own = this.#own.find(({ id }) => id === called)?.data
    if (isText(own)) return own
    const details = this.#toSeal(isObject(extra) ? [{ type: extraOfCall, at: place, extra_content: extra }] : [])
    this.#unsigned.add(called)
    return details.length > 0 ? sealedSignature(details) : undefined
  }

  /** What has not been sealed yet: another model's details, and Gemini's own for calls that were told without them. */
  #toSeal(extras: readonly JsonObject[]): readonly JsonObject[] {
    const late = this.#own.filter(({ id }) => this.#unsigned.delete(id))
    if (this.#own.some(({ id }) => id !== undefined)) return late
    const others = this.#all.filter(({ format }) => format !== google && isText(format))
    const fresh = others.slice(this.#sealed)
    this.#sealed = others.length
    return [...fresh, ...extras]
  }
}

function hasArguments(call: JsonObject): boolean {
  const given = objectAt(call, 'function')?.arguments
  return String(given ?? '').trim() !== '' && argumentsOf(given) !== undefined
}

function argumentsOf(given: unknown): JsonObject | undefined {
  if (given === undefined || given === null || String(given).trim() === '') return {}
  const read = typeof given === 'string' ? tryParse(given) : given
  return isObject(read) ? read : undefined
}

/** Some servers send the content of a whole answer in parts. */
function textIn(content: unknown): string {
  if (Array.isArray(content)) return content.map((part) => stringAt(part, 'text') ?? '').join('')
  return typeof content === 'string' ? content : ''
}

/** Pictures that a model made, in OpenRouter's form. */
function picturesIn(images: unknown): JsonObject[] {
  const urls = (Array.isArray(images) ? images : []).map((image) =>
    isObject(image) ? stringAt(objectAt(image, 'image_url'), 'url') : undefined,
  )
  return urls.flatMap((url = '') => {
    const [, mimeType, data] = /^data:([^;,]+);base64,(.*)$/s.exec(url) ?? []
    return data === undefined ? [] : [{ inlineData: { mimeType, data } }]
  })
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
