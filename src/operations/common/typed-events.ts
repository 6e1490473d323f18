import type { Sight, StreamReader } from '../../core/stream-reader.ts'
import { isObject, type JsonObject, stringAt, tryParse } from '../../wire/json.ts'
import type { ServerEvent } from '../../wire/sse.ts'
import { toldError } from '../../wire/told-error.ts'
import { usageIn } from './usage.ts'

/** Reads a stream of JSON objects, most of which name their own `type`, and one of which says that all is done. */
export abstract class TypedEventsReader implements StreamReader {
  abstract readonly texts: ReadonlySet<string>
  readonly endsItself = true
  complete = false
  usage: JsonObject | undefined

  see({ data, event }: ServerEvent): Sight {
    const text = data.trim()
    if (text === '') return 'nothing'
    if (text === '[DONE]') return 'end'
    const said = tryParse(text)
    if (!isObject(said)) return { wrong: 'sent an event that is no JSON object' }
    return this.read(said, event === 'error' ? event : (stringAt(said, 'type') ?? event ?? ''))
  }

  /** `type`: `error` also where only the event's name says so. */
  protected abstract read(said: JsonObject, type: string): Sight
}

/** Keys whose texts come piece by piece: audio, images, words. */
const texts: ReadonlySet<string> = new Set(['delta', 'audio', 'b64_json', 'text'])

/** Reads the events of media: all that are no errors say something. */
export class MediaEventsReader extends TypedEventsReader {
  readonly texts = texts
  readonly #last: RegExp

  /** `last`: the types of the event that ends a stream. */
  constructor(last: RegExp) {
    super()
    this.#last = last
  }

  protected read(said: JsonObject, type: string): Sight {
    if (toldError(said) !== undefined || type === 'error') return { told: said }
    this.usage = usageIn(said) ?? this.usage
    if (!this.#last.test(type)) return 'content'
    this.complete = true
    return 'finish'
  }
}
