import type { Rule, Stack } from './grammar.ts'

/** A text with more bytes fits into no answer, so it counts as none. Keeps texts small that grow with each reference. */
const LONGEST = 32_768
const none = Number.POSITIVE_INFINITY

interface Shortest {
  readonly size: number
  /** For `any`: the option with that size. */
  readonly option?: Rule
}

const found = new WeakMap<Rule, Shortest>()
const sizes = new WeakMap<NonNullable<Stack>, number>()

/** Number of bytes in the shortest text that satisfies a rule; infinite if there is none that an answer could hold. */
export function sizeOfRule(rule: Rule): number {
  if (!found.has(rule)) measure(rule)
  return known(rule)
}

/** Number of bytes in the shortest ending of what is left to match. */
export function sizeOf(stack: Stack): number {
  if (stack === null) return 0
  const before = sizes.get(stack)
  if (before !== undefined) return before
  const size = bounded(sizeOfRule(stack.rule) + sizeOf(stack.rest))
  sizes.set(stack, size)
  return size
}

/** That ending; only for a stack with a finite size. */
export function endOf(stack: Stack): Uint8Array {
  const bytes: number[] = []
  for (let left = stack; left; left = left.rest) write(left.rule, bytes)
  return Uint8Array.from(bytes)
}

function write(rule: Rule, bytes: number[]): void {
  if (rule.kind === 'byte') bytes.push(rule.from)
  else if (rule.kind === 'later') write(rule.rule(), bytes)
  else if (rule.kind === 'all') for (const part of rule.rules) write(part, bytes)
  else {
    const option = found.get(rule)?.option
    if (option) write(option, bytes)
  }
}

/**
 * Finds the shortest texts of a rule and of all that it leads to. Rules may refer to each other in circles: each starts
 * without a text, and they are looked at again until none gets shorter. What has none by then is satisfied by no text.
 */
function measure(root: Rule): void {
  const rules = partsFirst(root)
  for (const rule of rules) found.set(rule, { size: none })
  for (let shorter = true; shorter; ) {
    shorter = false
    for (const rule of rules) {
      const next = look(rule)
      if (next.size >= known(rule)) continue
      found.set(rule, next)
      shorter = true
    }
  }
}

function look(rule: Rule): Shortest {
  if (rule.kind === 'byte') return { size: 1 }
  if (rule.kind === 'later') return { size: known(rule.rule()) }
  if (rule.kind === 'all') return { size: bounded(rule.rules.reduce((sum, part) => sum + known(part), 0)) }
  return rule.rules.reduce<Shortest>(
    (best, option) => (known(option) < best.size ? { size: known(option), option } : best),
    { size: none },
  )
}

function known(rule: Rule): number {
  return found.get(rule)?.size ?? none
}

function bounded(size: number): number {
  return size > LONGEST ? none : size
}

/** A rule and all that it leads to and that was not measured before, parts before wholes where there is no circle. */
function partsFirst(root: Rule): Rule[] {
  const seen = new Set<Rule>()
  const done = new Set<Rule>()
  // Not recursive, because a schema may have more properties than the call stack has frames.
  const waiting: Rule[] = [root]
  for (let rule = waiting.at(-1); rule; rule = waiting.at(-1)) {
    if (seen.has(rule)) {
      waiting.pop()
      done.add(rule)
    } else {
      seen.add(rule)
      for (const part of partsOf(rule)) if (!seen.has(part) && !found.has(part)) waiting.push(part)
    }
  }
  return [...done]
}

function partsOf(rule: Rule): readonly Rule[] {
  if (rule.kind === 'byte') return []
  return rule.kind === 'later' ? [rule.rule()] : rule.rules
}
