import type { Begun, Continuation, Continuing } from '../core/continuing.ts'
import type { Operation } from '../core/operation.ts'
import type { StreamReader } from '../core/stream-reader.ts'
import { concat } from '../wire/block.ts'
import { isObject, type JsonObject, tryParse } from '../wire/json.ts'
import { done, EventReader, frame, type ServerEvent } from '../wire/sse.ts'

/** What the client gets of some events, and whether the last of them breaks the stream. */
interface Passage {
  readonly bytes: Uint8Array
  readonly breaks: boolean
}

const nothing = new Uint8Array(0)

/** The text that a client has got, whoever wrote it. Turns the events of each part into those of one answer. */
export class Transcript {
  readonly #operation: Pick<Operation, 'reader'>
  readonly #continuing: Continuing
  readonly #asked: JsonObject
  #reader: StreamReader | undefined
  /** What the current part continues; undefined in the first one. */
  #begun: Begun | undefined
  /** White space that the client has already, and that the current part must write again. */
  #repeated = ''
  #text = ''
  /** Tokens of the text: an event has one, or more if the server joins them. */
  #tokens = 0
  /** Those up to the last one that is more than white space. */
  #inked = 0
  /** What all chunks of an answer have in common, from the first one. */
  #head: JsonObject | undefined
  /** Why nobody can go on. */
  #obstacle: string | undefined
  #error: Uint8Array = nothing

  /** `asked`: the request's fields, without the long texts. */
  constructor(operation: Pick<Operation, 'reader'>, continuing: Continuing, asked: JsonObject) {
    this.#operation = operation
    this.#continuing = continuing
    this.#asked = asked
  }

  /** The event that says what broke the stream. */
  get error(): Uint8Array {
    return this.#error
  }

  /** Expects the events of a part from its first one on. `begun`: what it continues. */
  beginPart(begun?: Begun): void {
    this.#reader = this.#operation.reader?.(this.#asked)
    this.#begun = begun
    this.#repeated = begun ? this.#text.slice(begun.text.length) : ''
  }

  /** The beginning that a server is to go on with, or why it can't. */
  beginning({ trims, fields = {} }: Continuation): Begun | string {
    const text = this.#text
    // A template that drops this changes what the model reads, and nothing that comes back would tell.
    if (text === '' || (trims && text.trimStart() !== text)) return 'white space'
    if (this.#obstacle !== undefined) return this.#obstacle
    // Half an emoji can't be sent, and the server would not know which half it is to write.
    if (!text.isWellFormed()) return 'half a character'
    return { text: trims ? text.trimEnd() : text, tokens: trims ? this.#inked : this.#tokens, fields }
  }

  /** Reads whole events, up to the one that breaks the stream. */
  take(bytes: Uint8Array): Passage {
    const own: Uint8Array[] = []
    let breaks = false
    for (const event of new EventReader().read(bytes)) {
      const one = this.#read(event)
      breaks = !one
      if (!one) break
      own.push(one)
    }
    // The check sends an error apart from the events before it.
    return { bytes: this.#begun ? concat(own) : breaks ? nothing : bytes, breaks }
  }

  /** What the client gets of an event that goes on with a text; undefined if the event breaks the stream. */
  #read(event: ServerEvent): Uint8Array | undefined {
    const chunk = tryParse(event.data)
    if (!isObject(chunk)) return event.data.trim() === '[DONE]' ? done : nothing
    const sight = this.#reader?.see(event)
    if (typeof sight === 'object') {
      this.#error = frame(chunk)
      return undefined
    }
    const { id, created, model, system_fingerprint, choices, usage, ...rest } = chunk
    const given = Array.isArray(choices) ? choices.filter(isObject) : []
    if (given.length > 0) this.#head ??= { id, created, model, system_fingerprint }
    const finishes = sight === 'finish'
    if (finishes) this.#obstacle = 'finish'
    const before = this.#text
    const own = given.map((choice) => this.#readChoice(choice))
    if (!this.#begun) return nothing
    if (own.includes(undefined) || (finishes && this.#repeated !== '')) return undefined
    const tellsUsage = isObject(usage) || (given.length === 0 && usage === null)
    if (!finishes && this.#text === before && !tellsUsage) return nothing
    return frame({ ...rest, ...this.#head, choices: own, usage: wholeUsage(usage, this.#begun) })
  }

  /** Takes the text of a choice, and returns the choice as it goes on a text; undefined if it can't. */
  #readChoice(choice: JsonObject): JsonObject | undefined {
    const continuing = this.#continuing
    const said = choice.index ? undefined : continuing.text(choice)
    if (said === undefined) {
      this.#obstacle = 'more than text'
      return undefined
    }
    const same = Math.min(said.length, this.#repeated.length)
    if (!said.startsWith(this.#repeated.slice(0, same))) return undefined
    this.#repeated = this.#repeated.slice(same)
    const added = said.slice(same)
    this.#add(added)
    return continuing.withText(choice, added)
  }

  #add(text: string): void {
    this.#text += text
    if (text !== '') this.#tokens++
    if (text.trim() !== '') this.#inked = this.#tokens
  }
}

/**
 * The usage of all parts: for the last one the text before it was a prompt, for the client it is the answer. The sum
 * stays. What the last part says about its prompt, such as what of it was cached, is not about the client's.
 */
function wholeUsage(usage: unknown, begun: Begun): unknown {
  const {
    prompt_tokens: read,
    completion_tokens: written,
    prompt_tokens_details: _,
    ...rest
  } = isObject(usage) ? usage : {}
  if (typeof read !== 'number' || typeof written !== 'number') return usage
  const moved = Math.min(begun.tokens, read)
  return { ...rest, prompt_tokens: read - moved, completion_tokens: written + moved }
}
