import type { WireContext } from '../../core/wire-context.ts'
import { isObject, type JsonObject } from '../../wire/json.ts'
import { callForms } from './call-forms.ts'
import { ChoiceIndexes } from './choice-indexes.ts'
import { isFinish } from './reasons.ts'
import { hasCalls, hasThoughts, isImplied, mayThink, TextParts, thoughtBeside } from './text-parts.ts'
import type { Told } from './thoughts.ts'

/** A whole answer with its reasoning and calls in their own fields; the same object if they are there. */
export function withTextsRead(answer: JsonObject, context: WireContext): JsonObject {
  const { choices } = answer
  if (!context.texts || !Array.isArray(choices)) return answer
  for (const [at, choice] of choices.entries()) {
    const read = isObject(choice) ? readChoice(choice, context) : choice
    if (read === choice) continue
    const rest = choices.slice(at + 1).map((one) => (isObject(one) ? readChoice(one, context) : one))
    return { ...answer, choices: [...choices.slice(0, at), read, ...rest] }
  }
  return answer
}

const marks = ['</think>', ...callForms.map(({ opens }) => opens)]
/** One character is found many times as fast as a mark, and most texts have none of these. */
const marksByFirst = Object.entries(Object.groupBy(marks, (mark) => mark.charAt(0)))

/** Whether there may be something to tell apart in a whole text. */
function mayTell(content: string, { finish_reason: finish }: JsonObject, context: WireContext): boolean {
  if (/^\s*[[{<◁]/.test(content)) return true
  for (const [first, alike = []] of marksByFirst) {
    if (content.includes(first) && alike.some((mark) => content.includes(mark))) return true
  }
  // Where the prompt has ended with the opening tag, a thought that was cut has no sign at all.
  return isCut(finish) && isImplied(context)
}

function readChoice(choice: JsonObject, context: WireContext): JsonObject {
  const { message } = choice
  if (!isObject(message)) return choice
  const { content } = message
  const thought = thoughtBeside(message)
  const given = thought === undefined ? message : { ...message, reasoning_content: thought }
  const said =
    typeof content === 'string' && mayTell(content, choice, context)
      ? readMessage(given, content, choice, context)
      : given
  return said === message ? choice : { ...choice, message: said }
}

function readMessage(message: JsonObject, content: string, choice: JsonObject, context: WireContext): JsonObject {
  const parts = new TextParts(context)
  const told = [
    ...(hasThoughts(message) ? parts.withoutThoughts() : []),
    ...(hasCalls(message) ? parts.withoutCalls() : []),
    ...parts.add(content),
    ...parts.end(isCut(choice.finish_reason)),
  ]
  const thoughts = told.flatMap((part) => ('thought' in part ? part.thought : []))
  const calls = told.flatMap((part) => ('calls' in part ? part.calls.map(({ index: _, ...call }) => call) : []))
  const rest = told.flatMap((part) => ('content' in part ? part.content : [])).join('')
  const thought = parts.mistaken ? '' : thoughts.join('')
  if (rest === content && calls.length === 0) return message
  return {
    ...message,
    content: rest === '' && calls.length > 0 ? null : rest,
    ...(thought !== '' && { reasoning_content: thought }),
    ...(calls.length > 0 && { tool_calls: calls }),
  }
}

const isCut = (finish: unknown) => finish === 'length'

/** Reads the texts in the chunks of one stream. */
export class ChunkTexts {
  readonly #context: WireContext
  readonly #indexes: ChoiceIndexes
  readonly #choices = new Map<number, TextParts>()
  /** Whether other chunks like the last one must be looked at. */
  looking = false

  constructor(context: WireContext) {
    this.#context = context
    this.#indexes = new ChoiceIndexes(context)
  }

  /** The chunks that a chunk becomes, maybe none while its text is held back; undefined if it stays as it is. */
  read(chunk: JsonObject): JsonObject[] | undefined {
    this.looking = false
    const { choices, usage, ...rest } = chunk
    if (!Array.isArray(choices)) return undefined
    const { length } = choices
    const read = choices.map((choice, at) =>
      isObject(choice) ? this.#choice(choice, this.#indexes.next(choice, at, length)) : undefined,
    )
    if (read.every((pieces) => pieces === undefined)) return undefined
    const pieces = read.flatMap((own, at) => own ?? [choices[at]])
    const chunks: JsonObject[] = pieces.map((piece) => ({ ...rest, choices: [piece] }))
    if (usage === undefined) return chunks
    const last = chunks.pop() ?? { ...rest, choices: [] }
    return [...chunks.map((one) => (usage === null ? { ...one, usage } : one)), { ...last, usage }]
  }

  #choice(given: JsonObject, index: number): JsonObject[] | undefined {
    // One that the upstream counted otherwise goes on as counted here, in all chunks.
    const choice = given.index === index ? given : { ...given, index }
    const delta = isObject(choice.delta) ? choice.delta : choice.message
    if (!isObject(delta)) return undefined
    const finishes = isFinish(choice.finish_reason)
    const { content } = delta
    const thought = thoughtBeside(delta)
    if (mayThink(delta)) this.looking = true
    const told = this.#told(index, delta, finishes ? choice.finish_reason : undefined)
    const same = told.length === 1 && told[0] && 'content' in told[0] && told[0].content === content
    const isAsIs = same || (told.length === 0 && (typeof content !== 'string' || content === ''))
    if (isAsIs && thought === undefined) return choice === given ? undefined : [choice]
    const said = thought === undefined ? delta : { ...delta, reasoning_content: thought }
    return isAsIs ? [{ ...choice, delta: said }] : piecesOf(choice, said, told)
  }

  /** What a delta says in its content, as far as that is certain. */
  #told(index: number, delta: JsonObject, finish: unknown): Told[] {
    const { content } = delta
    const known = this.#choices.get(index)
    const parts = known ?? new TextParts(this.#context)
    if (!known) this.#choices.set(index, parts)
    // Parts have their reasoning apart.
    const isList = Array.isArray(content)
    if (parts.settled) return typeof content === 'string' && content !== '' ? [{ content }] : []
    const told = [
      ...(hasThoughts(delta) || isList ? parts.withoutThoughts() : []),
      ...(hasCalls(delta) ? parts.withoutCalls() : []),
      ...(typeof content === 'string' && content !== '' ? parts.add(content) : []),
      ...(finish === undefined ? [] : parts.end(isCut(finish))),
    ]
    if (!parts.settled) this.looking = true
    return told
  }
}

/** The choices that say, one after the other, what was told apart in one. */
function piecesOf(choice: JsonObject, delta: JsonObject, told: readonly Told[]): JsonObject[] {
  const { content, ...beside } = delta
  const others = typeof content === 'string' ? beside : delta
  const { delta: __, message: ___, finish_reason: finish, logprobs, ...rest } = choice
  const deltas = told.map((part): JsonObject => {
    if ('calls' in part) return { tool_calls: part.calls }
    return 'thought' in part ? { reasoning_content: part.thought } : { content: part.content }
  })
  const first = deltas[0]
  const clashes = first && Object.keys(first).some((key) => key in others)
  const all = first && !clashes ? [{ ...others, ...first }, ...deltas.slice(1)] : [others, ...deltas]
  const filled = all.filter((one) => Object.keys(one).length > 0)
  const pieces: JsonObject[] = filled.map((one, at) => ({
    ...rest,
    delta: one,
    ...(at === 0 && logprobs !== undefined && { logprobs }),
    finish_reason: null,
  }))
  // Clients that end at a finish would miss what came in one delta with it.
  return isFinish(finish) ? [...pieces, { ...rest, delta: {}, finish_reason: finish }] : pieces
}
