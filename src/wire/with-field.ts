import { edited, RequestBody } from './body.ts'

const encoder = new TextEncoder()
const openBrace = 0x7b
const quote = 0x22

/** The same request with a top-level field. One that has no such field is not read again. */
export function withField(body: RequestBody, name: string, value: unknown): RequestBody {
  const { bytes, outline, model, modelSpan, isWritten } = body
  // An empty one, or one with spaces around its first brace, is rare.
  if (Object.hasOwn(outline, name) || bytes[0] !== openBrace || bytes[1] !== quote)
    return edited(body, { set: new Map([[name, JSON.stringify(value)]]) })
  const field = encoded(name, value)
  const added = field.length - 1
  const moved = modelSpan && { start: modelSpan.start + added, end: modelSpan.end + added }
  const whole = memoryFor(bytes.length + added)
  // The field covers the brace again: views of parts of the bytes would cost more than to copy them.
  whole.set(bytes, added)
  whole.set(field)
  // A name that is computed within the braces would have all fields copied one by one, in V8's slowest way.
  const fields = { ...outline }
  fields[name] = value
  return new RequestBody(whole, fields, model, moved, isWritten)
}

const known = new Map<string, Map<number | string, Uint8Array>>()
const most = 1_000

/** With the brace before it. Remembered, since there are few: the limits of models. */
function encoded(name: string, value: unknown): Uint8Array {
  const key = typeof value === 'number' ? value : JSON.stringify(value)
  let all = known.get(name)
  const found = all?.get(key)
  if (found) return found
  if (!all || all.size >= most) {
    all = new Map()
    known.set(name, all)
  }
  const bytes = encoder.encode(`{${JSON.stringify(name)}:${JSON.stringify(value)},`)
  all.set(key, bytes)
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
