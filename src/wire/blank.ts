import { isObject } from './json.ts'

/** Whether a value says nothing: null, an empty text, zero, or an object or a list that has only such values. */
export function isBlank(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isBlank)
  if (isObject(value)) return Object.values(value).every(isBlank)
  return typeof value === 'string' ? value.trim() === '' : !value
}
