import { isObject, type JsonObject } from '../../wire/json.ts'

type Fields = Record<string, unknown>

/** An item that is being made. */
interface Draft {
  readonly item: Fields
  /** Its lists of parts, by their names. */
  readonly parts: Readonly<Record<'content' | 'summary', Map<unknown, Fields>>>
}

/** Characters of text of all unfinished items that are kept; of longer ones there is only the beginning. */
const most = 1024 * 1024

/** Where the pieces of each kind of text belong: in the parts of which list, or in the item itself; and in which field. */
const places: Readonly<Record<string, readonly [list: 'content' | 'summary' | undefined, field: string]>> = {
  output_text: ['content', 'text'],
  refusal: ['content', 'refusal'],
  reasoning_text: ['content', 'text'],
  reasoning_summary_text: ['summary', 'text'],
  function_call_arguments: [undefined, 'arguments'],
  custom_tool_call_input: [undefined, 'input'],
  mcp_call_arguments: [undefined, 'arguments'],
  code_interpreter_call_code: [undefined, 'code'],
}

/** The items that the events of a response have told of, whole or not. */
export class ItemsSoFar {
  readonly #done = new Map<unknown, JsonObject>()
  readonly #drafts = new Map<unknown, Draft>()
  #kept = 0

  /** Reads an event. `name`: its type without `response.`. */
  see(name: string, said: JsonObject): void {
    const { output_index: index, item, part, delta } = said
    if (name === 'output_item.done') this.#finish(index, item)
    else if (name === 'output_item.added') this.#begin(index, item)
    else if (isObject(part)) this.#partsOf(name, said)?.set(placeOf(said), { ...part })
    else if (typeof delta === 'string') this.#add(name, said, delta)
  }

  /** All of them in their order. The unfinished ones say that they are. */
  get all(): JsonObject[] {
    const unfinished = [...this.#drafts].map(([index, draft]) => [index, itemOf(draft)] as const)
    return [...this.#done, ...unfinished].sort(([one], [other]) => Number(one) - Number(other)).map(([, item]) => item)
  }

  #begin(index: unknown, item: unknown): void {
    if (isObject(item))
      this.#drafts.set(index, { item: { ...item }, parts: { content: new Map(), summary: new Map() } })
  }

  #finish(index: unknown, item: unknown): void {
    this.#drafts.delete(index)
    if (this.#drafts.size === 0) this.#kept = 0
    if (isObject(item)) this.#done.set(index, item)
  }

  #partsOf(name: string, { output_index: index }: JsonObject): Map<unknown, Fields> | undefined {
    return this.#drafts.get(index)?.parts[name.startsWith('reasoning_summary') ? 'summary' : 'content']
  }

  #add(name: string, said: JsonObject, delta: string): void {
    const [list, field = ''] = places[name.replace(/\.delta$/, '')] ?? []
    const draft = this.#drafts.get(said.output_index)
    const holder = list ? draft?.parts[list].get(placeOf(said)) : draft?.item
    if (!holder || field === '' || this.#kept >= most) return
    const before = holder[field]
    holder[field] = (typeof before === 'string' ? before : '') + delta
    this.#kept += delta.length
  }
}

/** The place of a part in its list. */
function placeOf({ content_index: content, summary_index: summary }: JsonObject): unknown {
  return content ?? summary
}

function itemOf({ item, parts }: Draft): JsonObject {
  const lists = Object.entries(parts).flatMap(([name, list]) => (list.size > 0 ? [[name, [...list.values()]]] : []))
  return { ...item, ...(typeof item.status === 'string' && { status: 'incomplete' }), ...Object.fromEntries(lists) }
}
