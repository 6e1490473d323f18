import { invalid } from '../../wire/body.ts'
import { GatewayError } from '../../wire/errors.ts'
import { isObject, type JsonObject, stringAt } from '../../wire/json.ts'
import { thoughtIn } from './thoughts.ts'
import { inputField, type Tools } from './tools.ts'

/** Chat's messages for `instructions` and `input`, and what of the input no chat model reads. */
export function messagesFor(body: JsonObject, tools: Tools): { messages: JsonObject[]; dropped: string[] } {
  const { instructions, input } = body
  const conversation = new Conversation(tools)
  conversation.said(instructions, 'instructions', 'system')
  conversation.said(input, 'input', 'user')
  return conversation.end()
}

/** Collects messages from items, of which several may be one message of the assistant. */
class Conversation {
  readonly #tools: Tools
  readonly #messages: JsonObject[] = []
  readonly #dropped = new Set<string>()
  #thought = ''
  #said: unknown
  #calls: JsonObject[] = []

  constructor(tools: Tools) {
    this.#tools = tools
  }

  /** A text of one role, or items. */
  said(given: unknown, path: string, role: string): void {
    if (typeof given === 'string' && given !== '') this.add({ role, content: given })
    if (!Array.isArray(given)) return
    for (const [at, item] of given.entries()) this.item(item, `${path}[${at}]`)
  }

  add(message: JsonObject): void {
    this.#close()
    this.#messages.push(message)
  }

  end(): { messages: JsonObject[]; dropped: string[] } {
    this.#close()
    return { messages: withOneSystem(this.#messages), dropped: [...this.#dropped] }
  }

  item(item: unknown, path: string): void {
    if (!isObject(item)) throw invalid(`Invalid type for '${path}': expected an object.`, path, 'invalid_type')
    const { type = 'message' } = item
    if (type === 'message') this.#message(item, path)
    else if (type === 'reasoning') this.#reason(item)
    else if (type === 'function_call' || type === 'custom_tool_call') this.#call(item)
    else if (type === 'function_call_output' || type === 'custom_tool_call_output') this.#output(item, path)
    else if (type === 'compaction' || type === 'compaction_summary') this.#compaction(item)
    else if (type === 'item_reference') throw notStored(`Item with id '${item.id}' not found.`, path)
    else this.#dropped.add(`input.${String(type)}`)
  }

  #message(item: JsonObject, path: string): void {
    const { role } = item
    if (typeof role !== 'string') {
      throw invalid(`Missing required parameter: '${path}.role'.`, `${path}.role`, 'missing_required_parameter')
    }
    const content = contentOf(item.content, `${path}.content`)
    if (role !== 'assistant') this.add({ role, content })
    else {
      if (this.#said !== undefined || this.#calls.length > 0) this.#close()
      this.#said = content
    }
  }

  /** Belongs to what follows. */
  #reason(item: JsonObject): void {
    if (this.#said !== undefined || this.#calls.length > 0) this.#close()
    this.#thought += thoughtIn(item)
  }

  #call(item: JsonObject): void {
    const { call_id: id, name = '', arguments: given, input, namespace } = item
    const called = this.#tools.calledOf(String(name), typeof namespace === 'string' ? namespace : undefined)
    const written = item.type === 'custom_tool_call' ? JSON.stringify({ [inputField]: input ?? '' }) : (given ?? '{}')
    this.#calls.push({ id, type: 'function', function: { name: called, arguments: written } })
  }

  #output({ call_id: id, output }: JsonObject, path: string): void {
    const content = contentOf(output, `${path}.output`) ?? ''
    // The result of a chat's tool is text. What else there is follows as if the user had shown it.
    const others = typeof content === 'string' ? [] : content.filter(({ type }) => type !== 'text')
    this.add({ role: 'tool', tool_call_id: id, content: textOf(content) })
    if (others.length > 0) this.add({ role: 'user', content: others })
  }

  #compaction(item: JsonObject): void {
    const text = thoughtIn(item)
    if (text === '') this.#dropped.add('input.compaction')
    else this.add({ role: 'user', content: text })
  }

  #close(): void {
    const thought = this.#thought
    const said = this.#said
    const calls = this.#calls
    this.#thought = ''
    this.#said = undefined
    this.#calls = []
    if (said === undefined && calls.length === 0) return
    this.#messages.push({
      role: 'assistant',
      content: said ?? null,
      ...(thought !== '' && { reasoning_content: thought }),
      ...(calls.length > 0 && { tool_calls: calls }),
    })
  }
}

export function notStored(message: string, param: string): GatewayError {
  return new GatewayError('incapable', message, { param, code: 'previous_response_not_found' })
}

/** Many models take one system message only, and only in front. */
function withOneSystem(messages: JsonObject[]): JsonObject[] {
  const first = messages.findIndex(({ role }) => role !== 'system' && role !== 'developer')
  const leading = messages.slice(0, first < 0 ? messages.length : first)
  if (leading.length < 2) return messages
  const texts = leading.map(({ content }) => textOf(content))
  return [{ role: 'system', content: texts.join('\n\n') }, ...messages.slice(leading.length)]
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  return Array.isArray(content) ? content.map((part) => stringAt(part, 'text') ?? '').join('') : ''
}

/** Chat's content for a list of parts: a text if there is nothing else. */
function contentOf(content: unknown, path: string): string | null | JsonObject[] {
  if (content === undefined || content === null) return null
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) {
    throw invalid(`Invalid type for '${path}': expected a string or an array of objects.`, path, 'invalid_type')
  }
  const parts = content.map((part, at) => partOf(part, `${path}[${at}]`))
  return parts.every(({ type }) => type === 'text') ? parts.map(({ text }) => text).join('') : parts
}

function partOf(part: unknown, path: string): JsonObject {
  if (!isObject(part)) throw invalid(`Invalid type for '${path}': expected an object.`, path, 'invalid_type')
  const { type } = part
  if (type === 'refusal') return { type: 'text', text: part.refusal ?? '' }
  if (typeof part.text === 'string') return { type: 'text', text: part.text }
  if (type === 'input_image') return imageOf(part, path)
  if (type === 'input_file') return fileOf(part, path)
  if (type === 'input_audio') return { type, input_audio: part.input_audio }
  throw unread(`content of type '${String(type)}'`, path)
}

function imageOf({ image_url: url, detail }: JsonObject, path: string): JsonObject {
  if (typeof url !== 'string') throw unread('an image by the id of a file', path)
  return { type: 'image_url', image_url: { url, ...(typeof detail === 'string' && { detail }) } }
}

function fileOf({ file_data: data, filename }: JsonObject, path: string): JsonObject {
  if (typeof data !== 'string') throw unread('a file by its id or address', path)
  return { type: 'file', file: { ...(filename !== undefined && { filename }), file_data: data } }
}

function unread(what: string, param: string): GatewayError {
  return new GatewayError('incapable', `Unsupported parameter: ${what} is not supported with this model.`, { param })
}
