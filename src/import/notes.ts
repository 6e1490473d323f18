import { describe } from '../wire/body.ts'
import { isObject } from '../wire/json.ts'
import type { Path } from './source.ts'

/** What has become of a part of the source. `changed`: it is there, but not quite the same. */
export type Outcome = 'carried' | 'changed' | 'lost'

export interface Note {
  /** In the source. */
  readonly from: Path
  readonly outcome: Outcome
  /** Never holds a value of the source that may be a key. */
  readonly why?: string | undefined
  /** Where a comment goes in the configuration that is made. Called when all names are known. */
  readonly at?: (() => Path) | undefined
}

export type At = () => Path

/** What is told of a source, part by part. */
export class Notes {
  readonly list: Note[] = []

  carried(from: Path, why?: string): void {
    this.list.push({ from, outcome: 'carried', why })
  }

  changed(from: Path, why: string, at?: At): void {
    this.list.push({ from, outcome: 'changed', why, at })
  }

  lost(from: Path, why: string, at?: At): void {
    this.list.push({ from, outcome: 'lost', why, at })
  }
}

const rank: Readonly<Record<Outcome, number>> = { carried: 0, changed: 1, lost: 2 }

/** Without what a part counts as besides something worse, and without the parts of what was left out as a whole. */
export function settled(notes: readonly Note[]): Note[] {
  const worst = new Map<string, Outcome>()
  for (const { from, outcome } of notes) {
    const key = JSON.stringify(from)
    const known = worst.get(key)
    if (known === undefined || rank[known] < rank[outcome]) worst.set(key, outcome)
  }
  const seen = new Set<string>()
  return notes.filter(({ from, outcome, why }) => {
    const key = JSON.stringify(from)
    const said = `${key} ${why}`
    const isInside = outcome !== 'lost' && from.some((_, at) => worst.get(JSON.stringify(from.slice(0, at))) === 'lost')
    if (isInside || worst.get(key) !== outcome || seen.has(outcome === 'carried' ? key : said)) return false
    seen.add(outcome === 'carried' ? key : said)
    return true
  })
}

/** How a value is read; `undefined` if it can't be. */
export interface Kind<T> {
  readonly allowed: string
  readonly read: (value: unknown) => T | undefined
}

export interface Told {
  /** What is different; without it the part counts as carried. */
  readonly changed?: string | undefined
  readonly at?: At | undefined
}

/** An object of the source. Whatever isn't asked for is told as lost in the end, so that nothing gets lost unsaid. */
export class Item {
  readonly value: unknown
  readonly path: Path
  readonly notes: Notes
  readonly fields: Readonly<Record<string, unknown>>
  /** What the source calls them. */
  readonly #names: ReadonlyMap<string, string>
  readonly #read = new Set<string>()

  constructor(value: unknown, path: Path, notes: Notes, nameOf: (key: string) => string = (key) => key) {
    this.value = value
    this.path = path
    this.notes = notes
    const own = isObject(value) ? Object.entries(value) : []
    this.fields = Object.fromEntries(own.map(([key, part]) => [nameOf(key), part]))
    this.#names = new Map(own.map(([key]) => [nameOf(key), key]))
    if (value !== undefined && value !== null && !isObject(value)) {
      notes.lost(path, `found ${describe(value)}; allowed: an object`)
    }
  }

  /** The place of a field, by the name that the source has for it. */
  at(key: string): Path {
    return [...this.path, this.#names.get(key) ?? key]
  }

  /** Whether a field is there; one that is null is not. */
  has(key: string): boolean {
    return Object.hasOwn(this.fields, key) && this.fields[key] !== null && this.fields[key] !== undefined
  }

  /** A field as it is. The caller tells what becomes of it. */
  raw(key: string): unknown {
    this.#read.add(key)
    return this.has(key) ? this.fields[key] : undefined
  }

  /** A field that counts as carried if it can be read, and is told as lost if not. */
  take<T>(key: string, kind: Kind<T>, told: Told = {}): T | undefined {
    const value = this.raw(key)
    if (value === undefined) return undefined
    const read = kind.read(value)
    if (read === undefined) this.notes.lost(this.at(key), `found ${describe(value)}; allowed: ${kind.allowed}`, told.at)
    else if (told.changed === undefined) this.notes.carried(this.at(key))
    else this.notes.changed(this.at(key), told.changed, told.at)
    return read
  }

  /** A text; the caller tells what becomes of it. Anything else is told as lost. */
  text(key: string, at?: At): string | undefined {
    const value = this.raw(key)
    if (typeof value === 'string' && value.trim() !== '') return value.trim()
    if (value !== undefined && value !== '')
      this.notes.lost(this.at(key), `found ${describe(value)}; allowed: text`, at)
    return undefined
  }

  object(key: string): Item {
    return new Item(this.raw(key), this.at(key), this.notes)
  }

  /** The entries of a list; anything else is told as lost. */
  list(key: string): { readonly value: unknown; readonly path: Path }[] {
    const value = this.raw(key)
    if (value === undefined) return []
    if (Array.isArray(value))
      return value.map((entry: unknown, index) => ({ value: entry, path: [...this.at(key), index] }))
    this.notes.lost(this.at(key), `found ${describe(value)}; allowed: a list`)
    return []
  }

  /** Tells the fields that have no equivalent. */
  lose(reasons: Readonly<Record<string, string>>, at?: At): void {
    for (const [key, why] of Object.entries(reasons)) {
      if (this.has(key) && !this.#read.has(key)) this.notes.lost(this.at(key), why, at)
      this.#read.add(key)
    }
  }

  /** Tells all that nobody has asked for. */
  loseRest(why: string, at?: At): void {
    for (const key of this.unread()) this.notes.lost(this.at(key), why, at)
  }

  unread(): string[] {
    return Object.keys(this.fields).filter((key) => this.has(key) && !this.#read.has(key))
  }
}
