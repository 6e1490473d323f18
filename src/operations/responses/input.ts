import { invalid } from '../../wire/body.ts'
import { GatewayError } from '../../wire/errors.ts'
import { isObject, type JsonObject, stringAt } from '../../wire/json.ts'
import { wrongType } from '../common/fields.ts'
import { thoughtIn } from './thoughts.ts'
import { inputField, type Tools } from './tools.ts'

/** Chat's messages for `instructions` and `input`, and what of the input no chat model reads. */
export function messagesFor(body: JsonObject, tools: Tools): { messages: JsonObject[]; dropped: string[] } {
  const { instructions, input } = body
  const conversation = new Conversation(tools)
  if (instructions !== '') conversation.said(instructions, 'instructions', 'system')
  conversation.said(input, 'input', 'user')
  return conversation.end()
}

/** What the assistant says in one turn, of which each item is a part. */
interface Turn {
  readonly thoughts: string[]
  readonly said: (string | JsonObject[])[]
  readonly calls: JsonObject[]
}

const silent = (): Turn => ({ thoughts: [], said: [], calls: [] })

/**
 * Collects messages from items. Those of one turn of the assistant become one message: templates open a new turn for each,
 * so that the model would learn to end its own before it calls (vllm-project/vllm#37167, ggml-org/llama.cpp#19513).
 */
class Conversation {
  readonly #tools: Tools
  readonly #messages: JsonObject[] = []
  readonly #dropped = new Set<string>()
  #turn = silent()
  /** What tools have shown beside text. It follows when all of a turn's results are there. */
  #shown: JsonObject[] = []

  constructor(tools: Tools) {
    this.#tools = tools
  }

  /** A text of one role, or items. */
  said(given: unknown, path: string, role: string): void {
    if (typeof given === 'string') this.#add({ role, content: given })
    if (!Array.isArray(given)) return
    for (const [at, item] of given.entries()) this.#item(item, `${path}[${at}]`)
  }

  end(): { messages: JsonObject[]; dropped: string[] } {
    this.#close()
    this.#show()
    return { messages: withOneSystem(this.#messages), dropped: [...this.#dropped] }
  }

  #add(message: JsonObject): void {
    this.#close()
    if (message.role !== 'tool') this.#show()
    this.#messages.push(message)
  }

  #item(item: unknown, path: string): void {
    if (!isObject(item)) throw wrongType(path, 'an object', item)
    const type = item.type ?? (isReference(item) ? 'item_reference' : 'message')
    if (type === 'message') this.#message(item, path)
    else if (type === 'reasoning') this.#turn.thoughts.push(thoughtIn(item))
    else if (type === 'function_call' || type === 'custom_tool_call') this.#call(item, path)
    else if (type === 'function_call_output' || type === 'custom_tool_call_output') this.#output(item, path)
    else if (type === 'compaction' || type === 'compaction_summary') this.#compaction(item)
    else if (type === 'item_reference') throw notStored(`Item with id '${item.id}' not found.`, path)
    else this.#dropped.add(`input.${String(type)}`)
  }

  #message(item: JsonObject, path: string): void {
    const role = requiredIn(item, 'role', path)
    const content = contentOf(item.content, `${path}.content`, role === 'assistant' ? '' : '\n')
    if (role !== 'assistant') this.#add({ role, content })
    else if (content !== '') this.#turn.said.push(content)
  }

  #call(item: JsonObject, path: string): void {
    const id = requiredIn(item, 'call_id', path)
    const name = requiredIn(item, 'name', path)
    const { arguments: given, input, namespace } = item
    const called = this.#tools.calledOf(name, typeof namespace === 'string' ? namespace : undefined)
    const written = item.type === 'custom_tool_call' ? JSON.stringify({ [inputField]: input ?? '' }) : given || '{}'
    this.#turn.calls.push({ id, type: 'function', function: { name: called, arguments: written } })
  }

  #output(item: JsonObject, path: string): void {
    const id = requiredIn(item, 'call_id', path)
    const content = contentOf(item.output, `${path}.output`, '\n')
    // The result of a chat's tool is text.
    const others = typeof content === 'string' ? [] : content.filter(({ type }) => type !== 'text')
    this.#add({ role: 'tool', tool_call_id: id, content: textOf(content) })
    this.#shown.push(...others)
  }

  #compaction(item: JsonObject): void {
    const text = thoughtIn(item)
    if (text === '') this.#dropped.add('input.compaction')
    else this.#add({ role: 'user', content: text })
  }

  /** As if the user had shown it. */
  #show(): void {
    if (this.#shown.length > 0) this.#messages.push({ role: 'user', content: this.#shown })
    this.#shown = []
  }

  #close(): void {
    const { thoughts, said, calls } = this.#turn
    this.#turn = silent()
    if (said.length === 0 && calls.length === 0) return
    const thought = thoughts.filter((one) => one !== '').join('\n\n')
    this.#show()
    this.#messages.push({
      role: 'assistant',
      content: said.length === 0 ? null : joined(said),
      ...(thought !== '' && { reasoning_content: thought }),
      ...(calls.length > 0 && { tool_calls: calls }),
    })
  }
}

/** The form without a type that OpenAI takes too. */
function isReference({ id, role, content }: JsonObject): boolean {
  return id !== undefined && role === undefined && content === undefined
}

function requiredIn(item: JsonObject, name: string, path: string): string {
  const value = item[name]
  if (typeof value === 'string') return value
  const param = `${path}.${name}`
  if (value === undefined) throw missingParameter(param)
  throw wrongType(param, 'a string', value)
}

function missingParameter(param: string): GatewayError {
  return invalid(`Missing required parameter: '${param}'.`, param, 'missing_required_parameter')
}

function joined(said: readonly (string | JsonObject[])[]): string | JsonObject[] {
  if (said.every((one) => typeof one === 'string')) return said.join('\n\n')
  return said.flatMap((one) => (typeof one === 'string' ? [{ type: 'text', text: one }] : one))
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

/** Chat's content for a list of parts: a text if there is nothing else, with `between` between two of them. */
function contentOf(content: unknown, path: string, between: string): string | JsonObject[] {
  if (typeof content === 'string') return content
  if (content === undefined || content === null) throw missingParameter(path)
  if (!Array.isArray(content)) throw wrongType(path, 'a string or an array of objects', content)
  const parts = content.map((part, at) => partOf(part, `${path}[${at}]`))
  return parts.every(({ type }) => type === 'text') ? parts.map(({ text }) => text).join(between) : parts
}

const textual: ReadonlySet<unknown> = new Set(['input_text', 'output_text', 'text', 'summary_text', 'reasoning_text'])

function partOf(part: unknown, path: string): JsonObject {
  if (!isObject(part)) throw wrongType(path, 'an object', part)
  const { type } = part
  if (type === 'refusal') return { type: 'text', text: stringAt(part, 'refusal') ?? '' }
  if (textual.has(type)) return { type: 'text', text: requiredIn(part, 'text', path) }
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
