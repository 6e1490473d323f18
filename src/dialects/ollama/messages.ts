import { isObject, type JsonObject, objectAt, stringAt } from '../../wire/json.ts'
import { withImages } from './images.ts'

/** Chat's messages for Ollama's, and what of them no chat has. */
export interface Messages {
  readonly messages: readonly JsonObject[]
  readonly dropped: readonly string[]
}

export function chatMessages(given: unknown): Messages {
  const conversation = new Conversation()
  for (const [at, message] of (Array.isArray(given) ? given : []).entries()) {
    if (isObject(message)) conversation.add(message, `messages[${at}]`)
  }
  return conversation.end()
}

interface Waiting {
  readonly id: string
  readonly name: string
}

/**
 * Gives calls and their results the ids by which a chat joins them: clients send none, or the names of the tools. They
 * are counted, so that the same conversation is the same prompt each time. Mistral takes no id of another form.
 */
class Conversation {
  readonly #messages: JsonObject[] = []
  readonly #dropped = new Set<string>()
  #count = 0
  /** The calls that have no result yet. */
  #waiting: Waiting[] = []
  /** What tools have shown: it follows all results, since nothing may stand between these. */
  #shown: JsonObject[] = []

  add(message: JsonObject, path: string): void {
    const role = (stringAt(message, 'role') ?? '').toLowerCase()
    if (role === 'tool') {
      this.#result(message, path)
      return
    }
    this.#settle()
    if (role === 'assistant') this.#turn(message)
    else this.#messages.push({ role, content: withImages(textOf(message), message.images, `${path}.images`) })
  }

  end(): Messages {
    this.#settle()
    return { messages: this.#messages, dropped: [...this.#dropped] }
  }

  #turn(message: JsonObject): void {
    const { thinking, tool_calls: given, images } = message
    const text = textOf(message)
    const calls = (Array.isArray(given) ? given : []).filter(isObject).map((call) => this.#call(call))
    if (Array.isArray(images) && images.length > 0) this.#dropped.add('messages.images')
    this.#messages.push({
      role: 'assistant',
      content: text === '' && calls.length > 0 ? null : text,
      ...(typeof thinking === 'string' && thinking !== '' && { reasoning_content: thinking }),
      ...(calls.length > 0 && { tool_calls: calls }),
    })
  }

  #call(call: JsonObject): JsonObject {
    const called = objectAt(call, 'function')
    const name = stringAt(called, 'name') ?? ''
    const id = stringAt(call, 'id') || `call${String(this.#count).padStart(5, '0')}`
    this.#count++
    this.#waiting.push({ id, name })
    const given = called?.arguments ?? {}
    const written = typeof given === 'string' ? given : JSON.stringify(given)
    return { id, type: 'function', function: { name, arguments: written } }
  }

  #result(message: JsonObject, path: string): void {
    const call = this.#callFor(message)
    const text = textOf(message)
    // No chat takes a result without a call.
    if (!call) this.#shown.push({ role: 'user', content: text })
    else this.#messages.push({ role: 'tool', tool_call_id: call.id, content: text })
    const images = withImages('', message.images, `${path}.images`)
    if (typeof images !== 'string') this.#shown.push({ role: 'user', content: images })
  }

  /** The call that a result is for: by its id, its name, or else the first that waits. */
  #callFor(message: JsonObject): Waiting | undefined {
    const id = stringAt(message, 'tool_call_id')
    const name = stringAt(message, 'tool_name') ?? stringAt(message, 'name')
    const call =
      this.#waiting.find((waiting) => waiting.id === id) ??
      this.#waiting.find((waiting) => waiting.name === name) ??
      this.#waiting[0]
    this.#waiting = this.#waiting.filter((waiting) => waiting !== call)
    return call
  }

  #settle(): void {
    this.#messages.push(...this.#shown)
    this.#shown = []
    this.#waiting = []
  }
}

function textOf(message: JsonObject): string {
  return stringAt(message, 'content') ?? ''
}
