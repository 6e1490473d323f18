import type { Naming } from '../core/operation.ts'
import { toolCallId } from '../wire/ids.ts'
import { isObject, type JsonObject, objectAt, stringAt } from '../wire/json.ts'

interface Growing {
  readonly index: unknown
  id: string
  name: string
  text: string
  rest: JsonObject
}

/** Builds whole tool calls from the pieces of a stream. */
export class CallPieces {
  readonly #calls: Growing[] = []

  /** Adds a `tool_calls` of a delta; some servers send an object instead of a list. */
  add(pieces: unknown): void {
    for (const piece of Array.isArray(pieces) ? pieces : [pieces]) if (isObject(piece)) this.#add(piece)
  }

  get calls(): readonly Growing[] {
    return this.#calls
  }

  #add(piece: JsonObject): void {
    const { index, id, function: given, type: _, ...rest } = piece
    const name = stringAt(given, 'name') ?? ''
    const call = this.#callOf(index, typeof id === 'string' ? id : '', name)
    call.id ||= typeof id === 'string' ? id : ''
    call.name ||= name
    call.text += argumentsText(objectAt(piece, 'function')?.arguments)
    call.rest = { ...call.rest, ...rest }
  }

  /** The call that a piece continues: a new id or name opens another, even under an index that was used before. */
  #callOf(index: unknown, id: string, name: string): Growing {
    const last = this.#calls.findLast((call) => index === undefined || index === null || call.index === index)
    const isNew = !last || (id !== '' && last.id !== '' && id !== last.id) || isOther(last, id, name)
    if (!isNew) return last
    const call = { index, id: '', name: '', text: '', rest: {} }
    this.#calls.push(call)
    return call
  }
}

/** Whether a piece without an id belongs to a call of another name. */
function isOther(last: Growing, id: string, name: string): boolean {
  return id === '' && name !== '' && last.name !== '' && name !== last.name
}

/** OpenAI's format always has `arguments` as a JSON text. */
export function argumentsText(given: unknown): string {
  if (typeof given === 'string') return given
  return given === undefined || given === null ? '' : JSON.stringify(given)
}

/** The calls as a whole answer has them: without an index, with an id. */
export function wholeCalls({ calls }: CallPieces, { random }: Naming): JsonObject[] {
  return calls.map(({ id, name, text, rest }) => ({
    ...rest,
    id: id || toolCallId(random),
    type: 'function',
    function: { name, arguments: text },
  }))
}
