import { isObject, stringAt, tryParse } from '../../wire/json.ts'
import { inputField } from './custom-function.ts'

const head = new RegExp(`^\\s*\\{\\s*"${inputField}"\\s*:\\s*"`)
/** No head is longer. */
const longestHead = 100

/** What stands for itself in a JSON text, and escapes, but for one at its end that may go on. */
const readable = /^[^"\\]*(?:\\(?:u[\da-fA-F]{4}|u(?![\da-fA-F]{0,3}$)|[^u])[^"\\]*)*/
const escaped = /\\(?:u([\da-fA-F]{4})|(["\\/bfnrt]))/g

/** Reads the text of a custom tool, which stands inside JSON, while that is being written. */
export class CustomInput {
  #unread = ''
  #text = ''
  #state: 'before' | 'inside' | 'behind' | 'elsewhere' = 'before'

  /** What of the text another piece of the JSON tells. */
  add(piece: string): string {
    if (this.#state === 'behind') return ''
    this.#unread += piece
    if (this.#state === 'before') this.#enter()
    if (this.#state !== 'inside') return ''
    const [read = ''] = readable.exec(this.#unread) ?? []
    this.#unread = this.#unread.slice(read.length)
    if (this.#unread.startsWith('"')) this.#state = 'behind'
    const text = read.replace(escaped, meaning)
    this.#text += text
    return text
  }

  /** What can only be told at the end. */
  get rest(): string {
    return this.#state === 'before' || this.#state === 'elsewhere' ? textIn(this.#unread) : ''
  }

  /** All of it so far. */
  get text(): string {
    return this.#text + this.rest
  }

  #enter(): void {
    const [found] = head.exec(this.#unread) ?? []
    if (found !== undefined) {
      this.#unread = this.#unread.slice(found.length)
      this.#state = 'inside'
    } else if (this.#unread.length > longestHead) this.#state = 'elsewhere'
  }
}

const meanings: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }

function meaning(_: string, code: string | undefined, character: string): string {
  return code === undefined ? (meanings[character] ?? character) : String.fromCharCode(Number.parseInt(code, 16))
}

/** The text in whole arguments. */
export function inputIn(given: string): string {
  const input = new CustomInput()
  input.add(given)
  return input.text
}

/** Some models give the text another name, and one that doesn't keep to the form at all has meant all of it. */
function textIn(given: string): string {
  const uncut = given.replace(/\\(u[\da-f]{0,3})?$/i, '')
  const parsed = tryParse(given) ?? tryParse(`${given}"}`) ?? tryParse(`${uncut}"}`)
  const [only, another] = isObject(parsed) ? Object.values(parsed) : []
  return stringAt(parsed, inputField) ?? (typeof only === 'string' && another === undefined ? only : given)
}
