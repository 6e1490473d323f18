import type { Sight, StreamReader } from '../../core/operation.ts'
import { isObject, type JsonObject, tryParse } from '../../wire/json.ts'
import type { ServerEvent } from '../../wire/sse.ts'
import { toldError } from '../../wire/told-error.ts'
import { usageIn } from './usage.ts'

/** Keys whose texts come piece by piece: audio, images, words. */
const texts: ReadonlySet<string> = new Set(['delta', 'audio', 'b64_json', 'text'])

/** Reads a stream of events that name their own `type`, one of which says that all is done. */
export class TypedEventsReader implements StreamReader {
  readonly texts = texts
  readonly endsItself = true
  readonly #last: RegExp
  #complete = false
  #usage: JsonObject | undefined

  /** `last`: the types of the event that ends a stream. */
  constructor(last: RegExp) {
    this.#last = last
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
    const told = tryParse(text)
    if (!isObject(told)) return { wrong: 'sent an event that is no JSON object' }
    if (toldError(told) !== undefined || event === 'error' || told.type === 'error') return { told }
    const type = typeof told.type === 'string' ? told.type : (event ?? '')
    this.#usage = usageIn(told) ?? this.#usage
    if (!this.#last.test(type)) return 'content'
    this.#complete = true
    return 'finish'
  }
}
