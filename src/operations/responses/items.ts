import { identifier, type Random } from '../../wire/ids.ts'
import { type JsonObject, tryParse } from '../../wire/json.ts'
import { sealed } from './thoughts.ts'
import { inputField, type OfferedTool } from './tools.ts'

/** Says one event about an item: its name without `response.`, and its fields without the item's own. */
export type Say = (event: string, fields: JsonObject) => void

export type ItemStatus = 'in_progress' | 'completed' | 'incomplete'

/** One item of a response's output while it is being made. */
export interface OutputItem {
  /** Its place in the output. */
  readonly index: number
  value(status: ItemStatus): JsonObject
  /** Says that all of it has been said, apart from `output_item.done`. */
  finish(say: Say): void
}

/** The text or the refusal of the assistant, in one part. */
export class MessageItem implements OutputItem {
  readonly index: number
  readonly kind: 'output_text' | 'refusal'
  readonly #id: string
  #text = ''
  #logprobs: unknown[] = []
  #annotations: JsonObject[] = []

  constructor(index: number, kind: MessageItem['kind'], random: Random) {
    this.index = index
    this.kind = kind
    this.#id = identifier('msg_', random, 32)
  }

  begin(say: Say): void {
    say('content_part.added', { ...this.#place, part: this.#part })
  }

  add(text: string, say: Say, logprobs: readonly unknown[] = []): void {
    this.#text += text
    if (logprobs.length > 0) this.#logprobs.push(...logprobs)
    if (this.kind === 'refusal') say('refusal.delta', { ...this.#place, delta: text })
    else say('output_text.delta', { ...this.#place, delta: text, logprobs })
  }

  annotate(annotation: JsonObject, say: Say): void {
    say('output_text.annotation.added', { ...this.#place, annotation_index: this.#annotations.length, annotation })
    this.#annotations.push(annotation)
  }

  finish(say: Say): void {
    const part = this.#part
    if (this.kind === 'refusal') say('refusal.done', { ...this.#place, refusal: this.#text })
    else say('output_text.done', { ...this.#place, text: this.#text, logprobs: this.#logprobs })
    say('content_part.done', { ...this.#place, part })
  }

  value(status: ItemStatus): JsonObject {
    const content = status === 'in_progress' ? [] : [this.#part]
    return { id: this.#id, type: 'message', status, role: 'assistant', content }
  }

  get #place(): JsonObject {
    return { item_id: this.#id, output_index: this.index, content_index: 0 }
  }

  get #part(): JsonObject {
    if (this.kind === 'refusal') return { type: 'refusal', refusal: this.#text }
    return { type: 'output_text', text: this.#text, annotations: [...this.#annotations], logprobs: [...this.#logprobs] }
  }
}

/** What a client wants of the reasoning. */
export interface ReasoningForm {
  /** As a summary, since clients that ask for one show nothing else. */
  readonly summary: boolean
  /** In a form to send back. */
  readonly sealed: boolean
}

export class ReasoningItem implements OutputItem {
  readonly index: number
  readonly #id: string
  readonly #form: ReasoningForm
  #text = ''

  constructor(index: number, form: ReasoningForm, random: Random) {
    this.index = index
    this.#form = form
    this.#id = identifier('rs_', random, 32)
  }

  begin(say: Say): void {
    if (this.#form.summary) say('reasoning_summary_part.added', { ...this.#place, part: this.#part })
    else say('content_part.added', { ...this.#place, part: this.#part })
  }

  add(text: string, say: Say): void {
    this.#text += text
    say(this.#form.summary ? 'reasoning_summary_text.delta' : 'reasoning_text.delta', { ...this.#place, delta: text })
  }

  finish(say: Say): void {
    const { summary } = this.#form
    say(summary ? 'reasoning_summary_text.done' : 'reasoning_text.done', { ...this.#place, text: this.#text })
    say(summary ? 'reasoning_summary_part.done' : 'content_part.done', { ...this.#place, part: this.#part })
  }

  value(status: ItemStatus): JsonObject {
    const { summary, sealed: opaque } = this.#form
    const said = status === 'in_progress' ? [] : [this.#part]
    return {
      id: this.#id,
      type: 'reasoning',
      status,
      summary: summary ? said : [],
      ...(!summary && { content: said }),
      ...(opaque && { encrypted_content: status === 'in_progress' ? null : sealed(this.#text) }),
    }
  }

  get #place(): JsonObject {
    const place = { item_id: this.#id, output_index: this.index }
    return this.#form.summary ? { ...place, summary_index: 0 } : { ...place, content_index: 0 }
  }

  get #part(): JsonObject {
    return { type: this.#form.summary ? 'summary_text' : 'reasoning_text', text: this.#text }
  }
}

export class CallItem implements OutputItem {
  readonly index: number
  readonly #tool: OfferedTool
  readonly #callId: string
  readonly #id: string
  #arguments = ''

  constructor(index: number, tool: OfferedTool, callId: string, random: Random) {
    this.index = index
    this.#tool = tool
    this.#callId = callId
    this.#id = identifier(tool.custom ? 'ctc_' : 'fc_', random, 32)
  }

  add(text: string, say: Say): void {
    this.#arguments += text
    // The text of a custom tool stands inside JSON, so it is told when that is whole.
    if (!this.#tool.custom) say('function_call_arguments.delta', { ...this.#place, delta: text })
  }

  finish(say: Say): void {
    if (!this.#tool.custom) {
      const { name } = this.#tool
      say('function_call_arguments.done', { ...this.#place, name, arguments: this.#arguments })
      return
    }
    say('custom_tool_call_input.delta', { ...this.#place, delta: this.#input })
    say('custom_tool_call_input.done', { ...this.#place, input: this.#input })
  }

  value(status: ItemStatus): JsonObject {
    const { custom, name, namespace } = this.#tool
    const begun = status === 'in_progress'
    return {
      id: this.#id,
      type: custom ? 'custom_tool_call' : 'function_call',
      status,
      call_id: this.#callId,
      name,
      ...(namespace !== undefined && { namespace }),
      ...(custom ? { input: begun ? '' : this.#input } : { arguments: begun ? '' : this.#arguments }),
    }
  }

  get #place(): JsonObject {
    return { item_id: this.#id, output_index: this.index }
  }

  /** A model that doesn't keep to the form has meant all of it. */
  get #input(): string {
    const parsed = tryParse(this.#arguments)
    const input = typeof parsed === 'object' && parsed !== null ? (parsed as JsonObject)[inputField] : undefined
    return typeof input === 'string' ? input : this.#arguments
  }
}
