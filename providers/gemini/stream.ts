import type { WireContext } from '../../src/core/provider.ts'
import type { Emit, Stage } from '../../src/core/stream.ts'
import { isObject, type JsonObject, objectAt } from '../../src/wire/json.ts'
import { doneText, EventReader, eventText, parseEvent, type ServerEvent, truncated } from '../../src/wire/sse.ts'
import { toldError } from '../../src/wire/told-error.ts'
import { annotationsOf, hasSources } from './annotations.ts'
import { candidatesOf, headOf, isBlocked } from './answer.ts'
import { CandidateReader } from './candidate.ts'
import { logprobsOf } from './logprobs.ts'
import { isGrounded } from './tools.ts'
import { usageOf } from './usage.ts'

/** Converts the events of `streamGenerateContent` to OpenAI's. */
export function chatStream(context: WireContext): Stage {
  return new ChatStream(context)
}

/** What has come of one candidate. */
interface Begun {
  readonly reader: CandidateReader
  /** The text, as far as it is needed for its sources. */
  text: string
}

const encoder = new TextEncoder()

class ChatStream implements Stage {
  readonly #context: WireContext
  readonly #events = new EventReader()
  readonly #grounded: boolean
  readonly #wantsUsage: boolean
  readonly #begun = new Map<number, Begun>()
  #head: JsonObject | undefined
  /** The last event that told the usage, which counts up. */
  #counted: JsonObject = {}
  #blocked = false
  over = false

  constructor(context: WireContext) {
    this.#context = context
    this.#grounded = isGrounded(context.body)
    this.#wantsUsage = objectAt(context.body, 'stream_options')?.include_usage === true
  }

  chunk(bytes: Uint8Array, emit: Emit): void {
    this.#translate(this.#events.read(bytes), emit)
  }

  end(emit: Emit): void {
    this.#translate(this.#events.end(), emit)
    if (!this.over) emit(encoder.encode(this.#end()))
  }

  /** A connection that breaks behind the last event takes nothing away. */
  fail(error: unknown, emit: Emit): void {
    if (!this.#isWhole) throw error
    emit(encoder.encode(this.#end()))
  }

  /** If an event can't be translated, those before it go out first. */
  #translate(events: readonly ServerEvent[], emit: Emit): void {
    let translated = ''
    try {
      for (const { data } of events) if (!this.over && data.trim() !== '') translated += this.#event(parseEvent(data))
    } finally {
      if (translated !== '') emit(encoder.encode(translated))
    }
  }

  /** An error comes alone, or in a list. What it means is known to those who read the stream. */
  #event(data: unknown): string {
    const said = Array.isArray(data) ? data[0] : data
    if (!isObject(said)) return ''
    const error = toldError(said)
    if (error !== undefined) {
      this.over = true
      return eventText({ error })
    }
    this.#head ??= headOf(said, this.#context)
    if (said.usageMetadata) this.#counted = said
    this.#blocked ||= isBlocked(said)
    return candidatesOf(said)
      .map((candidate, at) => this.#candidate(candidate, typeof candidate.index === 'number' ? candidate.index : at))
      .join('')
  }

  #candidate(candidate: JsonObject, index: number): string {
    const known = this.#begun.get(index)
    const begun = known ?? this.#fresh()
    this.#begun.set(index, begun)
    const { thought, text, images, calls, details } = begun.reader.read(candidate)
    if (this.#grounded) begun.text += text
    const annotations = hasSources(candidate) ? annotationsOf(candidate, begun.text) : []
    const deltas: JsonObject[] = [
      ...(known ? [] : [{ role: 'assistant', content: '' }]),
      ...(thought ? [{ reasoning_content: thought }] : []),
      ...(text ? [{ content: text }] : []),
      ...(images.length > 0 ? [{ images }] : []),
      ...calls.map((call) => ({ tool_calls: [call] })),
      ...(details.length > 0 ? [{ reasoning_details: details }] : []),
      ...(annotations.length > 0 ? [{ annotations }] : []),
    ]
    const logprobs = logprobsOf(candidate)
    const bearer = deltas.findIndex(({ content }) => content)
    return deltas.map((delta, at) => this.#chunk(index, delta, { logprobs: at === bearer ? logprobs : null })).join('')
  }

  #fresh(): Begun {
    return { reader: new CandidateReader(this.#context.random), text: '' }
  }

  get #isWhole(): boolean {
    const all = [...this.#begun.values()]
    return this.#blocked || (all.length > 0 && all.every(({ reader }) => reader.isOver))
  }

  #chunk(index: number, delta: JsonObject, { logprobs = null, finish = null }: Ending): string {
    return this.#framed({ choices: [{ index, delta, logprobs, finish_reason: finish }] })
  }

  #framed(fields: JsonObject): string {
    const usage = this.#wantsUsage ? { usage: null } : {}
    return eventText({ ...this.#head, object: 'chat.completion.chunk', ...usage, ...fields })
  }

  /** The reasons go out last: older models tell one with each event. Throws if any candidate has none. */
  #end(): string {
    if (!this.#isWhole) throw truncated()
    if (this.#begun.size === 0) this.#begun.set(0, this.#fresh())
    const finishes = [...this.#begun].map(([index, { reader }]) =>
      this.#chunk(index, {}, { finish: this.#blocked && !reader.isOver ? 'content_filter' : reader.finish }),
    )
    const usage = this.#wantsUsage ? this.#framed({ choices: [], usage: usageOf(this.#counted) }) : ''
    return finishes.join('') + usage + doneText
  }
}

/** What a chunk has beside its delta. */
interface Ending {
  readonly logprobs?: JsonObject | null
  readonly finish?: string | null
}
