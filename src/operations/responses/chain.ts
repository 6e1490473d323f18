import { isObject, type JsonObject, stringAt } from '../../wire/json.ts'
import { isToBeCompacted, notStored, uncalled } from './input.ts'
import { keptOf } from './summary.ts'

/** Responses that can be gone on from. */
const mostKept = 8

/** Of each response, all that was said up to its end, in order. */
type Kept = Map<string, readonly unknown[]>

/**
 * Keeps the last responses of one connection, so that a request need only say what is new. A store that outlives the
 * connection would stand behind it.
 */
export class Chain {
  readonly #kept: Kept = new Map()

  /**
   * A request with all that was said before it. One that names a response which isn't here stays as it is, for a provider
   * that stores responses itself. Throws the 400 for one that nobody else has either, and for results without a call.
   */
  extended(asked: JsonObject): JsonObject {
    const { previous_response_id: previous, ...rest } = asked
    if (typeof previous !== 'string') return asked
    const before = this.#kept.get(previous)
    if (!before) {
      if (asked.store !== false) return asked
      throw notStored(`Previous response with id '${previous}' not found.`, 'previous_response_id')
    }
    const items = itemsOf(asked.input)
    checkCalls([...before, ...items], items)
    return { ...rest, input: [...before, ...items] }
  }

  keep(id: string, input: unknown, output: unknown): void {
    this.#kept.delete(id)
    const said = Array.isArray(output) ? output.filter(isObject).flatMap(replayed) : []
    this.#kept.set(id, [...(isToBeCompacted(input) ? keptOf(input) : itemsOf(input)), ...said])
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > mostKept && oldest !== undefined) this.#kept.delete(oldest)
  }

  /** Clients take it that a failed turn can't be tried again. */
  forget(id: unknown): void {
    if (typeof id === 'string') this.#kept.delete(id)
  }
}

function itemsOf(input: unknown): readonly unknown[] {
  if (Array.isArray(input)) return input
  return typeof input === 'string' ? [{ type: 'message', role: 'user', content: input }] : []
}

/**
 * An item of a response as part of the next request. By its id a server would look for it in its store, and reasoning
 * that it can't read it would refuse.
 */
function replayed({ id, ...item }: JsonObject): readonly JsonObject[] {
  if (item.type !== 'reasoning') return [item]
  const isReadable =
    typeof item.encrypted_content === 'string' || (Array.isArray(item.content) && item.content.length > 0)
  return isReadable ? [{ id, ...item }] : []
}

function checkCalls(all: readonly unknown[], items: readonly unknown[]): void {
  const called = new Set(all.filter((item) => /_call$/.test(typeOf(item))).map((item) => stringAt(item, 'call_id')))
  for (const item of items) {
    const id = stringAt(item, 'call_id')
    if (/_call_output$/.test(typeOf(item)) && !called.has(id)) throw uncalled(id)
  }
}

function typeOf(item: unknown): string {
  return stringAt(item, 'type') ?? ''
}
