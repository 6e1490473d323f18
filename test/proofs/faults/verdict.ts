import { isSealed } from './answers.ts'
import type { Plan } from './plan.ts'

/** What a client has of an answer, however it came. */
export interface Received {
  readonly texts: string[]
  /** The indices of the choices that have a finish. */
  readonly finished: Set<number>
  /** How the client was told of a failure: `status`, `event`, `connection`, `JSON`, or `client` (the official one). */
  raised?: 'status' | 'event' | 'connection' | 'JSON' | 'client'
  /** The last that the failure said. */
  message?: string
  /** The client gave up waiting. */
  hung?: boolean
  /** A stream that ended without `[DONE]`. */
  undone?: boolean
}

export type Verdict = 'whole' | 'raised' | 'silent' | 'wrong' | 'hung' | 'undone'

export function nothing(): Received {
  return { texts: [], finished: new Set() }
}

/**
 * `wrong` goes before all others: words that are not the answer's are never right, whatever comes after. `silent` is an
 * answer that looks finished to the client and is not.
 */
export function verdictOf(plan: Plan, received: Received): Verdict {
  const { texts, finished, raised, hung, undone } = received
  const expected = plan.choices.map((words) => words.join(''))
  if (texts.some((text, index) => !expected[index]?.startsWith(text))) return 'wrong'
  if (hung) return 'hung'
  if (raised) return 'raised'
  const whole = expected.every((_, index) => isSealed(texts[index] ?? '') && finished.has(index))
  if (!whole) return 'silent'
  return undone ? 'undone' : 'whole'
}
