import { isMap, isNode, isPair, isScalar, LineCounter, parseDocument, type Tags, visit, YAMLError } from 'yaml'
import { pathText } from '../config/problems.ts'
import { printable } from '../log.ts'
import { deeperThan } from '../wire/json.ts'

export type Path = readonly (string | number)[]

/** A text that can't be imported. The message has the place and no value, which might be a key. */
export class ImportError extends Error {
  override readonly name = 'ImportError'
}

/** A parsed file of another gateway. */
export interface Source {
  readonly value: unknown
  /** Keys that an object has twice: only the last counts. */
  readonly twice: readonly Path[]
  /** From 1; of the nearest part that has a line, undefined for an empty text. */
  readonly lineOf: (path: Path) => number | undefined
}

/** Deeper than any configuration, and shallow enough for any stack. */
const mostLevels = 64
/** Characters. The largest that was seen has a tenth of this. */
const mostText = 5_000_000
/** Aliases that one anchor may have, so that a small text can't become a large one. */
const mostAliases = 500

/**
 * Reads YAML, and JSON as a part of it. In the words of YAML 1.1, like the parser that other gateways have: `yes` is
 * true, and `<<` merges. Throws an `ImportError`.
 */
export function readSource(text: string): Source {
  if (text.length > mostText) throw new ImportError(`the text has ${text.length} characters; at most ${mostText}`)
  const lines = new LineCounter()
  try {
    const document = parseDocument(text, {
      lineCounter: lines,
      uniqueKeys: false,
      version: '1.1',
      merge: true,
      logLevel: 'silent',
      customTags: (tags) => tags.flatMap(pythons),
    })
    const [error] = document.errors
    if (error) throw error
    const value: unknown = document.toJS({ maxAliasCount: mostAliases })
    if (deeperThan(value, mostLevels)) throw new ImportError(`it has more than ${mostLevels} levels`)
    const lineOf = (path: Path) => lineAt(document, lines, path)
    return { value, twice: keysTwice(document.contents), lineOf }
  } catch (error) {
    throw error instanceof ImportError ? error : new ImportError(reasonOf(error))
  }
}

/** A tag as the other gateways' parser knows it. A version of an API such as `2024-02-01` is no date, and `y` is no truth. */
function pythons(tag: Tags[number]): Tags {
  if (typeof tag === 'string') return [tag]
  if (tag.tag.endsWith(':timestamp')) return []
  return tag.tag.endsWith(':bool') && 'test' in tag && tag.test
    ? [{ ...tag, test: new RegExp(`^(?=..)${tag.test.source}`) }]
    : [tag]
}

/** Parsers quote the text around a mistake, which may hold a key: only the first line is theirs to say. */
function reasonOf(error: unknown): string {
  if (error instanceof YAMLError) {
    const [at] = error.linePos ?? []
    const place = at ? `line ${at.line}, column ${at.col}: ` : ''
    return `${place}neither YAML nor JSON (${error.code.toLowerCase().replaceAll('_', ' ')})`
  }
  if (error instanceof RangeError) return `it has more than ${mostLevels} levels`
  // An alias without an anchor, or too many.
  if (error instanceof ReferenceError)
    return `its aliases can't be followed: ${printable(error.message.split('\n')[0] ?? '')}`
  return 'it is neither YAML nor JSON'
}

function lineAt(document: ReturnType<typeof parseDocument>, lines: LineCounter, path: Path): number | undefined {
  for (let length = path.length; length >= 0; length--) {
    const offset = offsetAt(document, path.slice(0, length))
    if (offset !== undefined) return lines.linePos(offset).line
  }
  return undefined
}

/** Where the key stands if the part has one, else the part itself. */
function offsetAt(document: ReturnType<typeof parseDocument>, path: Path): number | undefined {
  const last = path.at(-1)
  const holder: unknown = path.length > 1 ? document.getIn(path.slice(0, -1), true) : document.contents
  if (isMap(holder) && last !== undefined) {
    const key = holder.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === String(last))?.key
    if (isNode(key) && key.range) return key.range[0]
  }
  const node: unknown = path.length > 0 ? document.getIn(path, true) : document.contents
  return isNode(node) ? node.range?.[0] : undefined
}

function keysTwice(contents: unknown): Path[] {
  const found: Path[] = []
  if (!isNode(contents)) return found
  visit(contents, {
    Map(_, map, parents) {
      const seen = new Set<string>()
      for (const { key } of map.items) {
        const name = isScalar(key) ? String(key.value) : undefined
        if (name === undefined || name === '<<') continue
        if (seen.has(name)) found.push([...pathTo(parents, map), name])
        seen.add(name)
      }
    },
  })
  return found
}

function pathTo(parents: readonly unknown[], last: unknown): Path {
  const path: (string | number)[] = []
  const chain = [...parents, last]
  for (const [at, parent] of chain.entries()) {
    if (isPair(parent)) path.push(isScalar(parent.key) ? String(parent.key.value) : '?')
    else if (parent && typeof parent === 'object' && 'items' in parent && !isMap(parent)) {
      const index = (parent.items as readonly unknown[]).indexOf(chain[at + 1])
      if (index >= 0) path.push(index)
    }
  }
  return path
}

/** A path for people: `model_list[0].litellm_params.model`, at most some hundred characters. */
export function placeOf(path: Path): string {
  const text = printable(pathText(path))
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}
