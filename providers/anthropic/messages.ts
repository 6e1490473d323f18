import { isObject, type JsonObject, objectAt, stringAt } from '../../src/wire/json.ts'
import { detailsIn } from '../../src/wire/reasoning-details.ts'
import { readArguments } from '../arguments.ts'
import { incapable } from '../incapable.ts'
import { type Block, blocksOf, cacheMark, marked } from './content.ts'

export interface Turn {
  readonly role: 'user' | 'assistant' | 'system'
  readonly content: readonly Block[]
}

/** A chat as Anthropic has it: instructions apart, then turns of the user and the assistant. */
export interface Conversation {
  readonly system: readonly Block[]
  readonly messages: readonly Turn[]
}

export interface Manner {
  /**
   * Whether the model takes instructions between turns. They must follow a turn of the user there; others get all of them
   * in front. https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages
   */
  readonly late: boolean
  /** Takes note of what is left out. */
  leftOut(param: string): void
}

/** Converts OpenAI's messages. Throws a 400 that names the part which Anthropic doesn't support. */
export function conversationOf(messages: unknown, { late, leftOut }: Manner): Conversation {
  const turns = new Turns(late)
  const all = Array.isArray(messages) ? messages.filter(isObject) : []
  for (const [at, message] of all.entries()) {
    turns.add(message, `messages[${at}]`)
    if (message.name && message.role !== 'tool') leftOut(`messages[${at}].name`)
  }
  return turns.end()
}

class Turns {
  readonly #late: boolean
  readonly #system: Block[] = []
  readonly #turns: { role: Turn['role']; content: Block[] }[] = []
  /** Instructions that wait for the end of the user's turn. */
  #waiting: Block[] = []

  constructor(late: boolean) {
    this.#late = late
  }

  add(message: JsonObject, path: string): void {
    const said = () => marked(blocksOf(message.content, `${path}.content`), message)
    switch (message.role) {
      case 'system':
      case 'developer':
        if (this.#turns.length === 0 || !this.#late) this.#system.push(...said())
        else this.#waiting.push(...said())
        break
      case 'user':
        this.#say('user', said())
        break
      case 'tool':
        this.#say('user', [resultOf(message, path)])
        break
      case 'assistant':
        this.#settle()
        this.#say('assistant', marked(answerBlocks(message, path), message))
        break
      default:
        throw incapable(`${path}.role`, `Anthropic knows no messages of '${String(message.role)}'.`)
    }
  }

  end(): Conversation {
    this.#settle()
    const [first] = this.#turns
    // An instruction alone is answered too: it is what the user says then.
    if (!first) {
      const last = this.#system.pop()
      if (!last) throw incapable('messages', 'Anthropic takes no chat without a text.')
      return { system: this.#system, messages: [{ role: 'user', content: [last] }] }
    }
    // "messages: first message must use the "user" role": lobehub/lobehub#1601
    if (first.role === 'assistant') this.#turns.unshift({ role: 'user', content: [{ type: 'text', text: '.' }] })
    return { system: this.#system, messages: this.#turns.map(withoutTrailingSpace) }
  }

  /** What follows one another in the same role is one turn, and nothing is none. */
  #say(role: Turn['role'], content: readonly Block[]): void {
    if (content.length === 0) return
    const last = this.#turns.at(-1)
    if (last?.role === role) last.content.push(...content)
    else this.#turns.push({ role, content: [...content] })
  }

  #settle(): void {
    if (this.#turns.at(-1)?.role === 'user') this.#say('system', this.#waiting)
    else this.#system.push(...this.#waiting)
    this.#waiting = []
  }
}

/** "final assistant content cannot end with trailing whitespace" */
function withoutTrailingSpace(turn: Turn, at: number, { length }: readonly Turn[]): Turn {
  const last = turn.content.at(-1)
  const text = stringAt(last, 'text')
  if (at < length - 1 || turn.role !== 'assistant' || text === undefined) return turn
  return { ...turn, content: [...turn.content.slice(0, -1), { ...last, text: text.trimEnd() }] }
}

/** Its thoughts come first, which Anthropic insists on, and its calls last. */
function answerBlocks(message: JsonObject, path: string): Block[] {
  const { content, refusal, tool_calls: calls, audio } = message
  if (isObject(audio)) throw incapable(`${path}.audio`, 'Anthropic knows no spoken answers.')
  const called = Array.isArray(calls) ? calls.filter(isObject) : []
  return [
    ...thoughtBlocks(message),
    ...blocksOf(content ?? refusal, `${path}.content`),
    ...called.map((call, at) => callBlock(call, `${path}.tool_calls[${at}]`)),
  ]
}

/**
 * The thoughts that Claude has signed. Without a signature they are refused, and those of others too.
 * https://platform.claude.com/docs/en/build-with-claude/extended-thinking#preserving-thinking-blocks
 */
function thoughtBlocks(message: JsonObject): Block[] {
  const details = joinedDetails(detailsIn(message, 'anthropic-claude-v1'))
  return details.flatMap(({ type, text = '', signature, data }): Block[] => {
    if (type === 'reasoning.encrypted') return data ? [{ type: 'redacted_thinking', data }] : []
    return signature ? [{ type: 'thinking', thinking: text, signature }] : []
  })
}

/** Some clients send the pieces of a stream back as they came. */
function joinedDetails(details: readonly JsonObject[]): JsonObject[] {
  const joined = new Map<unknown, JsonObject>()
  for (const [at, detail] of details.entries()) {
    const key = detail.index === undefined ? `place ${at}` : `${detail.index} ${detail.type}`
    const { text, signature } = joined.get(key) ?? {}
    joined.set(key, {
      ...detail,
      text: `${text ?? ''}${stringAt(detail, 'text') ?? ''}`,
      signature: detail.signature ?? signature,
    })
  }
  return [...joined.values()]
}

function callBlock(call: JsonObject, path: string): Block {
  const called = objectAt(call, 'function')
  if (!called) throw incapable(path, 'Anthropic takes calls of functions only.')
  const input = readArguments(called.arguments, `${path}.function.arguments`, 'Anthropic')
  return { type: 'tool_use', id: callId(call.id), name: stringAt(called, 'name') ?? '', input, ...cacheMark(call) }
}

function resultOf(message: JsonObject, path: string): Block {
  const content = blocksOf(message.content, `${path}.content`)
  const [only] = content
  const isText = content.length === 1 && Object.keys(only ?? {}).join() === 'type,text'
  return {
    type: 'tool_result',
    tool_use_id: callId(message.tool_call_id),
    ...(content.length > 0 && { content: isText ? only?.text : content }),
    ...(message.is_error === true && { is_error: true }),
    ...cacheMark(message),
  }
}

/** Other models' ids, such as `functions.get_weather:0`, have characters that are refused. */
function callId(id: unknown): string {
  return String(id ?? '').replace(/[^\w-]/g, '_')
}
