import { identifier, type Random } from '../../wire/ids.ts'
import type { JsonObject } from '../../wire/json.ts'
import { CustomInput } from '../choices/custom-input.ts'
import { merged } from '../choices/merge.ts'
import { type Kept, ownReasoning, sealed } from './thoughts.ts'
import type { OfferedTool } from './tools.ts'

/** Tells a client of items while they are made. */
export interface Teller {
  /** One event: its name without `response.`, and its fields. */
  tell(event: string, fields: JsonObject): void
  /** `output_text.delta`, of which there are by far the most. `place`: its fields with the place, as JSON without braces. */
  tellText(place: string, text: string): void
}

export type ItemStatus = 'in_progress' | 'completed' | 'incomplete'

/** One item of a response's output while it is being made. */
export interface OutputItem {
  /** Its place in the output. */
  readonly index: number
  value(status: ItemStatus): JsonObject
  /** Says that all of it has been said, apart from `output_item.done`. */
  finish(teller: Teller): void
}

/** The text or the refusal of the assistant, in one part. */
export class MessageItem implements OutputItem {
  readonly index: number
  readonly kind: 'output_text' | 'refusal'
  readonly #id: string
  readonly #placeText: string
  #text = ''
  #logprobs: unknown[] = []
  #annotations: JsonObject[] = []

  constructor(index: number, kind: MessageItem['kind'], random: Random) {
    this.index = index
    this.kind = kind
    this.#id = identifier('msg_', random, 32)
    this.#placeText = JSON.stringify(this.#place).slice(1, -1)
  }

  begin(teller: Teller): void {
    teller.tell('content_part.added', { ...this.#place, part: this.#part })
  }

  add(text: string, teller: Teller, logprobs: readonly unknown[] = []): void {
    this.#text += text
    this.#logprobs.push(...logprobs)
    if (this.kind === 'refusal') teller.tell('refusal.delta', { ...this.#place, delta: text })
    else if (logprobs.length === 0) teller.tellText(this.#placeText, text)
    else teller.tell('output_text.delta', { ...this.#place, delta: text, logprobs })
  }

  annotate(annotation: JsonObject, teller: Teller): void {
    teller.tell('output_text.annotation.added', {
      ...this.#place,
      annotation_index: this.#annotations.length,
      annotation,
    })
    this.#annotations.push(annotation)
  }

  finish(teller: Teller): void {
    const part = this.#part
    if (this.kind === 'refusal') teller.tell('refusal.done', { ...this.#place, refusal: this.#text })
    else teller.tell('output_text.done', { ...this.#place, text: this.#text, logprobs: this.#logprobs })
    teller.tell('content_part.done', { ...this.#place, part })
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
  readonly #extras: Record<string, JsonObject> = {}
  #details: JsonObject = {}
  #text = ''

  constructor(index: number, form: ReasoningForm, random: Random) {
    this.index = index
    this.#form = form
    this.#id = identifier(ownReasoning, random, 23)
  }

  add(text: string, teller: Teller): void {
    if (this.#text === '') this.#tellPart('added', teller)
    this.#text += text
    teller.tell(this.#form.summary ? 'reasoning_summary_text.delta' : 'reasoning_text.delta', {
      ...this.#place,
      delta: text,
    })
  }

  /** Keeps what came with a call. */
  keepExtra(callId: string, extra: JsonObject): void {
    this.#extras[callId] = extra
  }

  /** Keeps what the model has to get back, whose pieces belong together by their index. */
  keep(details: readonly JsonObject[]): void {
    this.#details = merged(this.#details, { list: details })
  }

  finish(teller: Teller): void {
    if (this.#text === '') return
    const { summary } = this.#form
    teller.tell(summary ? 'reasoning_summary_text.done' : 'reasoning_text.done', { ...this.#place, text: this.#text })
    this.#tellPart('done', teller)
  }

  #tellPart(what: 'added' | 'done', teller: Teller): void {
    const kind = this.#form.summary ? 'reasoning_summary_part' : 'content_part'
    teller.tell(`${kind}.${what}`, { ...this.#place, part: this.#part })
  }

  value(status: ItemStatus): JsonObject {
    const { summary, sealed: opaque } = this.#form
    const said = status === 'in_progress' || this.#text === '' ? [] : [this.#part]
    return {
      id: this.#id,
      type: 'reasoning',
      status,
      summary: summary ? said : [],
      ...(!summary && { content: said }),
      ...(opaque && { encrypted_content: status === 'in_progress' ? null : sealed(this.#text, this.#kept) }),
    }
  }

  get #kept(): Kept {
    const { list } = this.#details
    return { extras: this.#extras, details: Array.isArray(list) ? list : [] }
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
  readonly #input: CustomInput | undefined
  #arguments = ''

  constructor(index: number, tool: OfferedTool, callId: string, random: Random) {
    this.index = index
    this.#tool = tool
    this.#callId = callId
    this.#input = tool.custom ? new CustomInput() : undefined
    this.#id = identifier(tool.custom ? 'ctc_' : 'fc_', random, 32)
  }

  add(text: string, teller: Teller): void {
    if (this.#input) this.#tellInput(this.#input.add(text), teller)
    else {
      this.#arguments += text
      teller.tell('function_call_arguments.delta', { ...this.#place, delta: text })
    }
  }

  finish(teller: Teller): void {
    if (this.#input) {
      this.#tellInput(this.#input.rest, teller)
      teller.tell('custom_tool_call_input.done', { ...this.#place, input: this.#input.text })
    } else {
      const { name } = this.#tool
      teller.tell('function_call_arguments.done', { ...this.#place, name, arguments: this.#arguments })
    }
  }

  #tellInput(delta: string, teller: Teller): void {
    if (delta !== '') teller.tell('custom_tool_call_input.delta', { ...this.#place, delta })
  }

  value(status: ItemStatus): JsonObject {
    const { name, namespace } = this.#tool
    const begun = status === 'in_progress'
    return {
      id: this.#id,
      type: this.#input ? 'custom_tool_call' : 'function_call',
      status,
      call_id: this.#callId,
      name,
      ...(namespace !== undefined && { namespace }),
      ...(this.#input ? { input: begun ? '' : this.#input.text } : { arguments: begun ? '' : this.#arguments }),
    }
  }

  get #place(): JsonObject {
    return { item_id: this.#id, output_index: this.index }
  }
}
