import { type Random, toolCallId } from '../../wire/ids.ts'
import { isObject, type JsonObject, objectAt, tryParse } from '../../wire/json.ts'
import { indexOf } from './head.ts'

/** A list of tool calls. Some servers send a single call without its list. */
export function callsIn(given: unknown): JsonObject[] {
  return (Array.isArray(given) ? given : [given]).filter(isObject)
}

/** The calls of a whole message, each with an id of its own, a type, and its arguments as a JSON text. */
export function wholeCalls(given: unknown, random: Random): JsonObject[] {
  const ids = new Set<string>()
  return callsIn(given).map((call) => {
    const id = usable(call.id, ids) ?? toolCallId(random)
    ids.add(id)
    const { said, rest } = partsOf(call)
    if (isObject(call.custom)) return { ...call, id, type: 'custom' }
    return { ...rest, id, type: 'function', function: { ...said, arguments: argumentsText(said.arguments) } }
  })
}

/** OpenAI's format always has `arguments` as a JSON text. */
export function argumentsText(given: unknown): string {
  if (typeof given === 'string') return given
  return given === undefined || given === null ? '' : JSON.stringify(given)
}

/** TGI numbers its calls "0": in the next turn such an id could not be told from that of another call. */
function usable(id: unknown, taken: ReadonlySet<unknown>): string | undefined {
  return typeof id === 'string' && id.length > 1 && !taken.has(id) ? id : undefined
}

/** Some servers leave out `function` around the name and the arguments. */
function partsOf(call: JsonObject): { said: JsonObject; rest: JsonObject } {
  const { function: said, ...rest } = call
  if (isObject(said)) return { said: named(said), rest }
  const { name, arguments: text, parameters, ...others } = rest
  const given = { name, arguments: text, parameters }
  const told = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  return { said: named(told), rest: others }
}

/** Llama 3.1 writes `parameters` for the arguments of a call, and some servers pass on what a model writes. */
function named(said: JsonObject): JsonObject {
  const { parameters, ...rest } = said
  const isText = typeof parameters === 'string'
  return said.arguments === undefined && (isText || isObject(parameters)) ? { ...rest, arguments: parameters } : said
}

/** A call that has begun. */
interface Begun {
  /** Its index in what goes out. */
  readonly index: number
  /** The upstream's own id, if it has said one. */
  id: string | undefined
  name: string
  /** Its arguments, as far as they were looked at. */
  text: string
  /** Whether there were pieces without an id, so that an id means a new call. */
  plain: boolean
  /** Its first piece, held back until there is a name: some clients fail on a call that begins without one. */
  held: JsonObject | undefined
}

/** A piece put right. `piece`: undefined while it is held back. `usual`: others like it need not be looked at. */
export interface Piece {
  readonly piece: JsonObject | undefined
  readonly usual: boolean
}

/**
 * Tells apart the tool calls of one choice. A new id or a new name begins a call, and a piece with neither goes on with
 * the last one: many servers give all calls the index 0, or none (InternLM/lmdeploy#3412 for vLLM and SGLang,
 * huggingface/smolagents#1958 for Ollama). What goes out counts from 0, so indexes that are right stay as they are.
 */
export class ToolCalls {
  readonly #random: Random
  readonly #all: Begun[] = []
  /** The call that a piece with this upstream index goes on with. */
  readonly #current = new Map<number, Begun>()
  readonly #ids = new Set<string>()
  #last: Begun | undefined

  constructor(random: Random) {
    this.#random = random
  }

  get begun(): boolean {
    return this.#last !== undefined
  }

  /** The piece of a call: first id, type and name, then only arguments. `at`: its place in a list of `of` pieces. */
  piece(call: JsonObject, at: number, of: number): Piece {
    const { said } = partsOf(call)
    const id = wordOf(call.id)
    const name = wordOf(said.name)
    const text = argumentsText(said.arguments)
    const index = indexOf(call.index)
    const before = this.#before(index ?? (of > 1 ? at : undefined), id, name)
    if (!before || this.#isNew(before, { id, name, text }, index)) {
      return { piece: this.#begin(call, index, { id, name, text }), usual: false }
    }
    before.text += text
    before.plain ||= id === ''
    if (id !== '') before.id ??= id
    this.#last = before
    if (index !== undefined) this.#current.set(index, before)
    if (before.held) return { piece: name === '' ? undefined : release(before, name), usual: false }
    return { piece: goOn(call, before), usual: before.id !== undefined && id === '' && name === '' }
  }

  /** The calls that have got no name until their end. */
  rest(): JsonObject[] {
    return this.#all.filter(({ held }) => held).map((begun) => release(begun, ''))
  }

  /** The call that a piece would go on with. */
  #before(index: number | undefined, id: string, name: string): Begun | undefined {
    const current = index === undefined ? this.#last : this.#current.get(index)
    if (id !== '' && current?.id !== id && (current || index === undefined || name === '')) {
      const own = this.#all.find((begun) => begun.id === id)
      if (own) return own
    }
    // SGLang counts the first piece of a call in another way than those that follow (sgl-project/sglang#6310).
    return current ?? (id === '' && name === '' ? this.#last : undefined)
  }

  #isNew(before: Begun, { id, name, text }: Said, index: number | undefined): boolean {
    if (id !== '' && before.id !== id) {
      if (before.id === undefined) return name !== '' && before.name !== ''
      // Some servers make up another id for each piece of a call (poolsideai/pool#9), and repeat its name as well
      // (vllm-project/vllm#23522): what is no beginning of arguments goes on with those that are cut.
      if (name === before.name && isCut(before.text) && isMiddle(text)) return false
      const mayGoOn = before.text.trim() === '' || isCut(before.text)
      return !(name === '' && index !== undefined && !before.plain && mayGoOn)
    }
    if (name === '' || before.name === '') return false
    if (name !== before.name) return true
    // The same name again: a repetition, or another call of the same function if the last one is whole.
    return text.trim() !== '' && before.text.trim() !== '' && !isCut(before.text)
  }

  #begin(call: JsonObject, index: number | undefined, { id, name, text }: Said): JsonObject | undefined {
    const own = usable(id, this.#ids) ?? toolCallId(this.#random)
    this.#ids.add(own)
    const { length: free } = this.#all
    const begun: Begun = { index: free, id: id || undefined, name, text, plain: false, held: undefined }
    this.#all.push(begun)
    this.#current.set(index ?? free, begun)
    this.#last = begun
    if (isObject(call.custom)) return { ...call, index: free, id: own, type: 'custom' }
    const { said, rest } = partsOf(call)
    const first = { ...rest, index: free, id: own, type: 'function', function: { ...said, name, arguments: text } }
    if (name !== '') return first
    begun.held = first
    return undefined
  }
}

interface Said {
  readonly id: string
  readonly name: string
  readonly text: string
}

/** The first piece of a call that was held back, with all of its arguments so far. */
function release(begun: Begun, name: string): JsonObject {
  const { held } = begun
  begun.held = undefined
  begun.name = name
  return { ...held, function: { ...objectAt(held, 'function'), name, arguments: begun.text } }
}

/** A later piece of a call: only its arguments. */
function goOn(call: JsonObject, { index }: Begun): JsonObject {
  const { id: _id, type: _type, ...rest } = call
  if (isObject(call.custom)) return { ...rest, index }
  const { said, rest: others } = partsOf(rest)
  const { name: _name, arguments: given, ...more } = said
  return { ...others, index, function: { ...more, arguments: argumentsText(given) } }
}

/** Whether arguments have begun and are not complete. */
function isCut(text: string): boolean {
  return text.trim() !== '' && tryParse(text) === undefined
}

/** Whether a text can't be the beginning of a call's arguments. */
function isMiddle(text: string): boolean {
  return /^\s*[^\s{]/.test(text)
}

function wordOf(given: unknown): string {
  return typeof given === 'number' ? String(given) : typeof given === 'string' ? given : ''
}
