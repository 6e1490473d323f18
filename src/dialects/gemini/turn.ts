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
  readonly #calls: CallPieces
  /** The pieces of the details, joined by their index. */
  #details: JsonObject = {}
  #refused = false

  /** `thinks`: whether the client wants to see thoughts. */
  constructor(random: Random, thinks: boolean) {
    this.#thinks = thinks
    this.#calls = new CallPieces(random)
  }

  /** The parts that a delta or a whole message adds. Calls are told at the end, once they are whole. */
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
    ]
  }

  finish(finish: unknown): Ending {
    const calls = this.#calls.whole()
    const parts: JsonObject[] = []
    let broken: string | undefined
    for (const [at, call] of calls.entries()) {
      const name = stringAt(objectAt(call, 'function'), 'name') ?? ''
      const args = argumentsOf(objectAt(call, 'function')?.arguments)
      const signature = this.#signatureOf(call, at, calls)
      if (!args) broken = name
      else parts.push({ functionCall: { id: call.id, name, args }, ...(signature && { thoughtSignature: signature }) })
    }
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

  /** Gemini's own signature of a call; with the first call goes what another model must get back. */
  #signatureOf(call: JsonObject, at: number, calls: readonly JsonObject[]): string | undefined {
    const own = this.#own.find(({ id }) => id === call.id)?.data
    if (isText(own)) return own
    if (at > 0 || this.#own.some(({ id }) => id !== undefined)) return undefined
    const extras = calls.flatMap(({ extra_content: extra }, place) =>
      isObject(extra) ? [{ type: extraOfCall, at: place, extra_content: extra }] : [],
    )
    const details = [...this.#all.filter(({ format }) => format !== google && isText(format)), ...extras]
    return details.length > 0 ? sealedSignature(details) : undefined
  }
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
