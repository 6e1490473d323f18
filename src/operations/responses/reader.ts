import type { Breaking, Conclusion, Fault, NamingServices, Sight } from '../../core/stream-reader.ts'
import { concat } from '../../wire/block.ts'
import { identifier } from '../../wire/ids.ts'
import { isObject, type JsonObject, objectAt } from '../../wire/json.ts'
import { done } from '../../wire/sse.ts'
import { toldError } from '../../wire/told-error.ts'
import { TypedEventsReader } from '../common/typed-events.ts'
import { ItemsSoFar } from './items-so-far.ts'
import { errorOf, type Head, responseOf } from './response.ts'

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
  readonly joined = 'delta'
  conclusion: Conclusion | undefined
  /** The response as it began. */
  #begun: JsonObject | undefined
  readonly #items = new ItemsSoFar()
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
    const error = type.startsWith('response.') ? undefined : errorIn(said, type)
    if (error) return error
    const response = objectAt(said, 'response')
    if (last.test(type)) return this.#end(type, response ?? {})
    if (typeof said.sequence_number === 'number') this.#number = said.sequence_number
    if (!type.startsWith('response.')) return 'nothing'
    this.#items.see(type.slice('response.'.length), said)
    if (opening.test(type)) {
      this.#begun ??= response
      return 'nothing'
    }
    return 'content'
  }

  broken({ error }: JsonObject, services: NamingServices, { hasMore = false }: Breaking = {}): readonly Uint8Array[] {
    const failed = { status: 'failed', output: this.#output, error: errorOf(error) } as const
    const response = this.#begun
      ? { ...this.#begun, ...failed }
      : responseOf(this.#asked, this.#newHead(services), failed)
    const number = this.#number + (hasMore ? 2 : 1)
    return [this.#begun || number > 0 ? concat([eventOf('failed', response, number), done]) : failedAtOnce(response)]
  }

  /** For a response that failed before its upstream named it. */
  #newHead({ random, clock }: NamingServices): Head {
    const created = Math.floor(clock.now() / 1000)
    return { id: identifier('resp_', random, 48), created, model: String(this.#asked.model), tier: 'default' }
  }

  #end(type: string, response: JsonObject): Sight {
    this.usage = objectAt(response, 'usage')
    this.conclusion = conclusionOf(response)
    this.complete = true
    if (type !== 'response.failed') return 'finish'
    this.#begun = { ...this.#begun, ...response }
    return { told: objectAt(response, 'error') ?? response }
  }

  /** What a failed response says itself, or else what has come of it. */
  get #output(): readonly JsonObject[] {
    const said = this.#begun?.output
    return Array.isArray(said) && said.length > 0 ? said.filter(isObject) : this.#items.all
  }
}

/** It has a reason only for an end before its time. */
export function conclusionOf(response: JsonObject): Conclusion {
  return { id: response.id, reasons: [objectAt(response, 'incomplete_details')?.reason] }
}

/** The error that an event tells, which may be flat. */
function errorIn(said: JsonObject, type: string): Fault | undefined {
  if (type !== 'error') return toldError(said) === undefined ? undefined : { told: said }
  const { type: _, sequence_number: __, ...flat } = said
  return { told: isObject(said.error) ? said : { error: flat } }
}

/** With a beginning: libraries fail on a response that ends before it was created. */
function failedAtOnce(response: JsonObject): Uint8Array {
  const created = { ...response, status: 'in_progress', error: null }
  return concat([eventOf('created', created, 0), eventOf('failed', response, 1), done])
}

function eventOf(name: string, response: JsonObject, number: number): Uint8Array {
  const type = `response.${name}`
  const data = JSON.stringify({ type, sequence_number: number, response })
  return new TextEncoder().encode(`event: ${type}\ndata: ${data}\n\n`)
}
