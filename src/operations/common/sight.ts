import type { Unbounded } from '../../core/bounding.ts'
import type { RequestBody } from '../../wire/body.ts'
import { imageTypeOfBase64 } from '../../wire/image-format.ts'
import { isObject, type JsonObject } from '../../wire/json.ts'
import { textLength } from '../../wire/outline.ts'
import { isBoundedRecording } from './recording.ts'

/** In words, as in `Unbounded`. */
export const kept = 'an earlier exchange that the provider keeps'
const unsure = 'a picture that may be something else'

/**
 * What a request shows without having it: whatever is behind an address, or kept by a provider, may be of any length, and
 * so may a file, whose pages are packed. A part is looked at once, where a server reads it, and tells what of it the
 * request's bytes don't bound.
 */
export class Sight {
  #lost: string | undefined
  #file: string | undefined
  #files = 0
  #answers = 0
  #pictures = 0
  #fileCharacters = 0
  #pictureCharacters = 0
  #isUnclear = false
  readonly #lengthOf: (text: string) => number

  /** `isWhole`: whether all texts are there, so that none may stand for a longer one. */
  constructor(isWhole = false) {
    this.#lengthOf = isWhole ? ({ length }) => length : textLength
  }

  /** Something that nothing bounds, in words. */
  lose(what: string): void {
    this.#lost ??= what
  }

  /** `what`: a file, in words. `data`: its characters in the request; any other value has none. */
  addFile(what: string, data?: unknown): void {
    this.#file ??= what
    this.#files++
    this.#fileCharacters += this.#charactersOf(data)
  }

  /** Part of an earlier answer, which the provider keeps. */
  addAnswer(): void {
    this.#answers++
  }

  /** The address of a picture, or data; a provider may keep one without. Anything else may be called so. */
  addPicture(address: unknown): void {
    if (address === undefined || address === null) this.#pictures++
    else if (typeof address !== 'string') this.addFile(unsure)
    else if (/^\s*https?:/i.test(address)) this.#pictures++
    else if (dataOfPicture.test(address)) this.#addPictureData(address)
    else if (this.isCut(address)) return
    else if (imageTypeOfBase64(address.replace(untyped, '')) !== undefined) this.#addPictureData(address)
    else this.addFile(unsure, /^\s*data:/i.test(address) ? address : undefined)
  }

  /** In base64, of a media type: some servers go by that. */
  addPictureOf(type: unknown, data: unknown): void {
    if (/^image\/[\w.+-]+$/i.test(String(type))) this.#addPictureData(data)
    else this.addFile(unsure, data)
  }

  /** In base64. `type`: its format, or media type. */
  addRecording(data: string, type: unknown): void {
    if (this.isCut(data)) return
    if (!isBoundedRecording(data, type)) this.addFile('a recording', data)
  }

  /** Whether a text isn't all there, so that the whole request must be looked at. */
  isCut(text: string): boolean {
    const isCut = this.#lengthOf(text) !== text.length
    this.#isUnclear ||= isCut
    return isCut
  }

  /** Whether a text of which only the length is there would say more. */
  get isUnclear(): boolean {
    return this.#isUnclear
  }

  /** Undefined: nothing. */
  found(param: string): Unbounded | undefined {
    if (this.#lost !== undefined) return { what: this.#lost, param }
    const [files, answers, pictures] = [this.#files, this.#answers, this.#pictures]
    if (files + answers + pictures === 0) return undefined
    const characters = { fileCharacters: this.#fileCharacters, pictureCharacters: this.#pictureCharacters }
    return { what: this.#file ?? kept, param, unseen: { files, answers, pictures, ...characters } }
  }

  #addPictureData(data: unknown): void {
    this.#pictures++
    this.#pictureCharacters += this.#charactersOf(data)
  }

  #charactersOf(data: unknown): number {
    return typeof data === 'string' ? this.#lengthOf(data) : 0
  }
}

/** Or what an outline tells of it. */
const dataOfPicture = /^(?:\s*|\0\d+)data:image\/[\w.+*-]+;/i
/** Data of which only its bytes tell what it is. */
const untyped = /^\s*data:(?:application\/octet-stream)?;base64,/i

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
  const whole = new Sight(true)
  look(uncut(asked, body), whole)
  return whole.found(param)
}

/** With the body's own values in place of those of its outline; what the configuration sets stays. */
function uncut(asked: JsonObject, { outline, json }: RequestBody): JsonObject {
  const values = Object.entries(asked).map(([name, value]) => [name, value === outline[name] ? json[name] : value])
  return Object.fromEntries(values)
}

/** Looks at each object of a list, of those inside, or at what stands for a list of one. */
export function each(list: unknown, look: (one: JsonObject) => void): void {
  if (Array.isArray(list)) {
    for (const one of list) each(one, look)
  } else if (isObject(list)) look(list)
}

export function unknownPart(type: unknown): string {
  return `content of the type \`${String(type).slice(0, 100)}\``
}
