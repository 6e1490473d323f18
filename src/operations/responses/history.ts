import { isObject, type JsonObject, stringAt } from '../../wire/json.ts'
import { isToBeCompacted, uncalled } from './input.ts'
import { keptOf } from './summary.ts'

/** All that was said up to the end of a response, in order, as part of the next request. */
export function saidUpTo(input: unknown, output: unknown): readonly unknown[] {
  const said = Array.isArray(output) ? output.filter(isObject).flatMap(replayed) : []
  return [...(isToBeCompacted(input) ? keptOf(input) : itemsOf(input)), ...said]
}

/** The items of an input, which may be a text. */
export function itemsOf(input: unknown): readonly unknown[] {
  if (Array.isArray(input)) return input
  return typeof input === 'string' ? [{ type: 'message', role: 'user', content: input }] : []
}

/**
 * An item of a response as part of the next request. By its id a server would look for it in its store, and reasoning
 * that it can't read it would refuse.
 */
export function replayed({ id, ...item }: JsonObject): readonly JsonObject[] {
  if (item.type !== 'reasoning') return [item]
  const isReadable =
    typeof item.encrypted_content === 'string' || (Array.isArray(item.content) && item.content.length > 0)
  return isReadable ? [{ id, ...item }] : []
}

/** Throws the 400 for results among `items` whose calls are not in `all`. */
export function checkCalls(all: readonly unknown[], items: readonly unknown[]): void {
  const called = new Set(all.filter((item) => /_call$/.test(typeOf(item))).map((item) => stringAt(item, 'call_id')))
  for (const item of items) {
    const id = stringAt(item, 'call_id')
    if (/_call_output$/.test(typeOf(item)) && !called.has(id)) throw uncalled(id)
  }
}

function typeOf(item: unknown): string {
  return stringAt(item, 'type') ?? ''
}
