/** Characters of a text that others have chosen. */
const longest = 200

/** What stands in JSON as it is. */
const plain = /^[ !#-[\]-~]*$/

/** A text as JSON: cut, and without half characters, which strict readers refuse. */
export function textJSON(text: string): string {
  if (text.length <= longest && plain.test(text)) return `"${text}"`
  const whole = text.length > longest ? `${text.slice(0, longest)}…` : text
  return JSON.stringify(whole.toWellFormed())
}

/**
 * Attributes of a span or a resource in OTLP's JSON. Written out at once: objects made for `JSON.stringify` cost three
 * times as much. What is undefined, or has no name, is left out.
 */
export class Attributes {
  #json = ''

  text(name: string | undefined, value: string | undefined): this {
    if (value !== undefined) this.#add(name, `"stringValue":${textJSON(value)}`)
    return this
  }

  texts(name: string | undefined, values: readonly string[]): this {
    const all = values.map((value) => `{"stringValue":${textJSON(value)}}`)
    if (all.length > 0) this.#add(name, `"arrayValue":{"values":[${all.join()}]}`)
    return this
  }

  /** A whole number; anything else is left out. */
  int(name: string | undefined, value: unknown): this {
    // 64 bits are a string in JSON.
    if (Number.isSafeInteger(value)) this.#add(name, `"intValue":"${value}"`)
    return this
  }

  /** Anything but a finite number is left out. */
  double(name: string | undefined, value: unknown): this {
    if (Number.isFinite(value)) this.#add(name, `"doubleValue":${value}`)
    return this
  }

  flag(name: string | undefined, value: boolean): this {
    this.#add(name, `"boolValue":${value}`)
    return this
  }

  /** The members of a JSON list. */
  get json(): string {
    return this.#json
  }

  #add(name: string | undefined, value: string): void {
    if (name !== undefined) this.#json += `${this.#json === '' ? '' : ','}{"key":"${name}","value":{${value}}}`
  }
}

/** Attributes whose names come from a configuration. */
export function attributesOf(pairs: Readonly<Record<string, string>>): string {
  return Object.entries(pairs)
    .map(([name, value]) => `{"key":${textJSON(name)},"value":{"stringValue":${JSON.stringify(value.toWellFormed())}}}`)
    .join()
}
