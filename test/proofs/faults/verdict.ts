import { isSealed } from './answers.ts'
import type { Plan } from './plan.ts'
import type { Course } from './upstream.ts'

/** What a client received of an answer, whatever the transport. */
export interface Received {
  readonly texts: string[]
  /** The indices of the choices with a finish reason. */
  readonly finished: Set<number>
  /** How the failure was reported: `status`, `event`, `connection`, `JSON`, or `client` (OpenAI's own). */
  raised?: 'status' | 'event' | 'connection' | 'JSON' | 'client'
  /** The HTTP status of the failure, if it had one. */
  status?: number | undefined
  /** The last message of the failure. */
  message?: string
  /** The text of a streamed response by the event that says how it ended. */
  ending?: string
  /** What of the stream of a message is open. */
  state?: string
  /** How the first thing that broke the rules of the API did so. */
  misread?: string
  /** The client timed out. */
  hung?: boolean
  /** A stream that ended without `[DONE]`, or what its API has instead. */
  undone?: boolean
  /** Milliseconds until the first content. */
  firstContent?: number
}

/**
 * `silent`: an answer that looks complete to the client but is not. `invented`: the same, with a finish reason that the
 * upstream never sent. `told`: an error with a status of the client's own doing.
 */
export const verdicts = ['whole', 'raised', 'told', 'silent', 'invented', 'wrong', 'hung', 'undone'] as const
export type Verdict = (typeof verdicts)[number]

export function nothing(): Received {
  return { texts: [], finished: new Set() }
}

/** Notes a failure; the first one counts. */
export function raise(received: Received, how: NonNullable<Received['raised']>, message: string): void {
  received.raised ??= how
  received.message ??= message
}

/** Notes what no client of the API could read rightly; the first counts. */
export function misread(received: Received, what: string): void {
  received.misread ??= what
}

/** `wrong` comes first: wrong words are never right, whatever follows. */
export function verdictOf(plan: Plan, received: Received, { met, again }: Pick<Course, 'met' | 'again'>): Verdict {
  const { texts, finished, raised, status = 0, hung, undone, ending } = received
  const expected = plan.choices.map((words) => words.join(''))
  if (texts.some((text, index) => !expected[index]?.startsWith(text))) return 'wrong'
  if (ending !== undefined && ending !== (texts[0] ?? '')) return 'wrong'
  if (received.misread !== undefined) return 'wrong'
  if (hung) return 'hung'
  // Whatever else a client is told, the stream of a response has an event that says how it ended. OpenAI's own client
  // doesn't read on to it from an error.
  if (plan.api === 'responses' && plan.streams && ending === undefined && !isTold(received)) return 'silent'
  if (raised) return plan.fault?.when === 'told' && status >= 400 && status < 500 ? 'told' : 'raised'
  const whole = expected.every((_, index) => isSealed(texts[index] ?? '') && finished.has(index))
  // Nobody but the faulty deployment was asked, and that one never finished.
  if (whole && plan.fault?.when === 'after' && met && !again) return 'invented'
  // A server that makes responses itself may end them without.
  if (whole) return undone && plan.wire !== 'responses' ? 'undone' : 'whole'
  const invented = [...finished].some((index) => !isSealed(texts[index] ?? ''))
  return invented ? 'invented' : 'silent'
}

/** Whether there was no stream, or a client that left it. */
function isTold({ raised }: Received): boolean {
  return raised === 'status' || raised === 'client'
}

/** Whether this is how it should end. */
export function isRight({ fault }: Plan, verdict: Verdict, { met, again }: Pick<Course, 'met' | 'again'>): boolean {
  if (!fault || !met) return verdict === 'whole'
  // A broken stream that another deployment continued is whole.
  if (fault.when === 'after') return verdict === 'raised' || (verdict === 'whole' && again)
  if (fault.when === 'told') return verdict === 'told' || (fault.elsewhere === true && verdict === 'whole')
  return verdict === 'whole'
}
