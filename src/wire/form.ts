import { invalid } from './body.ts'
import type { GatewayError } from './errors.ts'
import type { JsonObject } from './json.ts'

/** A part of a `multipart/form-data` body that was read whole. Positions are in the bytes that were read. */
export interface FormPart {
  readonly name: string
  readonly isFile: boolean
  /** The content type of a file, if it has one. */
  readonly type: string | undefined
  readonly filename: string | undefined
  /** Where its boundary line starts. */
  readonly start: number
  readonly valueStart: number
  readonly valueEnd: number
  /** Where the next boundary line starts. */
  readonly end: number
}

/** Changes to a form's fields. A list becomes one part for each of its values. */
export interface FormEdits {
  readonly set?: ReadonlyMap<string, unknown>
  readonly drop?: ReadonlySet<string>
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Bytes of a part's headers; more is no form of any client. */
const mostHead = 16 * 1024
/** Bytes of a field's value that is read; longer ones are sent on unread. */
const mostValue = 64 * 1024
const mostParts = 1000

/** Finds the parts of a form in bytes that arrive piece by piece. */
export class FormReader {
  readonly parts: FormPart[] = []
  readonly #delimiter: Uint8Array
  /** Where the search goes on. */
  #at = 0
  #open: Omit<FormPart, 'valueEnd' | 'end'> | undefined
  #ended = false

  constructor(boundary: string) {
    this.#delimiter = encoder.encode(`\r\n--${boundary}`)
  }

  /** Whether the last boundary was seen. */
  get ended(): boolean {
    return this.#ended
  }

  /** Reads on in `bytes`, which hold all that has come so far. Throws a 400 at what is no form. */
  read(bytes: Uint8Array): void {
    while (!this.#ended) {
      const open = this.#open
      if (!open) {
        if (!this.#begin(bytes)) return
        continue
      }
      const at = find(bytes, this.#delimiter, this.#at)
      if (at < 0) {
        this.#at = Math.max(open.valueStart, bytes.length - this.#delimiter.length + 1)
        return
      }
      this.parts.push({ ...open, valueEnd: at, end: at + 2 })
      if (this.parts.length > mostParts) throw invalid(`Could not parse multipart form: more than ${mostParts} parts.`)
      this.#open = undefined
      this.#at = at + 2
    }
  }

  /** Reads a boundary line and the headers behind it. False if they have not all come yet. */
  #begin(bytes: Uint8Array): boolean {
    const mark = this.#delimiter.subarray(2)
    const start = this.#at
    if (start === 0 && bytes[0] === 13 && bytes[1] === 10) {
      this.#at = 2
      return true
    }
    if (bytes.length < start + mark.length + 2) return false
    if (!startsAt(bytes, mark, start))
      throw invalid('Could not parse multipart form: it does not start with its boundary.')
    const after = start + mark.length
    if (bytes[after] === 45 && bytes[after + 1] === 45) {
      this.#ended = true
      return true
    }
    const headEnd = find(bytes, blankLine, after)
    if (headEnd < 0 || headEnd - after > mostHead) {
      if (bytes.length - after > mostHead)
        throw invalid('Could not parse multipart form: the headers of a part do not end.')
      return false
    }
    this.#open = { ...readHead(decoder.decode(bytes.subarray(after, headEnd))), start, valueStart: headEnd + 4 }
    // A value may be empty: then its delimiter begins in the blank line.
    this.#at = headEnd + 2
    return true
  }
}

const blankLine = encoder.encode('\r\n\r\n')

function readHead(head: string): Pick<FormPart, 'name' | 'isFile' | 'type' | 'filename'> {
  const disposition = /^content-disposition:(.*)$/im.exec(head)?.[1] ?? ''
  const filename = parameter(disposition, 'filename')
  const name = parameter(disposition, 'name')
  if (name === undefined) throw invalid('Could not parse multipart form: a part has no name.')
  const isFile = filename !== undefined || /\bfilename\*\s*=/i.test(disposition)
  const type = /^content-type:\s*([^\r\n]+?)\s*$/im.exec(head)?.[1]
  return { name, isFile, type, filename }
}

function parameter(disposition: string, key: string): string | undefined {
  const [, quoted, plain] =
    new RegExp(`;\\s*${key}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s;"]+))`, 'i').exec(disposition) ?? []
  return quoted?.replace(/\\(.)/g, '$1') ?? plain
}

function find(bytes: Uint8Array, mark: Uint8Array, from: number): number {
  const first = mark[0] as number
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (at + mark.length > bytes.length) return -1
    if (startsAt(bytes, mark, at)) return at
  }
  return -1
}

function startsAt(bytes: Uint8Array, mark: Uint8Array, at: number): boolean {
  for (let index = 0; index < mark.length; index++) if (bytes[at + index] !== mark[index]) return false
  return true
}

/** Whether a value is too long to be read. */
export function isLong({ valueStart, valueEnd }: FormPart): boolean {
  return valueEnd - valueStart > mostValue
}

/** The fields of a form that are texts, as a JSON request would have them. A name that ends in `[]` is a list. */
export function fieldsOf(bytes: Uint8Array, parts: readonly FormPart[]): JsonObject {
  const fields: Record<string, unknown> = Object.create(null)
  for (const part of parts) {
    const { name, isFile, valueStart, valueEnd } = part
    if (isFile || isLong(part)) continue
    const value = decoder.decode(bytes.subarray(valueStart, valueEnd))
    const key = keyOf(part)
    const before = fields[key]
    fields[key] =
      key !== name || before !== undefined
        ? [...(Array.isArray(before) ? before : before === undefined ? [] : [before]), value]
        : value
  }
  if (typeof fields.stream === 'string') fields.stream = /^(true|1)$/i.test(fields.stream.trim())
  return { ...fields }
}

/**
 * The bytes of a form with some fields changed; all others stay the same. A field keeps its place, new ones come first.
 * Returns pieces; unchanged ones are not copied.
 */
export function editForm(
  bytes: Uint8Array,
  parts: readonly FormPart[],
  boundary: string,
  { set = new Map(), drop = new Set() }: FormEdits,
): readonly Uint8Array[] {
  const texts = parts.filter(({ isFile }) => !isFile)
  const inPlace = new Set(
    [...set]
      .filter(([name, value]) => !Array.isArray(value) && texts.filter((part) => keyOf(part) === name).length === 1)
      .map(([name]) => name),
  )
  const added = [...set]
    .filter(([name]) => !inPlace.has(name))
    .flatMap(([name, value]) => newParts(boundary, name, value))
  const pieces: Uint8Array[] = added.map((text) => encoder.encode(text))
  let copied = parts[0]?.start ?? 0
  const replace = (from: number, to: number, instead?: string) => {
    if (from > copied) pieces.push(bytes.subarray(copied, from))
    if (instead !== undefined) pieces.push(encoder.encode(instead))
    copied = to
  }
  for (const part of texts) {
    const key = keyOf(part)
    if (inPlace.has(key)) replace(part.valueStart, part.valueEnd, textOf(set.get(key)))
    else if (set.has(key) || drop.has(key)) replace(part.start, part.end)
  }
  if (copied < bytes.length) pieces.push(bytes.subarray(copied))
  return pieces
}

/** A part's name without the brackets of a list. */
function keyOf({ name }: FormPart): string {
  return name.replace(/\[\]$/, '')
}

function newParts(boundary: string, name: string, value: unknown): string[] {
  return Array.isArray(value) ? value.map((one) => partOf(boundary, `${name}[]`, one)) : [partOf(boundary, name, value)]
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function partOf(boundary: string, name: string, value: unknown): string {
  return `--${boundary}\r\nContent-Disposition: form-data; name="${name.replace(/["\r\n]/g, encodeURIComponent)}"\r\n\r\n${textOf(value)}\r\n`
}

/** The error for a form whose `model` comes after more than `limit` bytes of a file. */
export function modelTooLate(limit: number): GatewayError {
  const megabytes = Math.floor(limit / 1024 / 1024)
  return invalid(
    `The form's 'model' was not found in its first ${megabytes} MB. Put it before the file, or in the address: ?model=…`,
    'model',
    'missing_required_parameter',
  )
}
