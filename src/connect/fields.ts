import type { Asked, Changes } from '../core/synonyms.ts'

/** The value that a field has after the changes made so far. */
export function fieldIn({ set, drop }: Changes, body: Asked, name: string): unknown {
  if (set.has(name)) return set.get(name)
  if (drop.has(name) || !Object.hasOwn(body.outline, name)) return undefined
  const value = body.outline[name]
  // Only texts may be shortened in the outline, so limits and the like need no parsing of a large request.
  return typeof value === 'string' || (typeof value === 'object' && value !== null) ? body.json[name] : value
}
