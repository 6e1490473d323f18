import type { Conclusion, Sight } from '../../core/stream-reader.ts'
import { TypedEventsReader } from '../../operations/common/typed-events.ts'
import { type JsonObject, objectAt, stringAt } from '../../wire/json.ts'
import { typedFrame } from '../../wire/sse.ts'
import { toldError } from '../../wire/told-error.ts'
import { errorEvent } from './words.ts'

/** Keys whose texts come piece by piece. */
const texts: ReadonlySet<string> = new Set(['text', 'thinking', 'partial_json', 'signature'])

/** The events that say something of the answer. */
const content: ReadonlySet<string> = new Set(['content_block_delta', 'content_block_stop', 'message_delta'])

/**
 * Reads the events of a message from an upstream that makes them itself:
 * https://platform.claude.com/docs/en/build-with-claude/streaming
 */
export class MessageReader extends TypedEventsReader {
  readonly texts = texts
  #id: unknown
  /** Why it stopped, once that has come. */
  #reason: unknown

  get isOver(): boolean {
    return this.complete
  }

  get conclusion(): Conclusion {
    return { id: this.#id, reasons: [this.#reason] }
  }

  protected read(said: JsonObject, type: string): Sight {
    if (type === 'error' || toldError(said) !== undefined) return { told: said }
    const usage = objectAt(said, 'usage') ?? objectAt(objectAt(said, 'message'), 'usage')
    if (usage) this.usage = { ...this.usage, ...usage }
    this.#id ??= objectAt(said, 'message')?.id
    this.#reason = stringAt(objectAt(said, 'delta'), 'stop_reason') || this.#reason
    if (type === 'message_stop') {
      this.complete = this.#reason !== undefined
      return this.complete ? 'finish' : 'end'
    }
    return content.has(type) ? 'content' : 'nothing'
  }

  broken({ error }: JsonObject): readonly Uint8Array[] {
    return [typedFrame(errorEvent(error))]
  }
}
