import { longestName, remembering, shownJSON, withoutKeys } from '../../keys.ts'
import type { Attributes } from '../attributes.ts'

/** Attributes of the same type begin alike, and there are few names, all of them from the code. */
function beginning(type: string): (name: string) => string {
  const known = new Map<string, string>()
  return (name) => {
    const found = known.get(name)
    if (found !== undefined) return found
    const made = `{"key":"${name}","value":{"${type}":`
    known.set(name, made)
    return made
  }
}

const text = beginning('stringValue')
const list = beginning('arrayValue')
const int = beginning('intValue')
const double = beginning('doubleValue')
const flag = beginning('boolValue')

/** Written before, for objects that have the same each time. */
let same = new WeakMap<object, string>()
remembering({
  clear() {
    same = new WeakMap()
  },
})

/** Attributes in OTLP's JSON. Written out at once: objects made for `JSON.stringify` cost three times as much. */
export class JSONAttributes implements Attributes {
  #json = ''

  text(name: string | undefined, value: string | undefined): this {
    if (name !== undefined && value !== undefined) this.#add(`${text(name)}${shownJSON(value)}}}`)
    return this
  }

  unique(name: string | undefined, value: string): this {
    const safe = withoutKeys(value.slice(0, longestName)).toWellFormed()
    if (name !== undefined) this.#add(`${text(name)}${JSON.stringify(safe)}}}`)
    return this
  }

  word(name: string | undefined, value: string | undefined): this {
    if (name !== undefined && value !== undefined) this.#add(`${text(name)}"${value}"}}`)
    return this
  }

  id(name: string, value: string): this {
    return this.word(name, value)
  }

  texts(name: string | undefined, values: readonly string[]): this {
    if (name === undefined || values.length === 0) return this
    const all = values.map((value) => `{"stringValue":${shownJSON(value)}}`)
    this.#add(`${list(name)}{"values":[${all.join()}]}}}`)
    return this
  }

  int(name: string | undefined, value: unknown): this {
    // 64 bits are a string in JSON.
    if (name !== undefined && Number.isSafeInteger(value)) this.#add(`${int(name)}"${value}"}}`)
    return this
  }

  double(name: string | undefined, value: unknown): this {
    if (name !== undefined && Number.isFinite(value)) this.#add(`${double(name)}${value}}}`)
    return this
  }

  flag(name: string | undefined, value: boolean): this {
    if (name !== undefined) this.#add(`${flag(name)}${value}}}`)
    return this
  }

  same<Of extends object>(of: Of, write: (attributes: Attributes, of: Of) => void): this {
    let json = same.get(of)
    if (json === undefined) {
      const made = new JSONAttributes()
      write(made, of)
      json = made.json
      same.set(of, json)
    }
    if (json !== '') this.#add(json)
    return this
  }

  /** The members of a JSON list. */
  get json(): string {
    return this.#json
  }

  #add(attribute: string): void {
    this.#json += this.#json === '' ? attribute : `,${attribute}`
  }
}

/** Attributes whose names come from a configuration. */
export function attributesOf(pairs: Readonly<Record<string, string>>): string {
  return Object.entries(pairs)
    .map(
      ([name, value]) => `{"key":${shownJSON(name)},"value":{"stringValue":${JSON.stringify(value.toWellFormed())}}}`,
    )
    .join()
}
