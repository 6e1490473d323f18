import { isObject, type JsonObject } from '../../wire/json.ts'

/** The types of parts that come piece by piece. */
const growing = new Set<unknown>(['text', 'thinking'])

/** Texts that come whole, and again in later pieces: a second one is not more of the first. */
const constant = new Set(['role', 'id', 'type', 'name', 'object', 'format', 'status', 'signature'])

/** Adds a piece of a message to what has come so far: texts and lists are continued, objects merged. */
export function merged(before: JsonObject, piece: JsonObject): JsonObject {
  const all: Record<string, unknown> = { ...before }
  for (const [key, value] of Object.entries(piece)) all[key] = mergedValue(all[key], value, key)
  return all
}

function mergedValue(before: unknown, value: unknown, key: string): unknown {
  if (value === undefined || value === null) return before ?? value
  if (before === undefined || before === null) return value
  if (typeof before === 'string' && typeof value === 'string') {
    return constant.has(key) ? before || value : before + value
  }
  // Some models send their thoughts as a list of parts, and the rest of the content as text.
  if (Array.isArray(before) || Array.isArray(value)) return partsOf(value).reduce(withPart, partsOf(before))
  return isObject(before) && isObject(value) ? merged(before, value) : value
}

function partsOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  if (typeof value === 'string') return value === '' ? [] : [{ type: 'text', text: value }]
  return [value]
}

/** A part with an index continues the part with the same index, and a text the text before it. */
function withPart(parts: readonly unknown[], part: unknown): readonly unknown[] {
  const at = parts.findLastIndex((other, position) => continues(other, part, position === parts.length - 1))
  return at < 0 ? [...parts, part] : parts.with(at, merged(parts[at] as JsonObject, part as JsonObject))
}

function continues(before: unknown, part: unknown, isLast: boolean): boolean {
  if (!isObject(before) || !isObject(part)) return false
  if (typeof part.index === 'number') return before.index === part.index && before.type === part.type
  return isLast && before.type === part.type && growing.has(part.type) && before.index === undefined
}
