import { valueAs, valueIn } from '../../core/synonyms.ts'
import type { WireContext } from '../../core/wire-context.ts'
import { isObject, type JsonObject, objectAt } from '../../wire/json.ts'
import { CallReader, offeredIn } from './textual-calls.ts'
import { isBegunByTemplate, ThoughtReader, type Told } from './thoughts.ts'

/** Tells apart what one choice says in its content: reasoning at the start, tool calls, and the rest. */
export class TextParts {
  readonly #thoughts: ThoughtReader | undefined
  #calls: CallReader | undefined

  constructor(context: WireContext) {
    const { thinkTags, textualCalls } = context.texts ?? silent
    this.#thoughts = thinkTags === false ? undefined : new ThoughtReader({ begun: isImplied(context) })
    const offered = textualCalls ? offeredIn(context.body) : undefined
    this.#calls = offered && new CallReader(offered, context.random)
  }

  /** Whether all that follows is content. */
  get settled(): boolean {
    return !this.#calls && (this.#thoughts?.settled ?? true)
  }

  /** Whether what went out as a thought was the answer, which then has followed once more as content. */
  get mistaken(): boolean {
    return this.#thoughts?.mistaken ?? false
  }

  add(text: string): Told[] {
    return this.#within(this.#thoughts?.add(text) ?? [{ content: text }])
  }

  /** What was held back. `cut`: the answer ended before the model was done. */
  end(cut: boolean): Told[] {
    return [...this.#within(this.#thoughts?.end(cut) ?? []), ...this.#endCalls()]
  }

  /** The upstream tells its reasoning apart by itself. */
  withoutThoughts(): Told[] {
    const held = this.#thoughts?.skip() ?? ''
    return held === '' ? [] : this.#within([{ content: held }])
  }

  /** The upstream tells its calls apart by itself. */
  withoutCalls(): Told[] {
    return this.#endCalls()
  }

  #within(told: readonly Told[]): Told[] {
    const calls = this.#calls
    return calls ? told.flatMap((part) => ('content' in part ? calls.add(part.content) : [part])) : [...told]
  }

  #endCalls(): Told[] {
    const told = this.#calls?.end() ?? []
    this.#calls = undefined
    return told
  }
}

const silent = { thinkTags: false, textualCalls: false } as const

/** Whether a text may begin with a thought without a tag. */
export function isImplied(context: WireContext): boolean {
  const { thinkTags = isBegunByTemplate(context.model) ? 'implied' : true } = context.texts ?? silent
  return thinkTags === 'implied' && !hidesThoughts(context.body)
}

/** Whether a request asks for no thoughts, or for an answer without them. */
function hidesThoughts(body: JsonObject): boolean {
  const reasoning = objectAt(body, 'reasoning')
  if (reasoning?.exclude === true || body.include_reasoning === false || body.reasoning_format === 'hidden') return true
  return valueAs('think', valueIn(body, 'thinking')) === false
}

/** The reasoning that an upstream tells apart under another name: Ollama, OpenRouter, Groq, Together, vLLM since 0.12. */
export function thoughtBeside({ reasoning_content: own, reasoning, thinking }: JsonObject): string | undefined {
  if (own) return undefined
  return [reasoning, thinking].find((thought) => typeof thought === 'string' && thought !== '') as string | undefined
}

/** Whether a message or delta has a field in which reasoning may come, so that others like it must be looked at. */
export function mayThink({ reasoning, thinking }: JsonObject): boolean {
  return typeof reasoning === 'string' || typeof thinking === 'string'
}

export function hasThoughts(message: JsonObject): boolean {
  return Boolean(message.reasoning_content || thoughtBeside(message))
}

/** Whether the upstream itself has told calls apart. */
export function hasCalls({ tool_calls: calls, function_call: call }: JsonObject): boolean {
  return (Array.isArray(calls) ? calls.length > 0 : isObject(calls)) || isObject(call)
}
