import { isObject, type JsonObject, objectAt, stringAt, tryParse } from '../../wire/json.ts'
import { firstChoice } from './first-choice.ts'

/** Chunks from which nothing could be learnt, after which no more is tried: each may have an id of its own. */
const mostTries = 3

/** The start of what a delta says, up to its text, which is the group. */
const content = /"content":\s*("(?:[^"\\]|\\.)*")/
const literal = /^"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*"$/
const probe = '\u0000'

/** Recognises the chunks of a chat that differ from an earlier one in nothing but their text, without parsing them. */
export class PlainChunks {
  #before = ''
  #after = ''
  #tries = 0

  /** The text of such a chunk. */
  textIn(data: string): string | undefined {
    const start = this.#before.length
    const end = data.length - this.#after.length
    if (start === 0 || end < start || !data.startsWith(this.#before) || !data.endsWith(this.#after)) return undefined
    const text = data.slice(start, end)
    return literal.test(text) ? (JSON.parse(text) as string) : undefined
  }

  learn(data: string, chunk: JsonObject): void {
    if (this.#tries >= mostTries || !saysTextOnly(chunk)) return
    this.#tries++
    const found = content.exec(data)
    if (!found?.[1]) return
    const end = found.index + found[0].length
    const before = data.slice(0, end - found[1].length)
    const after = data.slice(end)
    // The first such text may have been another one, such as in a quote.
    const probed = tryParse(before + JSON.stringify(probe) + after)
    if (!isObject(probed) || stringAt(firstChoice(probed)?.delta, 'content') !== probe) return
    this.#before = before
    this.#after = after
  }
}

function saysTextOnly(chunk: JsonObject): boolean {
  const choice = firstChoice(chunk)
  const delta = objectAt(choice, 'delta')
  if (!choice || !delta || chunk.usage || choice.logprobs || choice.finish_reason) return false
  return Object.entries(delta).every(([key, value]) => key === 'content' || key === 'role' || value === null)
}
