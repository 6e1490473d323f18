import { isObject, type JsonObject, stringAt, tryParse } from '../../wire/json.ts'
import { isNeeded, type ReasoningFormat } from '../../wire/reasoning-details.ts'
import { isSealed, opened, sealed } from '../../wire/sealed.ts'

/** In which Claude's own thoughts are kept. */
export const claude: ReasoningFormat = 'anthropic-claude-v1'

/** Whether another model than Claude must get it back. */
export function isOthers(detail: JsonObject): boolean {
  return isNeeded(detail) && detail.format !== claude
}

/** The type of a detail with the `extra_content` of a call: Gemini's own API for chats refuses the call without it. */
export const extraOfCall = 'tool_call.extra'

/** The number that the gateway seals details with. */
const kind = 3

/** What models other than Claude have to get back, as the signature or the data of a block. */
export function sealedDetails(details: readonly JsonObject[]): string {
  return sealed(JSON.stringify(details), kind)
}

/** What a model thought, in the terms of a chat. */
export class Thoughts {
  readonly #reads: ReadonlySet<unknown>
  readonly #texts: string[] = []
  readonly #details: JsonObject[] = []
  readonly #extras = new Map<unknown, unknown>()

  /** `reads`: the forms that the model reads that is asked now. */
  constructor(reads: readonly ReasoningFormat[]) {
    this.#reads = new Set(reads)
  }

  /** Takes in a block of the history, if it is a thought. */
  take(block: JsonObject): boolean {
    const { type, signature, data } = block
    if (type === 'thinking') {
      const text = stringAt(block, 'thinking') ?? ''
      if (text !== '') this.#texts.push(text)
      if (isSealed(signature)) this.#unseal(signature)
      else if (signature) this.#keep({ type: 'reasoning.text', text, signature, format: claude })
    } else if (type === 'redacted_thinking') {
      if (isSealed(data)) this.#unseal(data)
      else this.#keep({ type: 'reasoning.encrypted', data, format: claude })
    } else return false
    return true
  }

  /** The fields of the assistant's message. */
  get fields(): JsonObject {
    return {
      ...(this.#texts.length > 0 && { reasoning_content: this.#texts.join('\n\n') }),
      ...(this.#details.length > 0 && { reasoning_details: this.#details }),
    }
  }

  /** What goes back with a call. */
  extraOf(id: unknown): JsonObject {
    const extra = this.#extras.get(id)
    return extra === undefined ? {} : { extra_content: extra }
  }

  #unseal(opaque: string): void {
    const inside = opened(opaque)
    const details = inside?.kind === kind ? tryParse(inside.text) : undefined
    if (Array.isArray(details)) for (const one of details.filter(isObject)) this.#keep(one)
  }

  #keep(detail: JsonObject): void {
    if (detail.type === extraOfCall) this.#extras.set(detail.id, detail.extra_content)
    else if (this.#reads.has(detail.format)) this.#details.push({ ...detail, index: this.#details.length })
  }
}

/** Whether the client wants to see thoughts. */
export function wantsThoughts({ thinking }: JsonObject): boolean {
  return isObject(thinking) && thinking.type !== 'disabled'
}
