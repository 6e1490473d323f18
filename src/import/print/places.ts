import { printable } from '../../log.ts'
import { isObject } from '../../wire/json.ts'
import type { Note } from '../notes.ts'
import { type Path, placeOf } from '../source.ts'

/** Comments by the part of the configuration that they belong to, as `JSON.stringify(path)`. */
export type Comments = ReadonlyMap<string, readonly string[]>

/** Longer than most lines of prose; a comment is one line. */
const mostText = 220

/** What the comments say: where the source has what couldn't be carried as it is, and why. */
export function commentsOf(configuration: unknown, notes: readonly Note[]): Comments {
  const comments = new Map<string, string[]>()
  for (const { from, outcome, why, at } of notes) {
    if (outcome === 'carried' || why === undefined) continue
    const key = JSON.stringify(nearest(configuration, at?.() ?? []))
    const said = `${outcome === 'lost' ? 'not carried' : 'changed'}: ${placeOf(from)}: ${printable(why)}`
    const text = said.length > mostText ? `${said.slice(0, mostText)}…` : said
    const list = comments.get(key) ?? []
    if (!list.includes(text)) list.push(text)
    comments.set(key, list)
  }
  return comments
}

/** The part at a path, or the nearest one around it. */
function nearest(configuration: unknown, path: Path): Path {
  let at = configuration
  for (const [depth, key] of path.entries()) {
    const next = Array.isArray(at)
      ? at[Number(key)]
      : isObject(at) && Object.hasOwn(at, String(key))
        ? at[key]
        : undefined
    if (next === undefined) return path.slice(0, depth)
    at = next
  }
  return path
}
