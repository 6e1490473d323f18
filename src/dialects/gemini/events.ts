import { type ChatEnd, ChatEvents } from '../../operations/common/chat-events.ts'
import { type JsonObject, stringAt } from '../../wire/json.ts'
import { candidateOf, type Head, logprobsIn, usageOf } from './answer.ts'
import { beat } from './beat.ts'
import type { Turn } from './turn.ts'
import { lastWords } from './words.ts'

/** Makes the chunks of an answer from those of a chat. */
export class ContentEvents extends ChatEvents {
  readonly #turn: Turn
  #head: Head
  /** What follows a text: all but the text of a chunk is the same in each. */
  #tail = ''

  constructor(turn: Turn, head: Head) {
    super()
    this.#turn = turn
    this.#head = head
  }

  protected override remark(): Uint8Array {
    return beat.bytes
  }

  protected open(chunk: JsonObject): void {
    const { modelVersion, responseId } = this.#head
    this.#head = { modelVersion: stringAt(chunk, 'model') || modelVersion, responseId }
    this.#tail = `}],"role":"model"},"index":0}],${JSON.stringify(this.#head).slice(1)}\n\n`
  }

  protected speak(text: string): void {
    if (text !== '') this.say(textHead + JSON.stringify(text) + this.#tail)
  }

  protected add(delta: JsonObject, logprobs: unknown): void {
    const parts = this.#turn.add(delta)
    const told = logprobsIn(logprobs)
    if (parts.length > 0 || told.logprobsResult) this.#tell([candidateOf(parts, { index: 0, ...told })], {})
  }

  protected close({ finish, usage }: ChatEnd): void {
    const { parts, reason } = this.#turn.finish(finish)
    this.#tell([candidateOf(parts, { ...reason, index: 0 })], { usageMetadata: usageOf(usage) })
  }

  protected failed(error: unknown): void {
    const { event, apart } = lastWords(error)
    this.say(event)
    this.sayApart(apart)
  }

  #tell(candidates: readonly JsonObject[], more: JsonObject): void {
    this.say(`data: ${JSON.stringify({ candidates, ...more, ...this.#head })}\n\n`)
  }
}

const textHead = 'data: {"candidates":[{"content":{"parts":[{"text":'
