import type { Rule, Stack } from './grammar.ts'

/** The bytes of a text; undefined for a rule that no text can complete. */
type Sentence = readonly number[] | undefined

const sentences = new WeakMap<Rule, readonly number[]>()
const sizes = new WeakMap<NonNullable<Stack>, number>()

/**
 * A short text that satisfies a rule: the shortest one, except where rules refer to each other in cycles. `open` are
 * the recursive rules being expanded, which the shortest text never contains again.
 */
function shortest(rule: Rule, open: readonly Rule[] = []): Sentence {
  const known = sentences.get(rule)
  if (known) return known
  const found = find(rule, open)
  // A rule without a result is not cached: it may only refer to one of `open`.
  if (found) sentences.set(rule, found)
  return found
}

function find(rule: Rule, open: readonly Rule[]): Sentence {
  if (rule.kind === 'byte') return [rule.from]
  if (rule.kind === 'later') return open.includes(rule) ? undefined : shortest(rule.rule(), [...open, rule])
  if (rule.kind === 'all') {
    const parts: number[] = []
    for (const part of rule.rules) {
      const text = shortest(part, open)
      if (!text) return
      parts.push(...text)
    }
    return parts
  }
  let best: Sentence
  for (const option of rule.rules) {
    const text = shortest(option, open)
    if (text && (!best || text.length < best.length)) best = text
  }
  return best
}

/** Number of bytes in a short ending of what is left to match. */
export function sizeOf(stack: Stack): number {
  if (stack === null) return 0
  const known = sizes.get(stack)
  if (known !== undefined) return known
  const size = (shortest(stack.rule)?.length ?? Number.POSITIVE_INFINITY) + sizeOf(stack.rest)
  sizes.set(stack, size)
  return size
}

/** That ending. */
export function endOf(stack: Stack): Uint8Array {
  const bytes: number[] = []
  for (let left = stack; left; left = left.rest) bytes.push(...(shortest(left.rule) ?? []))
  return Uint8Array.from(bytes)
}
