import type { Attempted, Held } from '../core/account.ts'
import type { AttemptRecord } from '../core/call.ts'
import type { RequestReport } from '../core/report.ts'
import type { UsageSource } from '../state/ledger.ts'
import type { FailureKind } from '../wire/errors.ts'

/** What a request comes to, once it is over. */
export interface Bill {
  readonly input: number
  readonly output: number
  /** In nano-dollars; null: the price isn't known. */
  readonly cost: number | null
  /** What its budget is charged: also for what may have been billed without a word. */
  readonly booked: number
  readonly source: UsageSource
}

/** Failures after which an upstream may bill: it had the request, and perhaps worked on it. */
const afterWork: ReadonlySet<FailureKind> = new Set([
  ...(['timeout', 'protocol', 'upstream', 'internal', 'gone', 'stopping', 'network'] as const),
])

/** Where it shows that a request never reached its upstream. */
const neverSent: ReadonlySet<unknown> = new Set([
  ...['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT'],
  ...['CERT_HAS_EXPIRED', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'ERR_TLS_CERT_ALTNAME_INVALID'],
])

export function mayBeBilled({ failure, error }: Attempted): boolean {
  if (failure === undefined || !afterWork.has(failure)) return failure === undefined
  return failure !== 'network' || !wasNeverSent(error)
}

function wasNeverSent(error: unknown, depth = 4): boolean {
  if (depth === 0 || typeof error !== 'object' || error === null) return false
  const { code, cause } = error as { readonly code?: unknown; readonly cause?: unknown }
  return neverSent.has(code) || wasNeverSent(cause, depth - 1)
}

interface Sum {
  input: number
  output: number
  /** Undefined: the price of a part isn't known. */
  cost: number | undefined
}

/**
 * Adds up the exchanges of a request. What its upstream told counts for those that were answered; for those that failed
 * or broke off after they had begun, the most that they can have used.
 */
export function billOf(report: RequestReport, held: readonly Held[]): Bill {
  const { attempts } = report.trace
  const unknown: Sum = { input: 0, output: 0, cost: 0 }
  const answered: AttemptRecord[] = []
  for (const attempt of attempts) {
    if (!attempt.held) continue
    if (attempt.failure === undefined && attempt.broke !== true) answered.push(attempt)
    else if (mayBeBilled(attempt)) add(unknown, attempt.held)
  }
  // Those that are under way have no record: the client left.
  const recorded = new Set(attempts.map((attempt) => attempt.held))
  for (const one of held) if (!recorded.has(one)) add(unknown, one)
  const last = answered.at(-1)
  if (!last?.held) return billed(unknown, unknown.input === 0 ? 'none' : 'bounded')
  // What is told before the end may be less than all of it.
  const isWhole = report.outcome === 'done' || last.reader?.complete === true
  return (isWhole && told(report, unknown)) || untold(report, last.held, isWhole, unknown)
}

/** Undefined if the answer told of nothing. */
function told({ tokens, cost }: RequestReport, unknown: Sum): Bill | undefined {
  if (!tokens && cost === undefined) return undefined
  const { input = 0, output = 0 } = tokens ?? {}
  const isAll = unknown.input === 0
  const booked = (cost ?? 0) + (unknown.cost ?? 0)
  return { input, output, cost: cost ?? null, booked, source: isAll ? 'reported' : 'bounded' }
}

/** An answer has no more tokens than bytes; one that was left may go on where it came from. */
function untold({ bytesOut = 0 }: RequestReport, last: Held, isWhole: boolean, unknown: Sum): Bill {
  const output = isWhole ? Math.min(last.output, bytesOut) : last.output
  add(unknown, { ...last, output, cost: last.costWith(output) })
  return billed(unknown, isWhole ? 'estimated' : 'bounded')
}

function billed({ input, output, cost }: Sum, source: UsageSource): Bill {
  return { input, output, cost: cost ?? null, booked: cost ?? 0, source }
}

function add(sum: Sum, { input, output, cost }: Held): void {
  sum.input += input
  sum.output += output
  sum.cost = sum.cost === undefined || cost === undefined ? undefined : sum.cost + cost
}
