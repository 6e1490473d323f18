import type { Unbounded } from '../../core/bounding.ts'
import type { RequestBody } from '../../wire/body.ts'
import { imageTypeOfBase64 } from '../../wire/image-format.ts'
import { isObject, type JsonObject } from '../../wire/json.ts'
import { textLength } from '../../wire/outline.ts'
import { isBoundedRecording } from './recording.ts'

/** In words, as in `Unbounded`. */
export const kept = 'an earlier exchange that the provider keeps'

/**
 * What a request shows without having it: whatever is behind an address, or kept by a provider, may be of any length, and
 * so may a file, whose pages are packed. A part is looked at once, and tells what of it the request's bytes don't bound.
 */
export class Sight {
  #lost: string | undefined
  #file: string | undefined
  #files = 0
  #characters = 0
  #answers = 0
  #isUnclear = false

  /** Something that nothing bounds, in words. */
  lose(what: string): void {
    this.#lost ??= what
  }

  /** `what`: a file, in words. `data`: its characters in the request; any other value has none. */
  addFile(what: string, data?: unknown): void {
    this.#file ??= what
    this.#files++
    if (typeof data === 'string') this.#characters += textLength(data)
  }

  /** Part of an earlier answer, which the provider keeps. */
  addAnswer(): void {
    this.#answers++
  }

  /** The address of a picture. Anything else may be called one, which some servers read as what it is. */
  addPicture(address: unknown): void {
    if (typeof address !== 'string' || /^\s*(?:data:image\/|https?:)/i.test(address)) return
    const isMarked = textLength(address) !== address.length
    if (isMarked && isImageData.test(address)) return
    if (isMarked) this.#isUnclear = true
    // Its characters are among those of the pictures.
    else if (imageTypeOfBase64(address) === undefined) this.addFile('a picture that may be something else')
  }

  /** In base64. `type`: its format, or media type. */
  addRecording(data: string, type: unknown): void {
    if (this.isCut(data)) return
    if (!isBoundedRecording(data, type)) this.addFile('a recording', data)
  }

  /** Whether a text isn't all there, so that the whole request must be looked at. */
  isCut(text: string): boolean {
    const isCut = textLength(text) !== text.length
    this.#isUnclear ||= isCut
    return isCut
  }

  /** Whether a text of which only the length is there would say more. */
  get isUnclear(): boolean {
    return this.#isUnclear
  }

  found(param: string): Unbounded | undefined {
    if (this.#lost !== undefined) return { what: this.#lost, param }
    if (this.#files + this.#answers === 0) return undefined
    const unseen = { files: this.#files, characters: this.#characters, answers: this.#answers }
    return { what: this.#file ?? kept, param, unseen }
  }
}

/** How an outline tells of the data of a picture. */
const isImageData = /^\0\d+data:image\//i

/** What of a request, in `param`, can't be seen; undefined: all of it can. */
export function outOfSight(
  param: string,
  asked: JsonObject,
  body: RequestBody,
  look: (asked: JsonObject, sight: Sight) => void,
): Unbounded | undefined {
  const sight = new Sight()
  look(asked, sight)
  if (!sight.isUnclear) return sight.found(param)
  const whole = new Sight()
  look(uncut(asked, body), whole)
  return whole.found(param)
}

/** With the body's own values in place of those of its outline; what the configuration sets stays. */
function uncut(asked: JsonObject, { outline, json }: RequestBody): JsonObject {
  const values = Object.entries(asked).map(([name, value]) => [name, value === outline[name] ? json[name] : value])
  return Object.fromEntries(values)
}

/** Looks at each object of a list, or at what stands for a list of one. */
export function each(list: unknown, look: (one: JsonObject) => void): void {
  if (Array.isArray(list)) {
    for (const one of list) if (isObject(one)) look(one)
  } else if (isObject(list)) look(list)
}

export function unknownPart(type: unknown): string {
  return `content of the type \`${String(type).slice(0, 100)}\``
}
