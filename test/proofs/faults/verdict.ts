import { isSealed } from './answers.ts'
import type { Plan } from './plan.ts'

/** What a client received of an answer, whatever the transport. */
export interface Received {
  readonly texts: string[]
  /** The indices of the choices with a finish reason. */
  readonly finished: Set<number>
  /** How the failure was reported: `status`, `event`, `connection`, `JSON`, or `client` (OpenAI's own). */
  raised?: 'status' | 'event' | 'connection' | 'JSON' | 'client'
  /** The last message of the failure. */
  message?: string
  /** The client timed out. */
  hung?: boolean
  /** A stream that ended without `[DONE]`. */
  undone?: boolean
}

export type Verdict = 'whole' | 'raised' | 'silent' | 'wrong' | 'hung' | 'undone'

export function nothing(): Received {
  return { texts: [], finished: new Set() }
}

/**
 * `wrong` comes first: wrong words are never right, whatever follows. `silent` is an answer that looks complete to the
 * client but is not.
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
