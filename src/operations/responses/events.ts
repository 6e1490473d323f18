import type { Emit, Stage } from '../../core/stream.ts'
import { asGatewayError, errorEnvelope } from '../../wire/errors.ts'
import type { Random } from '../../wire/ids.ts'
import { isObject, type JsonObject } from '../../wire/json.ts'
import { done, EventReader, parseEvent, type ServerEvent } from '../../wire/sse.ts'
import { toldError } from '../../wire/told-error.ts'
import { Output } from './output.ts'
import { errorOf, type Head, incompleteReason, responseOf, type State } from './response.ts'
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
export class ResponseEvents implements Stage {
  readonly #asked: JsonObject
  readonly #reader = new EventReader()
  readonly #output: Output
  readonly #seconds: () => number
  #head: Head
  #number = 0
  #emit: Emit = () => {}
  #finish: unknown
  #usage: JsonObject | undefined
  #over = false

  constructor({ asked, tools, head, random, seconds }: Begun) {
    this.#asked = asked
    this.#head = head
    this.#seconds = seconds
    this.#output = new Output(asked, tools, random, (event, fields) => this.#say(event, fields))
  }

  chunk(bytes: Uint8Array, emit: Emit): void {
    this.#emit = emit
    for (const event of this.#reader.read(bytes)) this.#event(event)
  }

  end(emit: Emit): void {
    this.#emit = emit
    for (const event of this.#reader.end()) this.#event(event)
    this.#close()
  }

  fail(error: unknown, emit: Emit): void {
    this.#emit = emit
    this.#failed(errorEnvelope(asGatewayError(error)).error)
  }

  #event({ data }: ServerEvent): void {
    if (this.#over) return
    const chunk = data === '[DONE]' ? undefined : parseEvent(data)
    const error = isObject(chunk) ? toldError(chunk) : undefined
    if (error !== undefined) this.#failed(error)
    else if (isObject(chunk)) this.#add(chunk)
    else if (data === '[DONE]') this.#close()
  }

  #add(chunk: JsonObject): void {
    if (this.#number === 0) this.#open(chunk)
    if (isObject(chunk.usage)) this.#usage = chunk.usage
    const choice: unknown = Array.isArray(chunk.choices) ? chunk.choices[0] : undefined
    if (!isObject(choice)) return
    if (isObject(choice.delta)) this.#output.add(choice.delta, choice.logprobs)
    if (choice.finish_reason) this.#finish = choice.finish_reason
  }

  #open({ model, created }: JsonObject): void {
    this.#head = {
      ...this.#head,
      ...(typeof model === 'string' && { model }),
      ...(typeof created === 'number' && { created }),
    }
    const response = this.#response({ status: 'in_progress', output: [] })
    this.#say('created', { response })
    this.#say('in_progress', { response })
  }

  /** The chat is over: what it came to, and the end of the stream. */
  #close(): void {
    if (this.#over) return
    if (this.#number === 0) this.#open({})
    const reason = incompleteReason(this.#finish)
    const status = reason === undefined ? 'completed' : 'incomplete'
    this.#output.finish(status)
    this.#end({ status, output: this.#output.items, usage: this.#usage, reason, completed: this.#seconds() })
  }

  #failed(error: unknown): void {
    if (this.#over) return
    if (this.#number === 0) this.#open({})
    // Nothing that was begun is said to be done.
    this.#end({ status: 'failed', output: this.#output.items, usage: this.#usage, error: errorOf(error) })
  }

  #end(state: State): void {
    this.#say(state.status, { response: this.#response(state) })
    this.#emit(done)
    this.#over = true
  }

  #response(state: State): JsonObject {
    return responseOf(this.#asked, this.#head, state)
  }

  #say(event: string, fields: JsonObject): void {
    const type = `response.${event}`
    const data = JSON.stringify({ type, sequence_number: this.#number++, ...fields })
    this.#emit(encoder.encode(`event: ${type}\ndata: ${data}\n\n`))
  }
}
