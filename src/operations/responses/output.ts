import { type Random, toolCallId } from '../../wire/ids.ts'
import { isObject, type JsonObject, objectAt, stringAt } from '../../wire/json.ts'
import { isNeeded } from '../../wire/reasoning-details.ts'
import { CallItem, type ItemStatus, MessageItem, type OutputItem, ReasoningItem, type Teller } from './items.ts'
import { wantsLogprobs } from './request.ts'
import type { Tools } from './tools.ts'

/** What becomes of what a chat says, whole or piece by piece. */
export interface Said {
  /** The items so far. */
  readonly items: JsonObject[]
  /** What a delta or a whole message says. */
  add(said: JsonObject, logprobs?: unknown): void
  /** What a delta says that is nothing but text. */
  speak(text: string): void
  /** Nothing more will be said. */
  finish(status: Exclude<ItemStatus, 'in_progress'>): void
}

/** By which clients ask for what the model needs back, in a form that they carry. */
export const sealedThoughts = 'reasoning.encrypted_content'

/**
 * Makes the output of a response from what a chat says, whole or piece by piece, and says each event about it. Reasoning
 * and text follow one another; calls may go on side by side until the end.
 */
export class Output implements Said {
  readonly #tools: Tools
  readonly #random: Random
  readonly #teller: Teller
  readonly #form: { readonly summary: boolean; readonly sealed: boolean }
  readonly #logprobs: boolean
  readonly #items: OutputItem[] = []
  readonly #calls = new Map<unknown, CallItem>()
  readonly #done = new Map<OutputItem, JsonObject>()
  #open: MessageItem | ReasoningItem | undefined
  /** The calls whose extras are kept. */
  readonly #extended = new Set<unknown>()
  /** What the model has to get back and came amid a text, which it shall not cut in two. */
  readonly #later: JsonObject[] = []

  /** `asked`: the client's request. */
  constructor(asked: JsonObject, tools: Tools, random: Random, teller: Teller = silent) {
    this.#tools = tools
    this.#random = random
    this.#teller = teller
    const { include } = asked
    const { summary, generate_summary: old } = objectAt(asked, 'reasoning') ?? {}
    this.#form = {
      summary: Boolean(summary ?? old),
      sealed: Array.isArray(include) && include.includes(sealedThoughts),
    }
    this.#logprobs = wantsLogprobs(asked)
  }

  /** The items so far. Those that have not been finished are incomplete. */
  get items(): JsonObject[] {
    return this.#items.map((item) => this.#done.get(item) ?? item.value('incomplete'))
  }

  add(said: JsonObject, logprobs?: unknown): void {
    const { reasoning_content: thought, content, refusal, tool_calls: calls, annotations } = said
    if (isText(thought)) this.#thinking().add(thought, this.#teller)
    if (this.#form.sealed && Array.isArray(said.reasoning_details)) this.#keep(said.reasoning_details, calls)
    if (typeof content === 'string') this.speak(content, this.#logprobsIn(logprobs))
    if (isText(refusal)) this.#message('refusal').add(refusal, this.#teller)
    if (Array.isArray(annotations)) for (const one of annotations.filter(isObject)) this.#annotate(one)
    // The form of 2023, with one call.
    if (isObject(said.function_call)) this.#call({ function: said.function_call }, 'function_call')
    if (!Array.isArray(calls)) return
    for (const [at, call] of calls.entries()) if (isObject(call)) this.#call(call, call.index ?? at)
  }

  /** Where logprobs come, a token may be less than a character, and its text empty. */
  speak(text: string, logprobs: readonly unknown[] = []): void {
    if (text !== '' || logprobs.length > 0) this.#message('output_text').add(text, this.#teller, logprobs)
  }

  finish(status: Exclude<ItemStatus, 'in_progress'>): void {
    // An agent that gets neither a message nor a call asks once more, for ever.
    const hasAnswered = this.#items.some((item) => !(item instanceof ReasoningItem))
    if (status === 'completed' && !hasAnswered) this.#message('output_text')
    this.#close(status)
    if (this.#later.length > 0) this.#thinking()
    this.#close(status)
    for (const item of this.#calls.values()) this.#finish(item, status)
    this.#calls.clear()
  }

  #logprobsIn(given: unknown): readonly unknown[] | undefined {
    return this.#logprobs && isObject(given) && Array.isArray(given.content) ? given.content.map(withBytes) : undefined
  }

  #annotate({ type, ...rest }: JsonObject): void {
    const place = objectAt(rest, String(type)) ?? rest
    this.#message('output_text').annotate({ type, ...place }, this.#teller)
  }

  /** `calls`: those that come with the details. What belongs to a call may have come on the call as well. */
  #keep(details: readonly unknown[], calls: unknown): void {
    const all: readonly unknown[] = Array.isArray(calls) ? calls : []
    for (const call of all) if (isObject(call) && isObject(call.extra_content)) this.#extended.add(call.id)
    const needed = details.filter(isObject).filter((detail) => isNeeded(detail) && !this.#extended.has(detail.id))
    if (needed.length === 0) return
    if (this.#open instanceof MessageItem) this.#later.push(...needed)
    else this.#thinking().keep(needed)
  }

  #thinking(): ReasoningItem {
    if (this.#open instanceof ReasoningItem) return this.#open
    this.#close('completed')
    const item = new ReasoningItem(this.#items.length, this.#form, this.#random)
    this.#begin(item)
    item.keep(this.#later.splice(0))
    this.#open = item
    return item
  }

  #message(kind: MessageItem['kind']): MessageItem {
    if (this.#open instanceof MessageItem && this.#open.kind === kind) return this.#open
    this.#close('completed')
    const item = new MessageItem(this.#items.length, kind, this.#random)
    this.#begin(item)
    this.#open = item
    item.begin(this.#teller)
    return item
  }

  #call(call: JsonObject, key: unknown): void {
    const name = stringAt(call.function, 'name')
    const text = stringAt(call.function, 'arguments') ?? ''
    const known = this.#calls.get(key)
    if (known) {
      known.add(text, this.#teller)
      return
    }
    const id = stringAt(call, 'id') ?? toolCallId(this.#random)
    if (isObject(call.extra_content) && this.#form.sealed) this.#keepExtra(id, call.extra_content)
    else if (this.#later.length > 0) this.#thinking()
    this.#close('completed')
    const item = new CallItem(this.#items.length, this.#tools.find(name ?? ''), id, this.#random)
    this.#calls.set(key, item)
    this.#begin(item)
    if (text !== '') item.add(text, this.#teller)
  }

  #keepExtra(callId: string, extra: JsonObject): void {
    this.#extended.add(callId)
    this.#thinking().keepExtra(callId, extra)
  }

  #begin(item: OutputItem): void {
    this.#items.push(item)
    this.#teller.tell('output_item.added', { output_index: item.index, item: item.value('in_progress') })
  }

  #close(status: Exclude<ItemStatus, 'in_progress'>): void {
    if (this.#open) this.#finish(this.#open, status)
    this.#open = undefined
  }

  #finish(item: OutputItem, status: Exclude<ItemStatus, 'in_progress'>): void {
    item.finish(this.#teller)
    const value = item.value(status)
    this.#done.set(item, value)
    this.#teller.tell('output_item.done', { output_index: item.index, item: value })
  }
}

const silent: Teller = { tell() {}, tellText() {} }

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

/** In a chat the bytes of a token may be null; in a response they are a list. */
function withBytes(token: unknown): unknown {
  if (!isObject(token)) return token
  const { bytes, top_logprobs: others } = token
  return { ...token, bytes: bytes ?? [], ...(Array.isArray(others) && { top_logprobs: others.map(withBytes) }) }
}
