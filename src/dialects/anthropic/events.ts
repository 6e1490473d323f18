import { type ChatEnd, ChatEvents } from '../../operations/common/chat-events.ts'
import type { Extra } from '../../operations/common/extras.ts'
import { firstChoice } from '../../operations/common/first-choice.ts'
import type { Random } from '../../wire/ids.ts'
import { type JsonObject, stringAt } from '../../wire/json.ts'
import { Content, type Teller } from './content.ts'
import { type Head, messageOf, stopOf, usageOf } from './message.ts'
import { errorEvent } from './words.ts'

/** Its citations point into documents, or hold what only Anthropic's own search makes; it has no pictures and no sound. */
export const extras: readonly Extra[] = ['annotations', 'images', 'audio']

/** Makes the events of a message from the chunks of a chat. */
export class MessageEvents extends ChatEvents implements Teller {
  protected override readonly extras = extras
  readonly #asked: JsonObject
  readonly #head: Head
  readonly #content: Content
  #stop: unknown

  constructor(asked: JsonObject, head: Head, random: Random) {
    super()
    this.#asked = asked
    this.#head = head
    this.#content = new Content(random, asked, this)
  }

  start(index: number, block: JsonObject): void {
    this.#tell({ type: 'content_block_start', index, content_block: block })
  }

  delta(index: number, delta: JsonObject): void {
    this.#tell({ type: 'content_block_delta', index, delta })
  }

  text(index: number, text: string): void {
    this.say(`${textHead}${index},"delta":{"type":"text_delta","text":${JSON.stringify(text)}}}\n\n`)
  }

  stop(index: number): void {
    this.#tell({ type: 'content_block_stop', index })
  }

  protected open(chunk: JsonObject): void {
    const head = { ...this.#head, model: stringAt(chunk, 'model') || this.#head.model }
    this.#tell({ type: 'message_start', message: messageOf(head, this.#content, this.#asked) })
    this.#tell({ type: 'ping' })
  }

  protected speak(text: string): void {
    this.#content.speak(text)
  }

  protected override see(chunk: JsonObject): void {
    this.#stop = firstChoice(chunk)?.stop_reason ?? this.#stop
  }

  protected add(delta: JsonObject): void {
    this.#content.add(delta)
  }

  protected close({ finish, usage }: ChatEnd): void {
    this.#content.finish()
    const delta = stopOf({ finish, stop: this.#stop, usage }, this.#content, this.#asked)
    this.#tell({ type: 'message_delta', delta, usage: usageOf(usage ?? {}) })
    this.#tell({ type: 'message_stop' })
  }

  protected failed(error: unknown): void {
    this.#tell(errorEvent(error))
  }

  #tell(event: JsonObject): void {
    this.say(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
  }
}

const textHead = 'event: content_block_delta\ndata: {"type":"content_block_delta","index":'
