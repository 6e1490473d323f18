import { concat } from './block.ts'
import { checkModelLength, duplicateModel, RequestBody, readModel } from './body.ts'
import { GatewayError } from './errors.ts'
import { editForm, type FormEdits, type FormPart, FormReader, fieldsOf, isLong } from './form.ts'
import type { JsonObject } from './json.ts'

/** What of a form is still arriving. It can be read only once, by one attempt to send it. */
export class Remainder<T> {
  readonly #open: (begin: () => void) => T
  #taken = false
  /** The number of the attempt that may read it. */
  #attempt = 0

  /** `open`: what an attempt gets. It must call `begin` before it reads, which throws if it may not. */
  constructor(open: (begin: () => void) => T) {
    this.#open = open
  }

  /** Whether an attempt has begun to read it. */
  get taken(): boolean {
    return this.#taken
  }

  /** For a further attempt; that of earlier ones ends. */
  take(): T {
    const attempt = ++this.#attempt
    const begin = () => {
      if (this.#taken || attempt !== this.#attempt) throw sentAlready()
      this.#taken = true
    }
    if (this.#taken) throw sentAlready()
    return this.#open(begin)
  }

  /** The latest attempt has failed, and reads no more of it. */
  release(): void {
    this.#attempt++
  }
}

function sentAlready(): GatewayError {
  return new GatewayError('upstream', 'The upload was sent already, and is too large to be kept.')
}

/**
 * A client's form with files. `bytes` hold all of a small one, and the beginning of a large one. The outline has the
 * fields in `bytes` that are texts. Making one throws a 400 for a `model` that can't be a name.
 */
export class FormBody<T = unknown> extends RequestBody {
  readonly boundary: string
  /** Those that `bytes` hold whole. */
  readonly parts: readonly FormPart[]
  readonly remainder: Remainder<T> | undefined

  constructor(
    bytes: Uint8Array,
    { boundary, parts }: { readonly boundary: string; readonly parts: readonly FormPart[] },
    remainder?: Remainder<T>,
    model?: string,
  ) {
    const outline = fieldsOf(bytes, parts)
    checkModels(parts)
    const written = readModel(outline)
    const named = model ?? written
    super(bytes, { ...outline, ...(named !== undefined && { model: named }) }, named)
    this.boundary = boundary
    this.parts = parts
    this.remainder = remainder
  }

  override get kind(): 'form' {
    return 'form'
  }

  override get json(): JsonObject {
    return this.outline
  }

  override get isWhole(): boolean {
    return this.remainder === undefined
  }

  override get spent(): boolean {
    return this.remainder?.taken === true
  }

  override release(): void {
    this.remainder?.release()
  }

  override named(model: string): FormBody<T> {
    return new FormBody(this.bytes, this, this.remainder, model)
  }

  /** The same form with some fields changed, if all of it is there. */
  with(edits: FormEdits): FormBody<T> {
    const bytes = concat(this.edited(edits))
    const reader = new FormReader(this.boundary)
    reader.read(bytes)
    return new FormBody<T>(bytes, { boundary: this.boundary, parts: reader.parts }, undefined, this.model)
  }

  /** The bytes that are there, with some fields changed. */
  edited(edits: FormEdits): readonly Uint8Array[] {
    return editForm(this.bytes, this.parts, this.boundary, edits)
  }
}

/** Throws the 400s of a JSON request for what the fields of a form don't show. */
function checkModels(parts: readonly FormPart[]): void {
  const [model, another] = parts.filter(({ name, isFile }) => name === 'model' && !isFile)
  if (another) throw duplicateModel()
  // In characters it may be a third of that, which is too long for a name all the same.
  if (model && isLong(model)) checkModelLength(model.valueEnd - model.valueStart)
}
