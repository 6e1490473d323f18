import { givenNames } from '../../operations/common/legal-names.ts'
import { type Random, toolCallId } from '../../wire/ids.ts'
import { isObject, type JsonObject, stringAt } from '../../wire/json.ts'
import { type Block, CallBlock, OpaqueBlock, TextBlock, ThinkingBlock } from './answer-blocks.ts'
import { claude, extraOfCall, isOthers, wantsThoughts } from './thoughts.ts'

/** Tells a client of blocks while they are made. */
export interface Teller {
  start(index: number, block: JsonObject): void
  delta(index: number, delta: JsonObject): void
  /** A piece of a text, of which there are by far the most. */
  text(index: number, text: string): void
  stop(index: number): void
}

/**
 * Makes the blocks of an answer from what a chat says, whole or piece by piece. One block is told after the other, as
 * Anthropic's clients want it: what comes of a later one meanwhile waits.
 */
export class Content {
  readonly #blocks: Block[] = []
  readonly #calls = new Map<unknown, CallBlock>()
  readonly #random: Random
  readonly #thinks: boolean
  readonly #teller: Teller
  readonly #nameOf: (called: string) => string
  /** The place of the block that is being told. */
  #at = 0
  /** Whether the model has refused to answer. */
  refused = false

  /** `asked`: the client's request. */
  constructor(random: Random, asked: JsonObject, teller: Teller = silent) {
    this.#random = random
    this.#thinks = wantsThoughts(asked)
    this.#nameOf = givenNames(toolNames(asked))
    this.#teller = teller
  }

  get blocks(): readonly JsonObject[] {
    return this.#blocks.map(({ value }) => value)
  }

  get calls(): boolean {
    return this.#calls.size > 0
  }

  /** What a delta or a whole message says. */
  add(said: JsonObject): void {
    const { reasoning_content: thought, reasoning_details: details, content, refusal, tool_calls: calls } = said
    const all = Array.isArray(details) ? details.filter(isObject) : []
    const own = all.filter(({ format }) => format === claude)
    // Claude's details repeat the text, with what belongs to it.
    if (isText(thought) && !own.some(({ text }) => isText(text))) this.#think(thought)
    for (const detail of own) this.#addOwn(detail)
    for (const detail of all) if (isOthers(detail)) this.#attach(detail)
    if (isText(content)) this.speak(content)
    if (isText(refusal)) {
      this.refused = true
      this.speak(refusal)
    }
    if (!Array.isArray(calls)) return
    for (const [at, call] of calls.entries()) if (isObject(call)) this.#call(call, call.index ?? at)
  }

  speak(text: string): void {
    if (text === '') return
    const last = this.#blocks.at(-1)
    const block = last instanceof TextBlock ? last : this.#begin(new TextBlock())
    this.#say(block, text)
  }

  /** Nothing more will be said. */
  finish(): void {
    while (this.#at < this.#blocks.length) this.#next()
  }

  #think(text: string, place?: unknown): void {
    if (!this.#thinks) return
    this.#say(this.#thinking(place), text)
  }

  /** The thought that goes on, or another one. */
  #thinking(place: unknown): ThinkingBlock {
    const last = this.#blocks.at(-1)
    const goesOn =
      last instanceof ThinkingBlock && (last.place === place || (last.place === undefined && !last.signature))
    const block = goesOn ? last : this.#begin(new ThinkingBlock())
    block.place ??= place
    return block
  }

  #addOwn({ type, text, signature, data, index }: JsonObject): void {
    if (!this.#thinks) return
    if (type === 'reasoning.encrypted' && typeof data === 'string') {
      this.#begin(new OpaqueBlock(data))
      return
    }
    if (isText(text)) this.#think(text, index)
    if (isText(signature)) this.#thinking(index).signature = signature
  }

  /** What belongs to a call goes back even where thoughts are not shown: the model refuses its call without it. */
  #attach(detail: JsonObject): void {
    if (!this.#thinks && !isText(detail.id)) return
    const last = this.#blocks.at(-1)
    const isOpen = last instanceof ThinkingBlock || (last instanceof OpaqueBlock && last.data === undefined)
    const block = isOpen ? last : this.#begin(new OpaqueBlock())
    block.attach(detail)
  }

  #call(call: JsonObject, key: unknown): void {
    const text = stringAt(call.function, 'arguments') ?? ''
    const known = this.#calls.get(key)
    if (known) {
      this.#say(known, text)
      return
    }
    const id = stringAt(call, 'id') ?? toolCallId(this.#random)
    const { extra_content: extra } = call
    if (isObject(extra)) this.#attach({ type: extraOfCall, id, extra_content: extra })
    const block = this.#begin(new CallBlock(id, this.#nameOf(stringAt(call.function, 'name') ?? '')))
    this.#calls.set(key, block)
    this.#say(block, text)
  }

  #begin<Kind extends Block>(block: Kind): Kind {
    this.#blocks.push(block)
    if (this.#blocks.length - 1 === this.#at) this.#open(block)
    else this.#advance()
    return block
  }

  #say(block: Block, text: string): void {
    if (text === '') return
    block.text += text
    if (block !== this.#blocks[this.#at]) block.rest += text
    else if (block instanceof TextBlock) this.#teller.text(this.#at, text)
    else {
      this.#teller.delta(this.#at, block.delta(text))
      // Others may wait for this call.
      if (this.#at < this.#blocks.length - 1) this.#advance()
    }
  }

  #advance(): void {
    while (this.#at < this.#blocks.length - 1 && this.#blocks[this.#at]?.isDone) this.#next()
  }

  /** Ends the block that is being told, and begins the one behind it. */
  #next(): void {
    const block = this.#blocks[this.#at]
    if (!block) return
    if (!block.opening) this.#teller.start(this.#at, block.value)
    for (const delta of block.last) this.#teller.delta(this.#at, delta)
    this.#teller.stop(this.#at++)
    const following = this.#blocks[this.#at]
    if (following) this.#open(following)
  }

  #open(block: Block): void {
    if (block.opening) this.#teller.start(this.#at, block.opening)
    if (block.rest !== '') this.#teller.delta(this.#at, block.delta(block.rest))
    block.rest = ''
  }
}

const silent: Teller = { start() {}, delta() {}, text() {}, stop() {} }

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function toolNames({ tools }: JsonObject): string[] {
  return (Array.isArray(tools) ? tools : []).flatMap((tool) => stringAt(tool, 'name') ?? [])
}
