import type { JsonObject } from '../../wire/json.ts'
import { checkCalls, itemsOf, saidUpTo } from './history.ts'
import { notStored } from './input.ts'

/** Responses that can be gone on from. */
const mostKept = 8

/** Of each response, all that was said up to its end, in order. */
type Kept = Map<string, readonly unknown[]>

/**
 * Keeps the last responses of one connection, so that a request need only say what is new. A store that outlives the
 * connection may stand behind it.
 */
export class Chain {
  readonly #kept: Kept = new Map()
  readonly #isAlone: boolean

  /** `isAlone`: nothing that was said outlasts the connection, unless a provider keeps it. */
  constructor(isAlone = true) {
    this.#isAlone = isAlone
  }

  /**
   * A request with all that was said before it. One that names a response which isn't here stays as it is, for a provider
   * that stores responses itself. Throws the 400 for one that nobody else has either, and for results without a call.
   */
  extended(asked: JsonObject): JsonObject {
    const { previous_response_id: previous, ...rest } = asked
    if (typeof previous !== 'string') return asked
    const before = this.#kept.get(previous)
    if (!before) {
      if (asked.store !== false || !this.#isAlone) return asked
      throw notStored(`Previous response with id '${previous}' not found.`, 'previous_response_id')
    }
    const items = itemsOf(asked.input)
    checkCalls([...before, ...items], items)
    return { ...rest, input: [...before, ...items] }
  }

  keep(id: string, input: unknown, output: unknown): void {
    this.#kept.delete(id)
    this.#kept.set(id, saidUpTo(input, output))
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > mostKept && oldest !== undefined) this.#kept.delete(oldest)
  }

  /** Clients take it that a failed turn can't be tried again. */
  forget(id: unknown): void {
    if (typeof id === 'string') this.#kept.delete(id)
  }
}
