import type { JsonObject } from '../../wire/json.ts'
import { indexOf } from './head.ts'

/**
 * Which choice each chunk of a stream belongs to. Where one choice was asked for, some servers count its chunks
 * (microsoft/foundry-local#263, huggingface/text-generation-inference#1648): they all belong to the choice 0. Others send
 * several choices unasked, one after the other, which stay apart.
 */
export class ChoiceIndexes {
  readonly #request: { readonly body: JsonObject }
  #first: number | undefined
  /** Whether the second chunk had the index after that of the first one. */
  #counts: boolean | undefined

  /** `request`: its body is looked at only if there is an index other than 0. */
  constructor(request: { readonly body: JsonObject }) {
    this.#request = request
  }

  /** The index of a choice in a chunk of `of` choices. `at`: its place there, which counts where it has no index. */
  next({ index }: JsonObject, at: number, of: number): number {
    const given = indexOf(index) ?? at
    if (of > 1) return given
    if (this.#first === undefined) this.#first = given
    else this.#counts ??= given === this.#first + 1
    if (given === 0 || !asksForOne(this.#request.body)) return given
    return this.#counts || given === this.#first ? 0 : given
  }
}

/** The old route answers each prompt of a list; a list of numbers is one prompt of tokens. */
function asksForOne({ n, prompt }: JsonObject): boolean {
  const prompts = Array.isArray(prompt) && typeof prompt[0] !== 'number' ? prompt.length : 1
  return (n ?? 1) === 1 && prompts === 1
}
