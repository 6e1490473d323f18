import type { Random } from '../../wire/ids.ts'
import { type JsonObject, objectAt, stringAt } from '../../wire/json.ts'
import { argumentsText, callsIn, ToolCalls } from '../repair/calls.ts'

/** Builds whole tool calls from the pieces of a stream. Which pieces make up a call, `ToolCalls` tells. */
export class CallPieces {
  readonly #told: ToolCalls
  readonly #calls = new Map<unknown, JsonObject>()

  constructor(random: Random) {
    this.#told = new ToolCalls(random)
  }

  /** Adds a `tool_calls` of a delta. */
  add(pieces: unknown): void {
    const calls = callsIn(pieces)
    for (const [at, call] of calls.entries()) this.#put(this.#told.piece(call, at, calls.length).piece)
  }

  /** The calls so far, those without a name left out. Each stays in its place; all but the last are most likely whole. */
  get begun(): readonly JsonObject[] {
    return [...this.#calls.values()]
  }

  /** The calls as a whole answer has them: without an index, with an id. */
  whole(): JsonObject[] {
    for (const piece of this.#told.rest()) this.#put(piece)
    return [...this.#calls.values()]
  }

  /** A piece put right: the first of a call has its id, type and name, the others go on with its texts. */
  #put(piece: JsonObject | undefined): void {
    if (!piece) return
    const { index, ...said } = piece
    const before = this.#calls.get(index)
    this.#calls.set(index, before ? continued(before, said) : said)
  }
}

function continued(before: JsonObject, said: JsonObject): JsonObject {
  const { function: called, custom, ...rest } = said
  const whole = { ...before, ...rest }
  if (called) whole.function = joined(before, said, 'function', 'arguments')
  if (custom) whole.custom = joined(before, said, 'custom', 'input')
  return whole
}

/** The fields of a call, with the later part of its text behind the earlier one. */
function joined(before: JsonObject, said: JsonObject, kind: string, text: string): JsonObject {
  const [first, later] = [objectAt(before, kind), objectAt(said, kind)]
  const whole = (stringAt(first, text) ?? '') + argumentsText(later?.[text])
  return { ...first, ...later, [text]: whole }
}
