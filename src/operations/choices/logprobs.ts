import type { Omission } from '../../core/omission.ts'
import { isObject, type JsonObject, objectAt, tryParse } from '../../wire/json.ts'
import type { ServerEvent } from '../../wire/sse.ts'
import { hasContent } from '../repair/parts.ts'
import { choicesFeatures } from './features.ts'

/** What notices answers without the log probabilities that a request asks for; undefined if it asks for none. */
export function logprobsOmission(asked: JsonObject): Omission | undefined {
  return choicesFeatures.logprobs.find(asked) === undefined ? undefined : new MissingLogprobs()
}

/**
 * Text without log probabilities shows that the server ignores the field. Calls and reasoning don't: even servers that
 * know it tell none for those.
 */
class MissingLogprobs implements Omission {
  readonly feature = 'logprobs'
  /** Pieces of text that came without. */
  #bare = 0

  isIn(answer: JsonObject): boolean {
    const choices = choicesOf(answer)
    return choices.some(hasText) && !choices.some(hasLogprobs)
  }

  /** Some servers send the probabilities of a token with the piece after it, so the first piece alone says nothing. */
  see({ data }: ServerEvent): 'missing' | 'fine' | undefined {
    const choices = choicesOf(tryParse(data))
    if (choices.some(hasLogprobs)) return 'fine'
    const isOver = choices.some((choice) => choice.finish_reason)
    if (choices.some(hasText)) return ++this.#bare > 1 || isOver ? 'missing' : undefined
    if (isOver) return this.#bare > 0 ? 'missing' : 'fine'
    return choices.some(hasContent) ? 'fine' : undefined
  }
}

function choicesOf(answer: unknown): readonly JsonObject[] {
  return isObject(answer) && Array.isArray(answer.choices) ? answer.choices.filter(isObject) : []
}

function hasText({ message, delta, text }: JsonObject): boolean {
  const said = isObject(delta) ? delta : isObject(message) ? message : { content: text }
  return typeof said.content === 'string' && said.content !== ''
}

/** In the form of chat, or of the legacy route: a list for each token. */
function hasLogprobs(choice: JsonObject): boolean {
  return Object.values(objectAt(choice, 'logprobs') ?? {}).some((list) => Array.isArray(list) && list.length > 0)
}
