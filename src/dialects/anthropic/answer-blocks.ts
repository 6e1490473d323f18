import { merged } from '../../operations/choices/merge.ts'
import { isObject, type JsonObject, tryParse } from '../../wire/json.ts'
import { sealedDetails } from './thoughts.ts'

/** One block of an answer while it is being made. Its text may grow; what is not told yet waits in `rest`. */
export abstract class Block {
  text = ''
  rest = ''
  /** What it begins as; undefined if it is told all at once, at its end. */
  abstract readonly opening: JsonObject | undefined
  /** A piece of its text. */
  abstract delta(text: string): JsonObject
  /** What is told of it at its end. */
  get last(): readonly JsonObject[] {
    return []
  }
  /** Whether it may be ended once another one follows. */
  get isDone(): boolean {
    return true
  }
  abstract get value(): JsonObject
}

export class TextBlock extends Block {
  readonly opening = { type: 'text', text: '' }

  delta(text: string): JsonObject {
    return { type: 'text_delta', text }
  }

  get value(): JsonObject {
    return { type: 'text', text: this.text }
  }
}

export class ThinkingBlock extends Block {
  readonly opening = { type: 'thinking', thinking: '', signature: '' }
  /** Its place among the details of Claude's thoughts; undefined if none has named it. */
  place: unknown
  /** Claude's own. */
  signature = ''
  /** What another model must get back. */
  #details: JsonObject = {}

  attach(detail: JsonObject): void {
    this.#details = withDetail(this.#details, detail)
  }

  delta(thinking: string): JsonObject {
    return { type: 'thinking_delta', thinking }
  }

  override get last(): readonly JsonObject[] {
    return [{ type: 'signature_delta', signature: this.#sealed }]
  }

  get value(): JsonObject {
    return { type: 'thinking', thinking: this.text, signature: this.#sealed }
  }

  /** Never empty: by it the gateway knows whose thought it is. */
  get #sealed(): string {
    return this.signature || sealedDetails(detailsIn(this.#details))
  }
}

/** What nobody but the model reads: Claude's own, or what another model must get back. */
export class OpaqueBlock extends Block {
  readonly opening = undefined
  readonly data: string | undefined
  #details: JsonObject = {}

  constructor(data?: string) {
    super()
    this.data = data
  }

  attach(detail: JsonObject): void {
    this.#details = withDetail(this.#details, detail)
  }

  delta(): JsonObject {
    return {}
  }

  get value(): JsonObject {
    return { type: 'redacted_thinking', data: this.data ?? sealedDetails(detailsIn(this.#details)) }
  }
}

export class CallBlock extends Block {
  readonly opening: JsonObject
  readonly #head: JsonObject

  constructor(id: string, name: string) {
    super()
    this.#head = { type: 'tool_use', id, name }
    this.opening = { ...this.#head, input: {} }
  }

  delta(json: string): JsonObject {
    return { type: 'input_json_delta', partial_json: json }
  }

  /** Calls side by side come in pieces; once one is whole, nothing more of it can come. */
  override get isDone(): boolean {
    return isObject(tryParse(this.text))
  }

  override get last(): readonly JsonObject[] {
    return this.text.trim() === '' ? [this.delta('{}')] : []
  }

  get value(): JsonObject {
    return { ...this.#head, input: inputOf(this.text) }
  }
}

/**
 * What a model gives that is no JSON is told in the form in which Anthropic wants it back:
 * https://platform.claude.com/docs/en/agents-and-tools/tool-use/fine-grained-tool-streaming
 */
function inputOf(text: string): JsonObject {
  if (text.trim() === '') return {}
  const input = tryParse(text)
  return isObject(input) ? input : { INVALID_JSON: text }
}

/** The pieces of a detail belong together by their index. */
function withDetail(details: JsonObject, detail: JsonObject): JsonObject {
  return merged(details, { list: [detail] })
}

function detailsIn({ list }: JsonObject): readonly JsonObject[] {
  return Array.isArray(list) ? list : []
}
