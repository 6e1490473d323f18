import { isObject, type JsonObject, objectAt, stringAt } from '../../wire/json.ts'
import type { ReasoningFormat } from '../../wire/reasoning-details.ts'
import { listOf, partsIn } from './fields.ts'
import { calledIn, contentOf, kindOf, partsFor, resultText, textPart } from './parts.ts'
import { detailsInSignature, extraOfCall, google, isOurs, placeholder } from './thoughts.ts'

/** Chat's messages for a conversation, and the kinds of parts that no chat has. */
export interface Messages {
  readonly messages: readonly JsonObject[]
  readonly dropped: readonly string[]
}

/** `reads`: the forms of thoughts that the model reads. */
export function conversationOf(asked: JsonObject, reads: readonly ReasoningFormat[]): Messages {
  const conversation = new Conversation(reads)
  conversation.instruct(partsIn(asked.systemInstruction, 'systemInstruction'))
  const turns: { isModel: boolean; parts: [JsonObject, string][] }[] = []
  for (const [at, content] of listOf(asked.contents, 'contents').entries()) {
    const isModel = content.role === 'model'
    const path = `contents[${at}].parts`
    const parts = listOf(content.parts, path).map((part, of): [JsonObject, string] => [part, `${path}[${of}]`])
    const last = turns.at(-1)
    // Clients cut a turn where a thought or a call begins.
    if (last?.isModel === isModel) last.parts.push(...parts)
    else turns.push({ isModel, parts })
  }
  for (const [at, { isModel, parts }] of turns.entries()) {
    if (isModel) conversation.answer(parts)
    else conversation.ask(parts, at === turns.length - 1)
  }
  return conversation.end()
}

interface Waiting {
  readonly id: string
  readonly given: string | undefined
  readonly name: string
}

type Parts = readonly (readonly [JsonObject, string])[]

/**
 * Gives calls and their results the ids by which a chat joins them: many clients send none. They are counted, so that the
 * same conversation is the same prompt each time. Mistral takes no id of another form.
 */
class Conversation {
  readonly #messages: JsonObject[] = []
  readonly #dropped = new Set<string>()
  readonly #reads: ReadonlySet<unknown>
  #count = 0
  /** The calls that have no result yet. */
  #waiting: Waiting[] = []

  constructor(reads: readonly ReasoningFormat[]) {
    this.#reads = new Set(reads)
  }

  instruct(parts: readonly JsonObject[]): void {
    const texts = parts.flatMap((part) => stringAt(part, 'text') || [])
    for (const kind of parts.map(kindOf)) if (kind !== undefined) this.#dropped.add(`systemInstruction.${kind}`)
    if (texts.length > 0) this.#messages.push({ role: 'system', content: texts.join('\n\n') })
  }

  /** The results of calls come first: nothing may stand between a call and its result. */
  ask(parts: Parts, isLast: boolean): void {
    const before = this.#messages.length
    const shown: JsonObject[] = []
    for (const [part, path] of parts) {
      const result = objectAt(part, 'functionResponse')
      if (result) shown.push(...this.#result(result, path))
      else shown.push(...this.#partsFor(part, path))
    }
    // Without the last turn of the user a model would go on with its own.
    const isMissed = isLast && this.#messages.length === before
    if (shown.length > 0 || isMissed) this.#messages.push({ role: 'user', content: contentOf(shown, '\n') })
    this.#waiting = []
  }

  answer(parts: Parts): void {
    const thoughts: string[] = []
    const details: JsonObject[] = []
    const extras: JsonObject[] = []
    const said: JsonObject[] = []
    const calls: JsonObject[] = []
    for (const [part, path] of parts) {
      let id: string | undefined
      if (part.thought === true) thoughts.push(stringAt(part, 'text') ?? '')
      else if (isObject(part.functionCall)) {
        const call = this.#call(calledIn(part, path))
        id = call.id
        calls.push(call)
      } else said.push(...this.#partsFor(part, path))
      for (const detail of detailsOf(part.thoughtSignature, id)) {
        if (detail.type === extraOfCall) extras.push(detail)
        else if (this.#reads.has(detail.format)) details.push({ ...detail, index: details.length })
      }
    }
    if (said.length === 0 && calls.length === 0) return
    const withExtras = calls.map((call, at) => {
      // By its place: the client may have given the call another id.
      const extra = extras.find((one) => one.at === at)?.extra_content
      return extra === undefined ? call : { ...call, extra_content: extra }
    })
    const thought = thoughts.join('')
    this.#messages.push({
      role: 'assistant',
      content: said.length === 0 ? null : contentOf(said.filter(isText), ''),
      ...(thought !== '' && { reasoning_content: thought }),
      ...(details.length > 0 && { reasoning_details: details }),
      ...(calls.length > 0 && { tool_calls: withExtras }),
    })
    for (const { type } of said) if (type !== 'text') this.#dropped.add('contents.inlineData')
  }

  end(): Messages {
    return { messages: this.#messages, dropped: [...this.#dropped] }
  }

  #partsFor(part: JsonObject, path: string): JsonObject[] {
    return partsFor(part, path, (kind) => this.#dropped.add(`contents.${kind}`))
  }

  #call(called: JsonObject): JsonObject & { readonly id: string } {
    const given = stringAt(called, 'id') || undefined
    const id = given ?? `call${String(this.#count).padStart(5, '0')}`
    this.#count++
    const name = stringAt(called, 'name') ?? ''
    this.#waiting.push({ id, given, name })
    return { id, type: 'function', function: { name, arguments: JSON.stringify(called.args ?? {}) } }
  }

  /** What else it shows than a text follows as if the user had shown it. */
  #result(result: JsonObject, path: string): JsonObject[] {
    const text = resultText(result.response)
    const call = this.#callFor(result)
    const media = listOf(result.parts, `${path}.functionResponse.parts`)
    const others = media.flatMap((part) => this.#partsFor(part, `${path}.functionResponse.parts`))
    // No chat takes a result without a call.
    if (!call) return [textPart(text), ...others]
    this.#messages.push({ role: 'tool', tool_call_id: call.id, content: text })
    return others
  }

  /** The call that a result is for: by its id, or else the first of that name that waits. */
  #callFor({ id, name }: JsonObject): Waiting | undefined {
    const call =
      this.#waiting.find(({ given }) => given !== undefined && given === id) ??
      this.#waiting.find((waiting) => waiting.name === name)
    this.#waiting = this.#waiting.filter((waiting) => waiting !== call)
    return call
  }
}

function detailsOf(signature: unknown, id: string | undefined): readonly JsonObject[] {
  if (typeof signature !== 'string' || signature === '' || signature === placeholder) return []
  if (isOurs(signature)) return detailsInSignature(signature)
  return [{ type: 'reasoning.encrypted', data: signature, ...(id !== undefined && { id }), format: google }]
}

function isText({ type }: JsonObject): boolean {
  return type === 'text'
}
