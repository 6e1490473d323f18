import type { Sight } from '../../core/operation.ts'
import { concat } from '../../wire/block.ts'
import { isObject, type JsonObject, objectAt } from '../../wire/json.ts'
import { done } from '../../wire/sse.ts'
import { toldError } from '../../wire/told-error.ts'
import { TypedEventsReader } from '../common/typed-events.ts'
import { errorOf, responseOf } from './response.ts'

/** Keys whose texts come piece by piece. */
const texts: ReadonlySet<string> = new Set(['delta', 'obfuscation'])
const numbers: ReadonlySet<string> = new Set(['sequence_number'])

/** The events after which nothing follows. */
const last = /^response\.(completed|incomplete|failed)$/

/** The events that only say that something is about to come. Whatever else a response says is content. */
const opening =
  /^response\.(created|queued|in_progress|output_item\.added|content_part\.added|reasoning_summary_part\.added)$/

/** Reads the events of a response from an upstream that makes them itself. */
export class ResponsesReader extends TypedEventsReader {
  readonly texts = texts
  readonly numbers = numbers
  #hasContent = false
  /** The response as it began, and its items that are done, by their places. */
  #begun: JsonObject | undefined
  readonly #items = new Map<unknown, unknown>()
  #number = -1
  readonly #asked: JsonObject

  constructor(asked: JsonObject) {
    super()
    this.#asked = asked
  }

  /** There is one such event, unlike with several images. */
  get isOver(): boolean {
    return this.complete
  }

  protected read(said: JsonObject, type: string): Sight {
    if (!type.startsWith('response.')) return errorIn(said, type)
    if (typeof said.sequence_number === 'number') this.#number = said.sequence_number
    const response = objectAt(said, 'response')
    if (last.test(type)) return this.#end(type, response ?? {})
    if (opening.test(type)) {
      this.#begun ??= response
      return 'nothing'
    }
    if (type === 'response.output_item.done') this.#items.set(said.output_index, said.item)
    this.#hasContent = true
    return 'content'
  }

  broken({ error }: JsonObject, unread: number): Uint8Array {
    const failed = { status: 'failed', output: this.#output(), error: errorOf(error) } as const
    const response = this.#begun
      ? { ...this.#begun, ...failed }
      : responseOf(this.#asked, { ...unnamed, model: String(this.#asked.model) }, failed)
    return failedEvent(response, this.#number + unread + 1)
  }

  #end(type: string, response: JsonObject): Sight {
    // After content the client reads what the upstream says of its failure; before, others may still answer.
    if (type === 'response.failed' && !this.#hasContent) return { told: objectAt(response, 'error') ?? response }
    this.usage = objectAt(response, 'usage')
    this.complete = true
    return 'finish'
  }

  #output(): JsonObject[] {
    return [...this.#items.values()].filter(isObject)
  }
}

/** The error that an event tells, which may be flat; other events that are no response's say nothing. */
function errorIn(said: JsonObject, type: string): Sight {
  if (type !== 'error') return toldError(said) === undefined ? 'nothing' : { told: said }
  const { type: _, sequence_number: __, ...flat } = said
  return { told: isObject(said.error) ? said : { error: flat } }
}

/** A response that failed before the upstream named it. */
const unnamed = { id: 'resp_0', created: 0, tier: 'default' }

/** With its beginning, if it has none: libraries fail on a response that ends before it was created. */
function failedEvent(response: JsonObject, number: number): Uint8Array {
  if (number > 0) return concat([eventOf('failed', response, number), done])
  const created = { ...response, status: 'in_progress', error: null }
  return concat([eventOf('created', created, 0), eventOf('failed', response, 1), done])
}

function eventOf(name: string, response: JsonObject, number: number): Uint8Array {
  const type = `response.${name}`
  const data = JSON.stringify({ type, sequence_number: number, response })
  return new TextEncoder().encode(`event: ${type}\ndata: ${data}\n\n`)
}
