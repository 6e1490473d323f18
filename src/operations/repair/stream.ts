import type { Mended, Mender } from '../../core/repair.ts'
import type { WireContext } from '../../core/wire-context.ts'
import { equal, isObject, type JsonObject, objectAt, tryParse } from '../../wire/json.ts'
import { comment, done, frame, type ServerEvent } from '../../wire/sse.ts'
import { toldError } from '../../wire/told-error.ts'
import { callsIn, ToolCalls } from './calls.ts'
import { ChoiceIndexes } from './choice-indexes.ts'
import { type Head, headOf, kindOf } from './head.ts'
import { hasContent, textOf, withText } from './parts.ts'
import { finishReason, isFinish, legacyReason } from './reasons.ts'
import type { ChunkTexts } from './texts.ts'

/** What has gone out of a choice. */
interface ChoiceState {
  finished: boolean
  readonly calls: ToolCalls
}

/** Clients fail on an empty event, but the connection may need a sign of life. */
const keepAlive = [comment('keep-alive')]
/** While a long call is held back, it gets one for this many events. */
const signEvery = 64

interface MenderOptions {
  readonly thorough?: boolean
  readonly texts?: ChunkTexts | undefined
}

/** Puts a stream of choices right: chat's deltas or the texts of legacy completions. */
export class ChoicesMender implements Mender {
  readonly #context: WireContext
  readonly #thorough: boolean
  readonly #indexes: ChoiceIndexes
  readonly #texts: ChunkTexts | undefined
  readonly #choices = new Map<number, ChoiceState>()
  #head: Head | undefined
  #kind: unknown
  /** Whether the id was made up, so that all chunks must have it. */
  #madeUp = false
  /** Usage that goes out last. */
  #usage: JsonObject | undefined
  #usageSent = false
  /** Whether usage has come already, so that it may come with each chunk. */
  #running = false
  /** Events whose texts were held back. */
  #heldBack = 0
  /** Whether other events like this one must be looked at. */
  #look = false

  /** `thorough`: for a server that is known to deviate, what no client trips over is put right as well. */
  constructor(context: WireContext, { thorough = false, texts }: MenderOptions = {}) {
    this.#context = context
    this.#indexes = new ChoiceIndexes(context)
    this.#thorough = thorough
    this.#texts = texts
  }

  mend({ data }: ServerEvent): Mended {
    const text = data.trim()
    if (text === '[DONE]') {
      const rest = this.end()
      return rest.length > 0 || data !== text ? [...rest, done] : 'pass'
    }
    const chunk = tryParse(text)
    if (!isObject(chunk)) return keepAlive
    // An error is reported by others.
    if (toldError(chunk) !== undefined) return 'look'
    const parts = this.#texts?.read(chunk)
    this.#look = this.#texts?.looking === true
    if (parts) {
      const frames = parts.map((part) => this.#chunk(part)).filter((part) => part !== undefined)
      if (frames.length > 0) return frames.map(frame)
      return ++this.#heldBack % signEvery === 0 ? keepAlive : []
    }
    const mended = this.#chunk(chunk)
    if (mended === undefined) return keepAlive
    return equal(mended, chunk) ? (this.#look ? 'look' : 'pass') : [frame(mended)]
  }

  /** The usage, if nothing has told it yet: null where the upstream doesn't, which is less of a lie than an estimate. */
  end(): readonly Uint8Array[] {
    const usage = this.#usage ?? (wantsUsage(this.#context) && !this.#thorough ? null : undefined)
    this.#usage = undefined
    if (usage === undefined || this.#usageSent) return []
    this.#usageSent = true
    return [frame({ ...this.#head, object: this.#kind, choices: [], usage })]
  }

  #chunk(chunk: JsonObject): JsonObject | undefined {
    const { error: _, choices: given, ...rest } = chunk
    const choices = (Array.isArray(given) ? given : [given]).filter(isObject)
    if (choices.length === 0 && !isObject(chunk.usage) && !Array.isArray(given)) return undefined
    const { length } = choices
    const head = this.#headOf(chunk, choices)
    const own = choices.flatMap((choice, at) => this.#choice(choice, at, length) ?? [])
    const mended = { ...rest, ...head, choices: own }
    if (isObject(chunk.usage)) return this.#withUsage(mended, chunk.usage)
    return own.length === 0 && length > 0 ? undefined : mended
  }

  #headOf(chunk: JsonObject, choices: readonly JsonObject[]): JsonObject {
    const head = headOf(chunk, this.#context, this.#head)
    if (!this.#head) this.#madeUp = head.id !== chunk.id
    this.#head ??= head
    const { id, created } = this.#head
    const right = choices.length === 0 ? this.#kind : choices.some(isText) ? 'text_completion' : undefined
    const kind = kindOf(chunk.object, typeof right === 'string' ? right : 'chat.completion.chunk')
    this.#kind ??= kind
    return { ...head, ...((this.#madeUp || this.#thorough) && { id, created }), object: kind }
  }

  /** Usage goes out once, in a last chunk of its own, if the client asked for it. */
  #withUsage(chunk: JsonObject, usage: JsonObject): JsonObject | undefined {
    const { usage: _, choices, ...rest } = chunk
    const list = choices as readonly JsonObject[]
    const alone = list.length === 0
    const over = [...this.#choices.values()].every(({ finished }) => finished)
    this.#look = true
    if (!wantsUsage(this.#context)) {
      // Once, at the end, no client trips over it, and some read it there unasked.
      if (over && !this.#running && !this.#thorough) {
        this.#running = true
        return chunk
      }
      this.#running = true
      return alone ? undefined : { ...rest, choices }
    }
    if (alone && over && !this.#usageSent) {
      this.#usageSent = true
      this.#usage = undefined
      return chunk
    }
    this.#usage = usage
    return alone ? undefined : { ...rest, choices }
  }

  /** Undefined: it says nothing but that the choice is over, for a second time. */
  #choice(given: JsonObject, at: number, of: number): JsonObject | undefined {
    const index = this.#indexes.next(given, at, of)
    const known = this.#choices.get(index)
    const state = known ?? { finished: false, calls: new ToolCalls(this.#context.random) }
    this.#choices.set(index, state)
    const again = state.finished && isFinish(given.finish_reason)
    if (again && !given.logprobs && !hasContent({ ...given, delta: given.delta ?? given.message })) return undefined
    state.finished ||= isFinish(given.finish_reason)
    const choice = again ? { ...given, finish_reason: null } : given
    if (isText(choice)) {
      return { ...choice, index, text: textOf(choice.text), finish_reason: legacyReason(choice.finish_reason) }
    }
    return this.#chatChoice(choice, index, state, !known)
  }

  #chatChoice(choice: JsonObject, index: number, state: ChoiceState, isFirst: boolean): JsonObject {
    const { delta: given, message, ...rest } = choice
    const delta = this.#delta(isObject(given) ? given : isObject(message) ? message : {}, state, isFirst)
    return {
      // Without a message beside the delta: it repeats what is said, and the `openai` package takes it for all there is.
      ...rest,
      index,
      delta,
      finish_reason: finishReason(choice.finish_reason, state.calls.begun),
    }
  }

  #delta(given: JsonObject, { calls, finished }: ChoiceState, isFirst: boolean): JsonObject {
    const { role, tool_calls: told, function_call: called, ...rest } = given
    const all = callsIn(told).map((call, at, list) => calls.piece(call, at, list.length))
    if (all.some(({ usual }) => !usual)) this.#look = true
    const pieces = all.flatMap(({ piece }) => piece ?? []).concat(finished ? calls.rest() : [])
    return {
      ...((isFirst || role === 'assistant') && { role: 'assistant' }),
      ...withText(rest),
      ...(called !== null && called !== undefined && { function_call: called }),
      ...(Array.isArray(told) && told.length === 0 && { tool_calls: told }),
      ...(pieces.length > 0 && { tool_calls: pieces }),
    }
  }
}

function wantsUsage({ body }: WireContext): boolean {
  return objectAt(body, 'stream_options')?.include_usage === true
}

function isText(choice: JsonObject): boolean {
  return 'text' in choice && !isObject(choice.delta)
}
