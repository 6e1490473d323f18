/** A name with stars, each of which matches any text: `gpt-*`, `*-instruct`, `org-*-chat`. */
export interface Pattern {
  readonly prefix: string
  readonly suffix: string
  /** The literal parts that must occur, in this order, between the two. */
  readonly inner: readonly string[]
}

export function makePattern(name: string): Pattern {
  const [prefix = '', ...rest] = name.split('*')
  return { prefix, suffix: rest.pop() ?? '', inner: rest }
}

/** Returns the text matched from the first star to the last, or undefined if the name doesn't match. */
export function matchPattern({ prefix, suffix, inner }: Pattern, name: string): string | undefined {
  if (name.length < prefix.length + suffix.length || !name.startsWith(prefix) || !name.endsWith(suffix))
    return undefined
  const middle = name.slice(prefix.length, name.length - suffix.length)
  let at = 0
  for (const part of inner) {
    const found = middle.indexOf(part, at)
    if (found < 0) return undefined
    at = found + part.length
  }
  return middle
}

/**
 * Whether a name matches a pattern segment by segment, so that a star never matches a slash: `llama3*` must not allow
 * `llama3.evil.example/x`, which is on another host. Windows treats a backslash as a slash.
 */
export function fitsPath(pattern: string, name: string): boolean {
  const wanted = pattern.split('/')
  const parts = name.split(/[/\\]/)
  return (
    wanted.length === parts.length &&
    wanted.every((part, at) => part === parts[at] || (part.includes('*') && fits(part, parts[at] ?? '')))
  )
}

function fits(pattern: string, text: string): boolean {
  return matchPattern(makePattern(pattern), text) !== undefined
}

export interface Match<T> {
  readonly value: T
  /** What the stars matched. */
  readonly middle: string
}

/** A pattern and its value. Of several that match a name, the one with the lowest rank wins. */
interface Entry<T> extends Pattern {
  readonly rank: number
  readonly value: T
}

/** Keyed by prefix, then by suffix, then by the longest literal part in between. */
type Tree<T> = Trie<Trie<Trie<Entry<T>[]>>>

/**
 * Finds the most specific (longest) of many patterns that match a name, or the first of equally long ones. Only tries
 * patterns whose literal parts occur in the name, so that a thousand patterns cost no more than ten.
 */
export class PatternIndex<T> {
  readonly #tree: Tree<T> = new Trie()
  readonly values: readonly T[]

  constructor(values: Iterable<readonly [name: string, value: T]>) {
    const ordered = [...values].sort(([a], [b]) => b.length - a.length)
    this.values = ordered.map(([, value]) => value)
    for (const [rank, [name, value]] of ordered.entries()) this.#add({ ...makePattern(name), rank, value })
  }

  find(name: string): Match<T> | undefined {
    let best: Entry<T> | undefined
    let middle = ''
    for (const entries of this.#candidates(name)) {
      for (const entry of entries) {
        if (best && entry.rank > best.rank) break
        const found = matchPattern(entry, name)
        if (found === undefined) continue
        best = entry
        middle = found
        break
      }
    }
    return best && { value: best.value, middle }
  }

  /** Must be called in order of rank; each list keeps that order. */
  #add(entry: Entry<T>): void {
    const { prefix, suffix, inner } = entry
    const longest = inner.reduce((a, b) => (b.length > a.length ? b : a), '')
    const suffixes = this.#tree.place(prefix, 1)
    suffixes.value ??= new Trie()
    const middles = suffixes.value.place(suffix, -1)
    middles.value ??= new Trie()
    const entries = middles.value.place(longest, 1)
    entries.value ??= []
    entries.value.push(entry)
  }

  #candidates(name: string): Entry<T>[][] {
    const found: Entry<T>[][] = []
    for (const suffixes of this.#tree.along(name, 0, 1)) {
      for (const middles of suffixes.along(name, name.length - 1, -1)) {
        const last = middles.isLeaf ? 0 : name.length
        for (let at = 0; at <= last; at++) found.push(...middles.along(name, at, 1))
      }
    }
    return found
  }
}

/** Values keyed by text. Finds all whose key is a prefix of a given text (or a suffix, read backwards). */
class Trie<T> {
  value: T | undefined
  #next: Map<number, Trie<T>> | undefined

  get isLeaf(): boolean {
    return this.#next === undefined
  }

  /** The node for the key `text`; a `step` of -1 reads it backwards. */
  place(text: string, step: 1 | -1): Trie<T> {
    let node: Trie<T> = this
    for (let at = step > 0 ? 0 : text.length - 1; at >= 0 && at < text.length; at += step) {
      node.#next ??= new Map()
      const letter = text.charCodeAt(at)
      const next = node.#next.get(letter) ?? new Trie<T>()
      node.#next.set(letter, next)
      node = next
    }
    return node
  }

  /** The values of all keys that `text` begins with, read from `at` on. */
  along(text: string, at: number, step: 1 | -1): T[] {
    const found: T[] = []
    let node: Trie<T> | undefined = this
    for (let place = at; node; place += step) {
      if (node.value !== undefined) found.push(node.value)
      node = node.#next?.get(text.charCodeAt(place))
    }
    return found
  }
}
