import { endOf, sizeOf } from './shortest.ts'

/**
 * A context-free grammar over bytes, matched byte by byte. Bytes rather than characters, because a token may end inside
 * a character.
 */
export type Rule =
  | { readonly kind: 'byte'; readonly from: number; readonly to: number }
  | { readonly kind: 'all'; readonly rules: readonly Rule[] }
  | { readonly kind: 'any'; readonly rules: readonly Rule[] }
  | { readonly kind: 'later'; readonly rule: () => Rule }

export const range = (from: number, to: number): Rule => ({ kind: 'byte', from, to })
export const all = (...rules: Rule[]): Rule => ({ kind: 'all', rules })
export const any = (...rules: Rule[]): Rule => ({ kind: 'any', rules })
/** A rule that no text satisfies. */
export const never: Rule = any()
export const optional = (rule: Rule): Rule => any(rule, all())
export const text = (literal: string): Rule => all(...Array.from(new TextEncoder().encode(literal), (b) => range(b, b)))

/** For recursion: creates the rule when a match first reaches it. */
export function later(make: () => Rule): Rule {
  let made: Rule | undefined
  return {
    kind: 'later',
    rule: () => {
      made ??= make()
      return made
    },
  }
}

export function star(rule: Rule): Rule {
  const self: Rule = optional(
    all(
      rule,
      later(() => self),
    ),
  )
  return self
}

export function upTo(times: number, rule: Rule): Rule {
  let nested = all()
  for (let i = 0; i < times; i++) nested = optional(all(rule, nested))
  return nested
}

/** What is left to match, with the next rule on top; `null` is the end of the grammar. */
export type Stack = { readonly rule: Rule; readonly rest: Stack } | null

// In a very ambiguous schema the number of parses may double with every byte. Dropping some makes the grammar stricter,
// never more permissive.
const MOST_READINGS = 512

/** The state of a text in a grammar that may be ambiguous: all possible parses. */
export class Matcher {
  #stacks: readonly Stack[]

  constructor(root: Rule) {
    const stacks: Stack[] = []
    expand({ rule: root, rest: null }, stacks)
    this.#stacks = stacks
  }

  /** Whether these bytes can follow the text so far. An empty token is not allowed, as it makes no progress. */
  allows(bytes: Uint8Array): boolean {
    return bytes.length > 0 && advance(this.#stacks, bytes).length > 0
  }

  accept(bytes: Uint8Array): void {
    this.#stacks = advance(this.#stacks, bytes)
  }

  /**
   * A short ending for the text so far, or for the text followed by `bytes`, with its size in bytes. Undefined if
   * `bytes` may not follow, or there is no ending.
   */
  shortestEnd(bytes?: Uint8Array): { readonly size: number; text(): Uint8Array } | undefined {
    if (bytes?.length === 0) return
    let best: { readonly stack: Stack; readonly size: number } | undefined
    for (const stack of bytes ? advance(this.#stacks, bytes) : this.#stacks) {
      const size = sizeOf(stack)
      if (size < (best?.size ?? Number.POSITIVE_INFINITY)) best = { stack, size }
    }
    return best && { size: best.size, text: () => endOf(best.stack) }
  }

  /** Whether the text so far is complete in the grammar. */
  get complete(): boolean {
    return this.#stacks.includes(null)
  }

  /** Whether it is complete and nothing can follow. */
  get finished(): boolean {
    return this.#stacks.every((stack) => stack === null)
  }
}

function advance(stacks: readonly Stack[], bytes: Uint8Array): readonly Stack[] {
  let current = stacks
  for (const byte of bytes) {
    const next: Stack[] = []
    for (const stack of current) {
      if (stack?.rule.kind === 'byte' && byte >= stack.rule.from && byte <= stack.rule.to) expand(stack.rest, next)
      if (next.length > MOST_READINGS) break
    }
    if (next.length === 0) return next
    current = next
  }
  return current
}

/**
 * Expands the top rule until it is a byte, once for each alternative. `entered` are the recursive rules expanded so
 * far, with what follows each: a rule that returns to itself without a byte in between would never end, and one that
 * is referred to twice would be expanded twice, and so twice as often with each level.
 */
function expand(stack: Stack, out: Stack[], entered = new Map<Rule, Set<Stack>>()): void {
  if (stack === null) {
    if (!out.includes(null)) out.push(null)
    return
  }
  const { rule, rest } = stack
  if (rule.kind === 'byte') out.push(stack)
  else if (rule.kind === 'any') for (const option of rule.rules) expand({ rule: option, rest }, out, entered)
  else if (rule.kind === 'all') {
    expand(
      rule.rules.reduceRight<Stack>((below, part) => ({ rule: part, rest: below }), rest),
      out,
      entered,
    )
  } else {
    const rests = entered.get(rule) ?? new Set()
    if (rests.has(rest)) return
    entered.set(rule, rests.add(rest))
    expand({ rule: rule.rule(), rest }, out, entered)
  }
}
