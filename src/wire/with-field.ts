import { edited, RequestBody } from './body.ts'

const encoder = new TextEncoder()
const openBrace = 0x7b
const quote = 0x22

/** The same request with a top-level field. One that has no such field is not read again. */
export function withField(body: RequestBody, name: string, value: unknown): RequestBody {
  const { bytes, outline, model, modelSpan, isWritten } = body
  const written = JSON.stringify(value)
  const start = bytes.indexOf(openBrace) + 1
  // An empty one, or one with spaces before its first field, is rare.
  if (Object.hasOwn(outline, name) || bytes[start] !== quote) return edited(body, { set: new Map([[name, written]]) })
  const field = encoded(`${JSON.stringify(name)}:${written},`)
  const moved = modelSpan && { start: modelSpan.start + field.length, end: modelSpan.end + field.length }
  const whole = memoryFor(bytes.length + field.length)
  whole.set(bytes.subarray(0, start))
  whole.set(field, start)
  whole.set(bytes.subarray(start), start + field.length)
  // A name that is computed within the braces would have all fields copied one by one, in V8's slowest way.
  const fields = { ...outline }
  fields[name] = value
  return new RequestBody(whole, fields, model, moved, isWritten)
}

const known = new Map<string, Uint8Array>()
const most = 1_000

/** Remembered, since there are few: the limits of models. */
function encoded(field: string): Uint8Array {
  const found = known.get(field)
  if (found) return found
  if (known.size >= most) known.clear()
  const bytes = encoder.encode(field)
  known.set(field, bytes)
  return bytes
}

/** In bytes. Small bodies share a block, as memory of their own would take longer to get than to fill. */
const small = 8 * 1024
const size = 64 * 1024
let block = new Uint8Array(0)
let used = 0

function memoryFor(length: number): Uint8Array {
  if (length > small) return new Uint8Array(length)
  if (used + length > block.length) {
    block = new Uint8Array(size)
    used = 0
  }
  used += length
  return block.subarray(used - length, used)
}
