import type { Conclusion, Fault, Sight, StreamReader } from '../../core/stream-reader.ts'
import { isObject, type JsonObject, tryParse } from '../../wire/json.ts'
import type { ServerEvent } from '../../wire/sse.ts'
import { toldError } from '../../wire/told-error.ts'
import { usageIn } from '../common/usage.ts'
import { ChoiceIndexes } from '../repair/choice-indexes.ts'
import { hasContent, isEmptyChoice } from '../repair/parts.ts'
import { isFailure, isFinish, isMalformedCall } from '../repair/reasons.ts'

/** Checks that an answer has choices and returns what is wrong; `part` is what each choice must hold. */
export function choicesFault(part: 'message' | 'text'): (answer: JsonObject) => Fault | undefined {
  const holds = (choice: unknown) =>
    isObject(choice) && (part === 'message' ? isObject(choice.message) : typeof choice.text === 'string')
  return (answer) => {
    const { choices } = answer
    const error = toldError(answer)
    if (error !== undefined) return { told: error }
    if (!Array.isArray(choices)) return { wrong: 'sent an answer without choices' }
    if (choices.length === 0) return { wrong: 'sent an answer with an empty list of choices' }
    for (const choice of choices) {
      const fault = faultIn(choice, isEmptyChoice)
      if (fault) return fault
    }
    return choices.every(holds) ? undefined : { wrong: `sent a choice without a ${part}` }
  }
}

export function choicesConclusion({ id, choices }: JsonObject): Conclusion {
  return { id, reasons: Array.isArray(choices) ? choices.map((choice) => choice?.finish_reason) : [] }
}

/** The error of a single choice: OpenRouter's servers fail like this after they have answered 200. */
function faultIn(choice: unknown, isEmpty: (choice: JsonObject) => boolean): Fault | undefined {
  if (!isObject(choice)) return undefined
  if (toldError(choice) !== undefined) return { told: choice.error }
  if (isFailure(choice.finish_reason)) return { wrong: 'ended its answer with an error' }
  const isFailed = isMalformedCall(choice.finish_reason) && isEmpty(choice)
  return isFailed ? { wrong: 'answered with nothing but a malformed tool call' } : undefined
}

/**
 * Text fields of a choice that arrive piece by piece, and others that vary: OpenAI pads its chunks with an
 * `obfuscation` of random length.
 */
const texts: ReadonlySet<string> = new Set(
  ['content', 'text', 'reasoning_content', 'reasoning', 'refusal', 'arguments'].concat('obfuscation', 'id'),
)

/** Reads a stream of choices: chat's deltas or the texts of legacy completions. */
export class ChoicesReader implements StreamReader {
  readonly texts = texts
  /** The choices that have started, by index, and why they have finished; false while they haven't. */
  readonly #choices = new Map<unknown, unknown>()
  #id: unknown
  #unfinished = 0
  #hasContent = false
  readonly #isEmpty = (choice: JsonObject) => !this.#hasContent && !hasContent(choice)
  #usage: JsonObject | undefined
  readonly #indexes: ChoiceIndexes

  /** `asked`: the request's fields, which tell how many choices there can be. */
  constructor(asked: JsonObject = {}) {
    this.#indexes = new ChoiceIndexes({ body: asked })
  }

  get complete(): boolean {
    return this.#choices.size > 0 && this.#unfinished === 0
  }

  get usage(): JsonObject | undefined {
    return this.#usage
  }

  get conclusion(): Conclusion {
    return { id: this.#id, reasons: [...this.#choices.values()] }
  }

  see({ data, event }: ServerEvent): Sight {
    const text = data.trim()
    if (text === '') return 'nothing'
    if (text === '[DONE]') return 'end'
    const chunk = tryParse(text)
    if (chunk === undefined) return { wrong: 'sent an event that is no JSON' }
    // llama.cpp starts a stream of several prompts with `null`.
    if (!isObject(chunk)) return chunk === null ? 'nothing' : { wrong: 'sent an event that is no chunk' }
    const error = toldError(chunk)
    // All of it: what kind of error it is may stand beside it.
    if (error !== undefined) return { told: chunk }
    if (event === 'error') return { told: chunk }
    this.#id ||= chunk.id
    this.#usage = usageIn(chunk) ?? this.#usage
    let sight: Sight = 'nothing'
    const choices = Array.isArray(chunk.choices) ? chunk.choices : [chunk.choices]
    for (const [at, choice] of choices.entries()) {
      const fault = faultIn(choice, this.#isEmpty)
      if (fault) return fault
      const seen = this.#choice(choice, at, choices.length)
      if (seen === 'finish' || sight === 'nothing') sight = seen
    }
    return sight
  }

  #choice(choice: unknown, at: number, of: number): 'nothing' | 'content' | 'finish' {
    if (!isObject(choice)) return 'nothing'
    const index = this.#indexes.next(choice, at, of)
    const finished = this.#choices.get(index)
    if (isFinish(choice.finish_reason)) {
      if (finished === false) this.#unfinished--
      this.#choices.set(index, choice.finish_reason)
      return 'finish'
    }
    if (finished === undefined) {
      this.#unfinished++
      this.#choices.set(index, false)
    }
    if (!hasContent(choice)) return 'nothing'
    this.#hasContent = true
    return 'content'
  }
}
