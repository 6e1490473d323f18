import { pathText } from './problems.ts'
import { messageOf } from './thrown.ts'

/** The schema has 6 levels, and what lies in `params` is not deep either. */
const mostLevels = 100

type Path = readonly (string | number)[]

/**
 * Copies a configuration into plain objects and lists. A program can make one whose reading fails, by a getter or a
 * `Proxy`, and perhaps not each time. So everything is read once, here. Adds to `problems` what can't be read.
 */
export function plainCopy(value: unknown, problems: string[]): unknown {
  const done = new Map<object, unknown>()
  const open = new Set<object>()

  /** What `read` returns; undefined if it throws. */
  function attempt<T>(path: Path, read: () => T): T | undefined {
    try {
      return read()
    } catch (thrown) {
      const said = messageOf(thrown)
      problems.push(`${pathText(path)}: it can't be read${said ? `: ${said}` : ', since reading it throws'}`)
      return undefined
    }
  }

  function copy(part: unknown, path: Path): unknown {
    if (typeof part !== 'object' || part === null) return part
    if (done.has(part)) return done.get(part)
    if (open.has(part) || path.length > mostLevels) {
      problems.push(`${pathText(path.slice(0, 8))}: it contains itself, or has over ${mostLevels} levels`)
      return undefined
    }
    open.add(part)
    const copied = attempt(path, () => copyInside(part, path))
    open.delete(part)
    done.set(part, copied)
    return copied
  }

  function copyInside(part: object, path: Path): unknown {
    // As JSON has it: a `Date` or a `URL` is a text.
    const toJSON: unknown = Reflect.get(part, 'toJSON')
    if (typeof toJSON === 'function') return copy(toJSON.call(part), [...path, 'toJSON'])
    const entry = (key: string | number) => {
      const place = [...path, key]
      return copy(
        attempt(place, () => Reflect.get(part, key)),
        place,
      )
    }
    if (Array.isArray(part)) return Array.from({ length: part.length }, (_, index) => entry(index))
    return Object.fromEntries(keysOf(part).map((key) => [key, entry(key)]))
  }

  return copy(value, [])
}

/** The object's own enumerable keys, and the getters of its class. */
function keysOf(part: object): string[] {
  const keys = new Set(Object.keys(part))
  for (let at = Reflect.getPrototypeOf(part); at && at !== Object.prototype; at = Reflect.getPrototypeOf(at)) {
    for (const [key, { get }] of Object.entries(Object.getOwnPropertyDescriptors(at))) if (get) keys.add(key)
  }
  return [...keys]
}

/** A program may leave a field without a value, which JSON has no word for. */
export function withValues(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
