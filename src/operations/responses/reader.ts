import type { Sight, StreamReader } from '../../core/operation.ts'
import { concat } from '../../wire/block.ts'
import { isObject, type JsonObject, objectAt, stringAt, tryParse } from '../../wire/json.ts'
import { done, type ServerEvent } from '../../wire/sse.ts'
import { toldError } from '../../wire/told-error.ts'
import { errorOf, responseOf } from './response.ts'

/** Keys whose texts come piece by piece. */
const texts: ReadonlySet<string> = new Set(['delta', 'obfuscation'])

/** The events after which nothing follows. */
const last = /^response\.(completed|incomplete|failed)$/

/** Reads the events of a response from an upstream that makes them itself. */
export class ResponsesReader implements StreamReader {
  readonly texts = texts
  readonly endsItself = true
  #complete = false
  #hasContent = false
  #usage: JsonObject | undefined
  /** The response as it began. */
  #begun: JsonObject | undefined
  readonly #asked: JsonObject

  constructor(asked: JsonObject) {
    this.#asked = asked
  }

  get complete(): boolean {
    return this.#complete
  }

  get usage(): JsonObject | undefined {
    return this.#usage
  }

  see({ data, event }: ServerEvent): Sight {
    const text = data.trim()
    if (text === '') return 'nothing'
    if (text === '[DONE]') return 'end'
    const said = tryParse(text)
    if (!isObject(said)) return { wrong: 'sent an event that is no JSON object' }
    const type = stringAt(said, 'type') ?? event ?? ''
    const response = objectAt(said, 'response')
    if (type === 'response.created') this.#begun = response
    if (type === 'error' || (response === undefined && toldError(said) !== undefined)) return { told: toldIn(said) }
    if (last.test(type)) {
      // After content the client reads what the upstream says of its failure; before, others may still answer.
      if (type === 'response.failed' && !this.#hasContent) return { told: objectAt(response, 'error') ?? said }
      this.#usage = objectAt(response, 'usage')
      this.#complete = true
      return 'finish'
    }
    const isContent = type.endsWith('.delta') || type === 'response.output_item.done'
    if (isContent) this.#hasContent = true
    return isContent ? 'content' : 'nothing'
  }

  broken({ error }: JsonObject, before: Uint8Array): Uint8Array {
    const numbers = [...new TextDecoder().decode(before).matchAll(/"sequence_number":\s*(\d+)/g)]
    const number = Number(numbers.at(-1)?.[1] ?? -1) + 1
    const failed = { status: 'failed', error: errorOf(error) } as const
    const response = this.#begun
      ? { ...this.#begun, ...failed }
      : responseOf(this.#asked, { ...unnamed, model: String(this.#asked.model) }, { ...failed, output: [] })
    return failedEvent(response, number)
  }
}

/** A flat error, as the `error` event has it. */
function toldIn(said: JsonObject): unknown {
  const { type: _, sequence_number: __, ...flat } = said
  return toldError(said) ?? { error: flat }
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
