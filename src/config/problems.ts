import type * as v from 'valibot'
import { printable } from '../log.ts'
import { describe } from '../wire/body.ts'
import { configSchema } from './schema.ts'

/** Keys whose values are never shown, since they hold secrets, by mistake or not. */
const secretKeys: ReadonlySet<unknown> = new Set(['apiKey', 'keys', 'headers'])

/** All problems of a configuration, sorted by place. Each line has the place, what was found, and what is allowed. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly string[]

  constructor(found: readonly string[], source = 'The configuration') {
    // Sorts by the place that a line begins with; `[2]` comes before `[10]`. Created here: it takes 9 ms of a start.
    const { compare } = new Intl.Collator('en', { numeric: true })
    const problems = [...new Set(found)].map(printable).sort(compare)
    super(`${printable(source)} can't be used:\n${problems.map((problem) => `  ${problem}`).join('\n')}`)
    this.problems = problems
  }
}

/** `models["gpt-3.5-turbo"].fallbacks[0]`: names with dots or other special characters are put in brackets. */
export function pathText(path: readonly unknown[]): string {
  let text = ''
  for (const key of path) {
    if (typeof key === 'string' && /^[A-Za-z_$][\w$]*$/.test(key)) text += text === '' ? key : `.${key}`
    else text += `[${JSON.stringify(key)}]`
  }
  return text === '' ? '(top level)' : text
}

/** Whether a problem at exactly this place was reported already. */
export function isTold(path: readonly unknown[], problems: readonly string[]): boolean {
  return problems.some((problem) => problem.startsWith(`${pathText(path)}:`))
}

/** One schema issue as a sentence. */
export function describeIssue(issue: v.BaseIssue<unknown>): string {
  const path = (issue.path ?? []).map((item) => item.key)
  const key = path.at(-1)
  if (isUnknownKey(issue)) {
    return unknownKey(path.slice(0, -1), String(key), keysAt(path.slice(0, -1)))
  }
  if (issue.received === 'undefined') {
    return `${pathText(path.slice(0, -1))}: the key ${JSON.stringify(key)} is missing`
  }
  const expected =
    issue.type === 'picklist' || issue.message.startsWith('Invalid') ? plain(issue.expected) : issue.message
  const found = path.some((item) => secretKeys.has(item)) ? describe(issue.input) : show(issue.input)
  return `${pathText(path)}: found ${found}; allowed: ${expected}`
}

/** The schema reports only one unknown key per object. */
export function isUnknownKey(issue: v.BaseIssue<unknown>): boolean {
  return issue.type === 'strict_object' && issue.expected === 'never'
}

export function unknownKey(path: readonly unknown[], key: string, allowed: readonly string[]): string {
  return `${pathText([...path, key])}: no such key${suggestion(key, allowed)}; allowed: ${allowed.join(', ')}`
}

/** `; did you mean "models"?` if one of the allowed words is similar. */
export function suggestion(word: string, allowed: Iterable<string>): string {
  let best: string | undefined
  let least = Math.max(2, Math.floor(word.length / 3)) + 1
  for (const candidate of allowed) {
    const steps = distance(word.toLowerCase(), candidate.toLowerCase())
    if (steps < least) [best, least] = [candidate, steps]
  }
  return best === undefined ? '' : `; did you mean ${JSON.stringify(best)}?`
}

/** A value, shortened for a message. */
export function show(value: unknown): string {
  const text = textOf(value)
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}

function textOf(value: unknown): string {
  // JSON has no word for these: it throws, says `null` or nothing.
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'number' || typeof value === 'symbol' || value === undefined) return String(value)
  if (typeof value === 'function') return 'a function'
  try {
    return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part))
  } catch {
    return describe(value)
  }
}

function plain(expected: string | null): string {
  return expected === 'Object' || expected === null
    ? 'a name or an object'
    : expected.replace(/[()]/g, '').replaceAll(' | ', ', ')
}

interface Walkable {
  readonly type: string
  readonly entries?: Record<string, Walkable>
  readonly value?: Walkable
  readonly item?: Walkable
  readonly wrapped?: Walkable
  readonly getter?: (input: unknown) => Walkable
}

/** The keys that the schema allows at a path. */
function keysAt(path: readonly unknown[]): readonly string[] {
  let at = unwrap(configSchema as unknown as Walkable)
  for (const key of path) at = unwrap(at?.entries?.[String(key)] ?? at?.value ?? at?.item)
  return Object.keys(at?.entries ?? {})
}

function unwrap(schema: Walkable | undefined): Walkable | undefined {
  if (schema?.wrapped) return unwrap(schema.wrapped)
  return schema?.getter ? unwrap(schema.getter({})) : schema
}

/** Edit distance of two words (Levenshtein), for words as short as configuration keys. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
