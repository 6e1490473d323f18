/** A JSON object with unchecked fields: OpenAI's format grows faster than any list of its fields. */
export interface JsonObject {
  readonly [key: string]: unknown
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The object at `key`, or undefined if there is anything else. */
export function objectAt(value: unknown, key: string): JsonObject | undefined {
  const found = isObject(value) ? value[key] : undefined
  return isObject(found) ? found : undefined
}

/** The string at `key`, or undefined if there is anything else. */
export function stringAt(value: unknown, key: string): string | undefined {
  const found = isObject(value) ? value[key] : undefined
  return typeof found === 'string' ? found : undefined
}

/** Parses a text, or returns undefined if it is not JSON. JSON inside a JSON string is not parsed. */
export function tryParse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Whether a parsed value nests deeper than `limit` levels. Stops there, so that no input overflows the stack. */
export function deeperThan(value: unknown, limit: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (limit === 0) return true
  if (Array.isArray(value)) return value.some((child) => deeperThan(child, limit - 1))
  for (const key in value) if (deeperThan((value as JsonObject)[key], limit - 1)) return true
  return false
}
