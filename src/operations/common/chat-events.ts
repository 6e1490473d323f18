import { droppedComment } from '../../core/disclosure.ts'
import { type Emit, gap, type Stage } from '../../core/stream.ts'
import { asGatewayError, errorEnvelope } from '../../wire/errors.ts'
import { isObject, type JsonObject } from '../../wire/json.ts'
import { commentsAtStart, EventReader, parseEvent, type ServerEvent } from '../../wire/sse.ts'
import { toldError } from '../../wire/told-error.ts'
import { type Extra, extrasIn } from './extras.ts'
import { firstChoice } from './first-choice.ts'
import { PlainChunks } from './plain-chunks.ts'

/** What a chat has said about its end. */
export interface ChatEnd {
  readonly finish: unknown
  readonly usage: JsonObject | undefined
}

/**
 * Translates the chunks of a chat into the events of another API, up to one that says how it ended. Of several choices
 * the first counts. Subclasses say what each thing becomes, by `say`; `open` comes first, `close` or `failed` last, each
 * once.
 */
export abstract class ChatEvents implements Stage {
  readonly #reader = new EventReader()
  readonly #plain = new PlainChunks()
  #isOpen = false
  /** What has not been sent yet. */
  #said = ''
  #apart = ''
  #finish: unknown
  #usage: JsonObject | undefined
  readonly #leftOut = new Set<string>()
  over = false
  complete = false

  chunk(bytes: Uint8Array, emit: Emit): void {
    // Where a stream was continued is said so.
    const comments = this.#reader.isAtLineStart ? commentsAtStart(bytes) : undefined
    if (comments) emit(this.remark(comments))
    for (const event of this.#reader.read(bytes)) this.#event(event)
    this.#send(emit)
  }

  end(emit: Emit): void {
    for (const event of this.#reader.end()) this.#event(event)
    this.#close()
    this.#send(emit)
  }

  fail(error: unknown, emit: Emit): void {
    this.#fail(errorEnvelope(asGatewayError(error)).error)
    this.#send(emit)
  }

  /** What the other API has no place for. A comment says so: the headers have gone out by then. */
  protected readonly extras: readonly Extra[] = []
  /** Before all else. `chunk`: the first one; without fields if none came. */
  protected abstract open(chunk: JsonObject): void
  /** Text of the answer, and nothing else. */
  protected abstract speak(text: string): void
  /** Anything, text included. */
  protected abstract add(delta: JsonObject, logprobs: unknown): void
  protected abstract close(end: ChatEnd): void
  /** `error`: as in OpenAI's envelope. */
  protected abstract failed(error: unknown, end: ChatEnd): void
  /** A choice in the form of a chat's. */
  protected choiceOf(choice: JsonObject): JsonObject {
    return choice
  }
  /** What becomes of comments. */
  protected remark(comments: Uint8Array): Uint8Array {
    return comments
  }
  /** Each chunk that is more than text, before its delta. */
  protected see(_chunk: JsonObject): void {}

  /** Sends text, in the order of the calls. */
  protected say(text: string): void {
    this.#said += text
  }

  /** The last text of all, behind a gap. */
  protected sayApart(text: string): void {
    this.#apart = text
  }

  #send(emit: Emit): void {
    if (this.#said !== '') emit(encoder.encode(this.#said))
    if (this.#apart !== '') [gap, encoder.encode(this.#apart)].forEach(emit)
    this.#said = ''
    this.#apart = ''
  }

  #event({ data }: ServerEvent): void {
    if (this.over) return
    const text = this.#plain.textIn(data)
    if (text !== undefined) this.speak(text)
    else if (data === '[DONE]') {
      this.complete = true
      this.#close()
    } else this.#chunk(data)
  }

  #chunk(data: string): void {
    const chunk = parseEvent(data)
    if (!isObject(chunk)) return
    const error = toldError(chunk)
    if (error === undefined) this.#take(chunk, data)
    else this.#fail(error)
  }

  #take(chunk: JsonObject, data: string): void {
    this.#begin(chunk)
    if (isObject(chunk.usage)) this.#usage = chunk.usage
    this.see(chunk)
    const first = firstChoice(chunk)
    const choice = first && this.choiceOf(first)
    if (isObject(choice?.delta)) {
      for (const name of extrasIn(choice.delta, this.extras)) this.#leftOut.add(name)
      this.add(choice.delta, choice.logprobs)
    }
    if (choice?.finish_reason) this.#finish = choice.finish_reason
    this.#plain.learn(data, chunk)
  }

  #begin(chunk: JsonObject): void {
    if (this.#isOpen) return
    this.#isOpen = true
    this.open(chunk)
  }

  #close(): void {
    if (this.over) return
    this.#begin({})
    if (this.#leftOut.size > 0) this.say(decoder.decode(this.remark(droppedComment([...this.#leftOut]))))
    this.close({ finish: this.#finish, usage: this.#usage })
    this.over = true
  }

  #fail(error: unknown): void {
    if (this.over) return
    this.#begin({})
    this.failed(error, { finish: this.#finish, usage: this.#usage })
    this.over = true
  }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()
