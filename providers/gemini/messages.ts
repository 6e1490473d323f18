import type { WireContext } from '../../src/core/provider.ts'
import { GatewayError, shorten } from '../../src/wire/errors.ts'
import { isObject, type JsonObject, objectAt, stringAt, tryParse } from '../../src/wire/json.ts'
import { readArguments } from '../arguments.ts'
import { incapable } from '../incapable.ts'
import { isOlder } from './families.ts'
import { mediaAt, partsOf } from './parts.ts'
import { signaturesOf } from './signatures.ts'

const roles = ['system', 'developer', 'user', 'assistant', 'tool']

/** What of a request the messages are read with. */
type Reading = Pick<WireContext, 'model' | 'images'>

/** Consecutive messages of one kind are one turn. Results stay apart from what the user says after them. */
interface Turn {
  readonly kind: 'user' | 'model' | 'results'
  readonly parts: JsonObject[]
}

/** `systemInstruction` and `contents` for OpenAI's messages. Throws a 400 that names what Gemini doesn't take. */
export function conversationOf(messages: unknown, reading: Reading): JsonObject {
  const conversation = new Conversation(reading)
  const given = Array.isArray(messages) ? messages : []
  for (const [at, message] of given.entries()) conversation.add(isObject(message) ? message : {}, `messages[${at}]`)
  return conversation.fields
}

class Conversation {
  readonly #reading: Reading
  readonly #instructions: JsonObject[] = []
  readonly #turns: Turn[] = []
  /** Function names by call id: Gemini wants the name with the result. */
  readonly #called = new Map<unknown, string>()

  constructor(reading: Reading) {
    this.#reading = reading
  }

  get fields(): JsonObject {
    // Gemini refuses a request without any contents.
    if (this.#turns.length === 0) return { contents: [{ role: 'user', parts: this.#instructions }] }
    const contents = this.#turns.map(({ kind, parts }) => ({ role: kind === 'model' ? 'model' : 'user', parts }))
    return {
      ...(this.#instructions.length > 0 && { systemInstruction: { parts: this.#instructions } }),
      // Nor does it take a call that nothing of the user precedes.
      contents: this.#turns[0]?.kind === 'model' ? [{ role: 'user', parts: [{ text: ' ' }] }, ...contents] : contents,
    }
  }

  add(message: JsonObject, path: string): void {
    const { role, content } = message
    const said = () => partsOf(content, `${path}.content`, this.#reading.images)
    if (role === 'system' || role === 'developer') this.#instructions.push(...said())
    else if (role === 'user') this.#put('user', orEmpty(said()))
    else if (role === 'assistant') this.#put('model', this.#modelParts(message, path))
    else if (role === 'tool') this.#put('results', this.#resultParts(message, path))
    else throw unknownRole(role, path)
  }

  #put(kind: Turn['kind'], parts: JsonObject[]): void {
    if (parts.length === 0) return
    const last = this.#turns.at(-1)
    if (last?.kind === kind) last.parts.push(...parts)
    else this.#turns.push({ kind, parts })
  }

  #modelParts(message: JsonObject, path: string): JsonObject[] {
    const { content, refusal, images, tool_calls: given } = message
    const calls = Array.isArray(given) ? given.filter(isObject) : []
    const signatures = signaturesOf(message, calls, this.#reading.model)
    const said = partsOf(content ?? refusal, `${path}.content`, undefined)
    return [
      ...withSignature(said, signatures.text),
      ...(Array.isArray(images) ? images : []).map((image, at) => pictureOf(image, `${path}.images[${at}]`)),
      ...calls.map((call, at) => this.#callPart(call, signatures.calls[at], `${path}.tool_calls[${at}]`)),
    ]
  }

  #callPart(call: JsonObject, thoughtSignature: string | undefined, path: string): JsonObject {
    const called = objectAt(call, 'function')
    if (!called) throw incapable(path, 'Gemini takes calls of functions only.')
    const id = stringAt(call, 'id')
    const name = stringAt(called, 'name') ?? ''
    this.#called.set(id, name)
    const args = readArguments(called.arguments, `${path}.function.arguments`, 'Gemini')
    return {
      functionCall: { ...(id && { id }), name, args },
      ...(thoughtSignature !== undefined && { thoughtSignature }),
    }
  }

  #resultParts(message: JsonObject, path: string): JsonObject[] {
    const id = stringAt(message, 'tool_call_id')
    const name = this.#called.get(id) ?? stringAt(message, 'name')
    if (name === undefined) throw incapable(`${path}.tool_call_id`, 'No call before it has that id.')
    const parts = partsOf(message.content, `${path}.content`, this.#reading.images)
    const texts = parts.flatMap((part) => stringAt(part, 'text') ?? [])
    const media = parts.filter((part) => !('text' in part))
    const result = { ...(id && { id }), name, response: responseOf(texts.join('\n')) }
    // Models before Gemini 3 take pictures beside the result only.
    if (media.length === 0 || isOlder(this.#reading.model)) return [{ functionResponse: result }, ...media]
    return [{ functionResponse: { ...result, parts: media } }]
  }
}

/** Nothing at all would leave two turns of the model in a row. */
function orEmpty(parts: JsonObject[]): JsonObject[] {
  return parts.length > 0 ? parts : [{ text: '' }]
}

function unknownRole(role: unknown, path: string): GatewayError {
  const words = `Invalid value: '${shorten(String(role))}'. Supported values are: ${roles.join(', ')}.`
  return new GatewayError('incapable', words, { param: `${path}.role`, code: 'invalid_value' })
}

/** A result must be an object; others go under the name by which Gemini knows them. */
function responseOf(text: string): JsonObject {
  const parsed = tryParse(text)
  return isObject(parsed) ? parsed : { output: text }
}

function withSignature(parts: readonly JsonObject[], thoughtSignature: string | undefined): readonly JsonObject[] {
  if (thoughtSignature === undefined) return parts
  // A stream has it behind the text.
  const last = parts.at(-1) ?? { text: '' }
  return [...parts.slice(0, -1), { ...last, thoughtSignature }]
}

/** A picture that a model made, in OpenRouter's form. */
function pictureOf(image: unknown, path: string): JsonObject {
  return mediaAt(stringAt(objectAt(image, 'image_url'), 'url') ?? '', path)
}
