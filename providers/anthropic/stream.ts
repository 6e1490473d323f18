import type { WireContext } from '../../src/core/provider.ts'
import type { Emit, Stage } from '../../src/core/stream.ts'
import { isObject, type JsonObject, objectAt, stringAt } from '../../src/wire/json.ts'
import { doneText, EventReader, parseEvent, type ServerEvent, truncated } from '../../src/wire/sse.ts'
import { annotationsOf, detailOf, finishOf, isAnswerCall, isThought, refusalOf } from './answer.ts'
import { answerTool } from './format.ts'
import { streamFailure } from './stream-failure.ts'
import { tierOf, usageOf } from './usage.ts'

const encoder = new TextEncoder()

/** Converts the events of a message to `chat.completion.chunk` events. */
export function messageStream(context: WireContext): Stage {
  const reader = new EventReader()
  const message = new MessageEvents(context)
  // The events before an error go out first.
  const translate = (events: readonly ServerEvent[], emit: Emit) => {
    let text = ''
    try {
      for (const event of events) text += message.read(event)
    } finally {
      if (text !== '') emit(encoder.encode(text))
    }
  }
  return {
    chunk: (bytes, emit) => translate(reader.read(bytes), emit),
    end(emit) {
      translate(reader.end(), emit)
      const rest = message.end()
      if (rest !== '') emit(encoder.encode(rest))
    },
    get over() {
      return message.over
    },
    get complete() {
      return message.over
    },
  }
}

/** A block of the content that has begun. */
interface OpenBlock {
  readonly type: unknown
  /** Of a call, or of a thought, among those of the message. */
  readonly place: number
  /** With a call: its input as it came at the start, for when no pieces of it come. */
  readonly input?: unknown
  /** Where a text begins. */
  readonly start: number
  readonly citations: unknown[]
  begun: boolean
}

/** https://platform.claude.com/docs/en/build-with-claude/streaming */
class MessageEvents {
  readonly #context: WireContext
  readonly #isAnswer: (block: JsonObject) => boolean
  readonly #wantsUsage: boolean
  readonly #blocks = new Map<unknown, OpenBlock>()
  #head = ''
  #tail = ''
  #usage: JsonObject = {}
  #stopped: JsonObject | undefined
  #calls = 0
  #thoughts = 0
  #length = 0
  /** Whether the answer is the input of a call. A text beside it is held back, for when the call doesn't come. */
  readonly #byTool: boolean
  #given = false
  #held = ''
  over = false

  constructor(context: WireContext) {
    this.#context = context
    this.#isAnswer = isAnswerCall(context)
    this.#byTool = this.#isAnswer({ type: 'tool_use', name: answerTool })
    this.#wantsUsage = objectAt(context.body, 'stream_options')?.include_usage === true
  }

  read({ data }: ServerEvent): string {
    if (this.over) return ''
    const event = parseEvent(data)
    if (!isObject(event)) return ''
    switch (event.type) {
      case 'message_start':
        return this.#open(objectAt(event, 'message') ?? {})
      case 'content_block_start':
        return this.#begin(event.index, objectAt(event, 'content_block') ?? {})
      case 'content_block_delta':
        return this.#delta(this.#blocks.get(event.index), objectAt(event, 'delta') ?? {})
      case 'content_block_stop':
        return this.#close(event.index)
      case 'message_delta':
        this.#count(objectAt(event, 'usage'))
        if (stringAt(event.delta, 'stop_reason')) this.#stopped = objectAt(event, 'delta')
        return ''
      case 'message_stop':
        return this.end()
      case 'error':
        throw streamFailure(event, this.#context.model)
      default:
        // `ping`, and what may come to be.
        return ''
    }
  }

  /** The end of the stream. Throws unless the message has said why it stopped. */
  end(): string {
    if (this.over) return ''
    if (!this.#stopped) throw truncated()
    this.over = true
    const refusal = refusalOf(this.#stopped)
    const isUnanswered = !this.#given && this.#calls === 0
    const finish = finishOf(this.#stopped.stop_reason, this.#given)
    const usage = this.#wantsUsage
      ? `${this.#head}"choices":[],"usage":${JSON.stringify(usageOf(this.#usage))}}\n\n`
      : ''
    return (
      (isUnanswered && this.#held !== '' ? this.#chunk({ content: this.#held }) : '') +
      (refusal === null ? '' : this.#chunk({ refusal })) +
      `${this.#chunk({}, finish)}${usage}${doneText}`
    )
  }

  #open(message: JsonObject): string {
    const { id, created, model } = this.#context
    this.#count(objectAt(message, 'usage'))
    const fields = { id, object: 'chat.completion.chunk', created, model: stringAt(message, 'model') || model }
    this.#head = `data: ${JSON.stringify({ ...fields, ...tierOf(this.#usage) }).slice(0, -1)},`
    this.#tail = this.#wantsUsage ? ',"usage":null}\n\n' : '}\n\n'
    return this.#chunk({ role: 'assistant', content: '' })
  }

  #begin(index: unknown, block: JsonObject): string {
    const { type, id, name, input } = block
    const isAnswer = this.#isAnswer(block)
    const isCall = type === 'tool_use' && !isAnswer
    const place = isCall ? this.#calls++ : isThought(block) ? this.#thoughts++ : 0
    const open = { type: isAnswer ? 'answer' : type, place, input, start: this.#length, citations: [], begun: false }
    this.#blocks.set(index, open)
    this.#given ||= isAnswer
    if (isCall) return this.#call({ index: place, id, type: 'function', function: { name, arguments: '' } })
    if (type === 'redacted_thinking') return this.#chunk({ reasoning_details: [detailOf(block, place)] })
    if (type === 'text') return this.#delta(open, { type: 'text_delta', text: block.text })
    if (type !== 'thinking') return ''
    // Servers of other models may say all of it at once.
    const thought = this.#delta(open, { type: 'thinking_delta', thinking: block.thinking })
    return thought + this.#delta(open, { type: 'signature_delta', signature: block.signature })
  }

  #delta(open: OpenBlock | undefined, delta: JsonObject): string {
    if (!open) return ''
    switch (delta.type) {
      case 'text_delta':
        return this.#text(delta.text)
      case 'input_json_delta':
        return this.#input(open, stringAt(delta, 'partial_json') ?? '')
      case 'thinking_delta': {
        const { thinking: text } = delta
        if (typeof text !== 'string' || text === '') return ''
        // Thoughts are told apart in the text as they are in a whole answer.
        const gap = open.begun || open.place === 0 ? '' : '\n\n'
        open.begun = true
        return this.#thought({ type: 'thinking', thinking: text }, open, { reasoning_content: gap + text })
      }
      case 'signature_delta':
        return delta.signature ? this.#thought({ type: 'thinking', signature: delta.signature }, open) : ''
      case 'citations_delta':
        open.citations.push(delta.citation)
        return ''
      default:
        return ''
    }
  }

  #thought(block: JsonObject, { place }: OpenBlock, beside: JsonObject = {}): string {
    return this.#chunk({ ...beside, reasoning_details: [detailOf(block, place)] })
  }

  #text(text: unknown): string {
    if (typeof text !== 'string' || text === '') return ''
    if (this.#byTool) {
      this.#held += text
      return ''
    }
    this.#length += text.length
    return this.#chunk({ content: text })
  }

  #input(open: OpenBlock, json: string): string {
    if (json === '') return ''
    open.begun = true
    if (open.type === 'answer') return this.#chunk({ content: json })
    return open.type === 'tool_use' ? this.#call({ index: open.place, function: { arguments: json } }) : ''
  }

  #close(index: unknown): string {
    const open = this.#blocks.get(index)
    this.#blocks.delete(index)
    if (!open) return ''
    const isCall = open.type === 'tool_use' || open.type === 'answer'
    // A call without arguments has no pieces.
    if (isCall && !open.begun) return this.#input(open, JSON.stringify(open.input ?? {}))
    const annotations = annotationsOf(open.citations, open.start, this.#length)
    return annotations.length > 0 ? this.#chunk({ annotations }) : ''
  }

  #call(call: JsonObject): string {
    return this.#chunk({ tool_calls: [call] })
  }

  #chunk(delta: JsonObject, finish: string | null = null): string {
    const choices = [{ index: 0, delta, logprobs: null, finish_reason: finish }]
    return `${this.#head}"choices":${JSON.stringify(choices)}${this.#tail}`
  }

  /** The last event tells what is final; null is no count. */
  #count(usage: JsonObject | undefined): void {
    const told = Object.entries(usage ?? {}).filter(([, value]) => value !== null && value !== undefined)
    this.#usage = { ...this.#usage, ...Object.fromEntries(told) }
  }
}
