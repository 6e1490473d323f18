import type { JsonObject } from '../../wire/json.ts'
import { doneText } from '../../wire/sse.ts'
import { type ChatEnd, ChatEvents } from '../common/chat-events.ts'
import type { Extra } from '../common/extras.ts'
import type { Teller } from './items.ts'
import type { Said } from './output.ts'
import { endOf, errorOf, type Head, responseOf, type State, toldIn } from './response.ts'

/** A request for a response that has become a chat. */
export interface Begun {
  /** The client's request. */
  readonly asked: JsonObject
  readonly head: Head
  /** Creates what is made of what the chat says. */
  readonly output: (teller?: Teller) => Said
  /** The time. */
  readonly seconds: () => number
}

/** What comes of tools in a response, which a chat has none of. */
export const extras: readonly Extra[] = ['images', 'audio']

/** Makes the events of a response from the chunks of a chat. */
export class ResponseEvents extends ChatEvents implements Teller {
  protected override readonly extras = extras
  readonly #asked: JsonObject
  readonly #output: Said
  readonly #seconds: () => number
  #head: Head
  #number = 0

  constructor({ asked, head, output, seconds }: Begun) {
    super()
    this.#asked = asked
    this.#head = head
    this.#seconds = seconds
    this.#output = output(this)
  }

  tell(event: string, fields: JsonObject): void {
    const type = `response.${event}`
    const data = JSON.stringify({ type, sequence_number: this.#number++, ...fields })
    this.say(`event: ${type}\ndata: ${data}\n\n`)
  }

  tellText(place: string, text: string): void {
    this.say(`${textHead}${this.#number++},${place},"delta":${JSON.stringify(text)},"logprobs":[]}\n\n`)
  }

  protected open(chunk: JsonObject): void {
    this.#head = toldIn(chunk, this.#head)
    const response = this.#response({ status: 'in_progress', output: [] })
    this.tell('created', { response })
    this.tell('in_progress', { response })
  }

  protected speak(text: string): void {
    this.#output.speak(text)
  }

  protected override see(chunk: JsonObject): void {
    if (typeof chunk.service_tier === 'string') this.#head = toldIn(chunk, this.#head)
  }

  protected add(delta: JsonObject, logprobs: unknown): void {
    this.#output.add(delta, logprobs)
  }

  /** What the chat came to, and the end of the stream. */
  protected close({ finish, usage }: ChatEnd): void {
    const { status, reason } = endOf(finish)
    this.#output.finish(status)
    this.#end({ status, output: this.#output.items, usage, reason, completed: this.#seconds() })
  }

  protected failed(error: unknown, { usage }: ChatEnd): void {
    // Nothing that was begun is said to be done.
    this.#end({ status: 'failed', output: this.#output.items, usage, error: errorOf(error) })
  }

  #end(state: State): void {
    this.tell(state.status, { response: this.#response(state) })
    this.say(doneText)
  }

  #response(state: State): JsonObject {
    return responseOf(this.#asked, this.#head, state)
  }
}

const textHead = 'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","sequence_number":'
