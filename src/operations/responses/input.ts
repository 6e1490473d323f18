import { invalid } from '../../wire/body.ts'
import { GatewayError, shorten } from '../../wire/errors.ts'
import { isObject, type JsonObject, stringAt } from '../../wire/json.ts'
import type { ReasoningFormat } from '../../wire/reasoning-details.ts'
import { asArguments } from '../choices/custom-function.ts'
import { wrongType } from '../common/fields.ts'
import { contentOf, requiredIn, textOf } from './content.ts'
import { detailsIn, extrasIn, thoughtIn } from './thoughts.ts'
import { bringingTools, type Tools } from './tools.ts'

/**
 * Chat's messages for `instructions` and `input`, and what of the input no chat model reads. `reads`: the formats of
 * thoughts that the model reads.
 */
export function messagesFor(
  body: JsonObject,
  tools: Tools,
  reads: readonly ReasoningFormat[],
): { messages: JsonObject[]; dropped: string[] } {
  const { instructions, input } = body
  const conversation = new Conversation(tools, reads)
  if (instructions !== '') conversation.said(instructions, 'instructions', 'system')
  conversation.said(input, 'input', 'user')
  return conversation.end()
}

const trigger = 'compaction_trigger'

/**
 * Whether a conversation is to be compacted rather than gone on with. Codex asks so at OpenAI's own address, and takes
 * nothing but one item with the compaction (openai/codex#22809).
 */
export function isToBeCompacted(input: unknown): input is readonly unknown[] {
  return Array.isArray(input) && stringAt(input.at(-1), 'type') === trigger
}

/** What the assistant says in one turn, of which each item is a part. */
interface Turn {
  readonly thoughts: string[]
  readonly details: JsonObject[]
  readonly said: (string | JsonObject[])[]
  readonly calls: JsonObject[]
}

const silent = (): Turn => ({ thoughts: [], details: [], said: [], calls: [] })

/**
 * Collects messages from items. Those of one turn of the assistant become one message: templates open a new turn for each,
 * so that the model would learn to end its own before it calls (vllm-project/vllm#37167, ggml-org/llama.cpp#19513).
 */
class Conversation {
  readonly #tools: Tools
  readonly #reads: ReadonlySet<unknown>
  readonly #messages: JsonObject[] = []
  readonly #dropped = new Set<string>()
  #turn = silent()
  /** What came with calls besides. */
  readonly #extras = new Map<string, unknown>()
  /** The calls whose results are still to come: nothing may stand between them. */
  readonly #called = new Set<unknown>()
  /** All calls so far, and those of which chats know nothing. */
  readonly #known = new Set<unknown>()
  readonly #unknown = new Set<unknown>()
  /** What follows them. */
  #later: JsonObject[] = []

  constructor(tools: Tools, reads: readonly ReasoningFormat[]) {
    this.#tools = tools
    this.#reads = new Set(reads)
  }

  /** A text of one role, or items. */
  said(given: unknown, path: string, role: string): void {
    if (typeof given === 'string') this.#add({ role, content: given })
    if (!Array.isArray(given)) return
    const items = isToBeCompacted(given) ? given.slice(0, -1) : given
    for (const [at, item] of items.entries()) this.#item(item, `${path}[${at}]`)
  }

  end(): { messages: JsonObject[]; dropped: string[] } {
    this.#close()
    this.#settle()
    return { messages: withOneSystem(this.#messages), dropped: [...this.#dropped] }
  }

  #add(message: JsonObject): void {
    this.#close()
    if (this.#called.size > 0) this.#later.push(message)
    else {
      this.#settle()
      this.#messages.push(message)
    }
  }

  #item(item: unknown, path: string): void {
    if (!isObject(item)) throw wrongType(path, 'an object', item)
    const type = item.type ?? (isReference(item) ? 'item_reference' : 'message')
    if (type === 'message') this.#message(item, path)
    else if (type === 'reasoning') this.#reasoning(item)
    else if (type === 'function_call' || type === 'custom_tool_call') this.#call(item, path)
    else if (type === 'function_call_output' || type === 'custom_tool_call_output') this.#output(item, path)
    else if (type === 'compaction' || type === 'compaction_summary') this.#compaction(item, path)
    else if (type === 'item_reference')
      throw notStored(`Item with id '${String(item.id)}' not found. ${howWithoutStore}`, path)
    else if (type === trigger) throw invalid("The 'compaction_trigger' item must be the final input item.", path)
    else if (!bringingTools.has(type)) this.#leaveOut(item)
  }

  /** What no chat has. A result of it has no call either then. */
  #leaveOut({ type, call_id: id }: JsonObject): void {
    this.#dropped.add(`input.${shorten(String(type), 64)}`)
    if (id !== undefined) this.#unknown.add(id)
  }

  #message(item: JsonObject, path: string): void {
    const role = requiredIn(item, 'role', path)
    const content = contentOf(item.content, `${path}.content`, role === 'assistant' ? '' : '\n')
    if (role !== 'assistant') this.#add({ role, content })
    else if (content !== '') this.#turn.said.push(content)
  }

  #reasoning(item: JsonObject): void {
    const { thoughts, details } = this.#turn
    thoughts.push(thoughtIn(item))
    for (const one of detailsIn(item)) if (this.#reads.has(one.format)) details.push({ ...one, index: details.length })
    for (const [id, extra] of Object.entries(extrasIn(item))) this.#extras.set(id, extra)
  }

  #call(item: JsonObject, path: string): void {
    const id = requiredIn(item, 'call_id', path)
    const name = requiredIn(item, 'name', path)
    const { arguments: given, input, namespace } = item
    const called = this.#tools.calledOf(name, typeof namespace === 'string' ? namespace : undefined)
    const written = item.type === 'custom_tool_call' ? asArguments(input) : given || '{}'
    if (typeof written !== 'string') throw wrongType(`${path}.arguments`, 'a string', given)
    this.#known.add(id)
    const extra = this.#extras.get(id)
    const call = { id, type: 'function', function: { name: called, arguments: written } }
    this.#turn.calls.push(extra === undefined ? call : { ...call, extra_content: extra })
  }

  #output(item: JsonObject, path: string): void {
    const id = requiredIn(item, 'call_id', path)
    if (this.#unknown.has(id)) {
      this.#leaveOut(item)
      return
    }
    if (!this.#known.has(id)) throw uncalled(id)
    const content = contentOf(item.output, `${path}.output`, '\n')
    // The result of a chat's tool is text. What else there is follows as if the user had shown it.
    const others = typeof content === 'string' ? [] : content.filter(({ type }) => type !== 'text')
    this.#close()
    this.#messages.push({ role: 'tool', tool_call_id: id, content: textOf(content) })
    if (others.length > 0) this.#later.push({ role: 'user', content: others })
    this.#called.delete(id)
  }

  /** Without what a compaction stands for the model would go on as if nothing had been said. */
  #compaction(item: JsonObject, path: string): void {
    const text = thoughtIn(item)
    if (text === '') throw unreadable(path)
    this.#add({ role: 'user', content: text })
  }

  /** No results will come. */
  #settle(): void {
    this.#messages.push(...this.#later)
    this.#later = []
    this.#called.clear()
  }

  #close(): void {
    const { thoughts, details, said, calls } = this.#turn
    this.#turn = silent()
    if (said.length === 0 && calls.length === 0) return
    const thought = thoughts.filter((one) => one !== '').join('\n\n')
    this.#settle()
    for (const { id } of calls) this.#called.add(id)
    this.#messages.push({
      role: 'assistant',
      content: said.length === 0 ? null : joined(said),
      ...(thought !== '' && { reasoning_content: thought }),
      ...(details.length > 0 && { reasoning_details: details }),
      ...(calls.length > 0 && { tool_calls: calls }),
    })
  }
}

/** The form without a type that OpenAI takes too. */
function isReference({ id, role, content }: JsonObject): boolean {
  return id !== undefined && role === undefined && content === undefined
}

function joined(said: readonly (string | JsonObject[])[]): string | JsonObject[] {
  if (said.every((one) => typeof one === 'string')) return said.join('\n\n')
  return said.flatMap((one) => (typeof one === 'string' ? [{ type: 'text', text: one }] : one))
}

/** Clients that take it that answers are stored name what was said by its id, such as the AI SDK's by default. */
export const howWithoutStore =
  'Nothing is stored here by this name: with `store: false` clients send the items themselves (the AI SDK: `providerOptions: { openai: { store: false } }`).'

export function notStored(message: string, param: string): GatewayError {
  return new GatewayError('incapable', message, { param, code: 'previous_response_not_found' })
}

/** In OpenAI's words, and with its status. */
export function noConversation(id: unknown): GatewayError {
  const message = `Conversation with id '${String(id)}' not found.`
  return new GatewayError('incapable', message, { status: 404, code: null })
}

/** Servers of chats would fail in their own ways, or take it for the result of another call. */
export function uncalled(id: unknown): GatewayError {
  const message = `No tool call found for function call output with call_id ${shorten(String(id))}.`
  return new GatewayError('bad_request', message, { param: 'input' })
}

function unreadable(param: string): GatewayError {
  const message = `The compacted conversation in '${param}' can only be read by the provider that compacted it.`
  return new GatewayError('incapable', message, { param })
}

/** Many models take one system message only, and only in front. */
function withOneSystem(messages: JsonObject[]): JsonObject[] {
  const first = messages.findIndex(({ role }) => role !== 'system' && role !== 'developer')
  const leading = messages.slice(0, first < 0 ? messages.length : first)
  if (leading.length < 2) return messages
  return [
    { role: 'system', content: joined(leading.map(({ content }) => content as string | JsonObject[])) },
    ...messages.slice(leading.length),
  ]
}
