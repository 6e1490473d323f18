import type { Emit, Stage } from '../../core/stream.ts'
import { asGatewayError, errorEnvelope } from '../../wire/errors.ts'
import type { Random } from '../../wire/ids.ts'
import { isObject, type JsonObject } from '../../wire/json.ts'
import { doneText, EventReader, parseEvent, type ServerEvent } from '../../wire/sse.ts'
import { toldError } from '../../wire/told-error.ts'
import type { Teller } from './items.ts'
import { Output } from './output.ts'
import { PlainChunks } from './plain-chunks.ts'
import { errorOf, firstChoice, type Head, incompleteReason, responseOf, type State, toldIn } from './response.ts'
import type { Tools } from './tools.ts'

const encoder = new TextEncoder()

/** A request for a response that has become a chat. */
export interface Begun {
  /** The client's request. */
  readonly asked: JsonObject
  readonly tools: Tools
  readonly head: Head
  readonly random: Random
  /** The time. */
  readonly seconds: () => number
}

/** Makes the events of a response from the chunks of a chat, up to one that says how it ended. */
export class ResponseEvents implements Stage, Teller {
  readonly #asked: JsonObject
  readonly #reader = new EventReader()
  readonly #plain = new PlainChunks()
  readonly #output: Output
  readonly #seconds: () => number
  #head: Head
  #number = 0
  /** The events that have not been sent yet. */
  #told = ''
  #finish: unknown
  #usage: JsonObject | undefined
  over = false
  complete = false

  constructor({ asked, tools, head, random, seconds }: Begun) {
    this.#asked = asked
    this.#head = head
    this.#seconds = seconds
    this.#output = new Output(asked, tools, random, this)
  }

  chunk(bytes: Uint8Array, emit: Emit): void {
    for (const event of this.#reader.read(bytes)) this.#event(event)
    this.#send(emit)
  }

  end(emit: Emit): void {
    for (const event of this.#reader.end()) this.#event(event)
    this.#close()
    this.#send(emit)
  }

  fail(error: unknown, emit: Emit): void {
    this.#failed(errorEnvelope(asGatewayError(error)).error)
    this.#send(emit)
  }

  tell(event: string, fields: JsonObject): void {
    const type = `response.${event}`
    const data = JSON.stringify({ type, sequence_number: this.#number++, ...fields })
    this.#told += `event: ${type}\ndata: ${data}\n\n`
  }

  tellText(place: string, text: string): void {
    this.#told += `${textHead}${this.#number++},${place},"delta":${JSON.stringify(text)},"logprobs":[]}\n\n`
  }

  #send(emit: Emit): void {
    if (this.#told !== '') emit(encoder.encode(this.#told))
    this.#told = ''
  }

  #event({ data }: ServerEvent): void {
    if (this.over) return
    const text = this.#plain.textIn(data)
    if (text !== undefined) this.#output.speak(text)
    else if (data === '[DONE]') {
      this.complete = true
      this.#close()
    } else this.#chunk(data)
  }

  #chunk(data: string): void {
    const chunk = parseEvent(data)
    if (!isObject(chunk)) return
    const error = toldError(chunk)
    if (error !== undefined) this.#failed(error)
    else {
      this.#add(chunk)
      this.#plain.learn(data, chunk)
    }
  }

  #add(chunk: JsonObject): void {
    if (this.#number === 0) this.#open(chunk)
    if (isObject(chunk.usage)) this.#usage = chunk.usage
    if (typeof chunk.service_tier === 'string') this.#head = toldIn(chunk, this.#head)
    const choice = firstChoice(chunk)
    if (isObject(choice?.delta)) this.#output.add(choice.delta, choice.logprobs)
    if (choice?.finish_reason) this.#finish = choice.finish_reason
  }

  #open(chunk: JsonObject): void {
    this.#head = toldIn(chunk, this.#head)
    const response = this.#response({ status: 'in_progress', output: [] })
    this.tell('created', { response })
    this.tell('in_progress', { response })
  }

  /** The chat is over: what it came to, and the end of the stream. */
  #close(): void {
    if (this.over) return
    if (this.#number === 0) this.#open({})
    const reason = incompleteReason(this.#finish)
    const status = reason === undefined ? 'completed' : 'incomplete'
    this.#output.finish(status)
    this.#end({ status, output: this.#output.items, usage: this.#usage, reason, completed: this.#seconds() })
  }

  #failed(error: unknown): void {
    if (this.over) return
    if (this.#number === 0) this.#open({})
    // Nothing that was begun is said to be done.
    this.#end({ status: 'failed', output: this.#output.items, usage: this.#usage, error: errorOf(error) })
  }

  #end(state: State): void {
    this.tell(state.status, { response: this.#response(state) })
    this.#told += doneText
    this.over = true
  }

  #response(state: State): JsonObject {
    return responseOf(this.#asked, this.#head, state)
  }
}

const textHead = 'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","sequence_number":'
