import type { Attempted, Held } from '../core/account.ts'
import type { RequestReport } from '../core/report.ts'
import type { UsageSource } from '../state/ledger.ts'
import type { FailureKind } from '../wire/errors.ts'

/** What a request comes to, once it is over. */
export interface Bill {
  readonly input: number
  readonly output: number
  /** In nano-dollars; null: the price isn't known. */
  readonly cost: number | null
  /** What its budgets are charged: also for what may have been billed without a word. */
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

class Sum {
  input = 0
  output = 0
  /** Undefined: the price of a part isn't known. */
  cost: number | undefined = 0
  /** With the most that a part can cost whose price isn't known. */
  booked = 0
  isBounded = false
  isEmpty = true

  add({ input, output, cost }: Pick<Held, 'input' | 'output' | 'cost'>, most: number | undefined): void {
    this.input += input
    this.output += output
    this.cost = this.cost === undefined || cost === undefined ? undefined : this.cost + cost
    this.booked += cost ?? most ?? 0
    this.isBounded ||= cost === undefined && most !== undefined
    this.isEmpty = false
  }
}

/** To which nothing is added. */
const nothing = new Sum()

function added(sum: Sum | undefined, one: Pick<Held, 'input' | 'output' | 'cost'>, most: number | undefined): Sum {
  const all = sum ?? new Sum()
  all.add(one, most)
  return all
}

/**
 * Adds up the exchanges of a request. What its upstreams told counts for those that were answered; for those that failed
 * or broke off after they had begun, or are still under way, the most that they can have used.
 */
export function billOf(report: RequestReport, held: readonly Held[]): Bill {
  // Of most requests there is one of the three.
  let told: Sum | undefined
  let estimated: Sum | undefined
  let unknown: Sum | undefined
  let answers = 0
  let last: Held | undefined
  for (const one of held) {
    if (!isAnswered(attemptOf(report, one))) continue
    answers++
    last = one
  }
  for (const one of held) {
    // A stream that is joined of several has the sum of what they told, if any of them did.
    const { part } = one.attempt ?? {}
    if (part) {
      const charge = part.complete ? part.usage && one.charge(part.usage) : undefined
      if (charge) told = added(told, charge, one.cost)
      else unknown = added(unknown, one, one.cost)
      continue
    }
    const attempt = attemptOf(report, one)
    if (!isAnswered(attempt)) {
      if (!attempt || mayBeBilled(attempt)) unknown = added(unknown, one, one.cost)
      continue
    }
    const { reader, usage = reader?.usage } = attempt
    const isAll = report.outcome === 'done' || !!attempt.usage || (reader?.complete ?? true)
    const own = isAll && (usage || !reader) ? one.charge(usage) : undefined
    const charge = own ?? (isAll && answers === 1 ? toldOf(report) : undefined)
    if (charge) told = added(told, charge, one.cost)
    else if (isAll && one === last) estimated = added(estimated, estimate(report, one), one.cost)
    else unknown = added(unknown, one, one.cost)
  }
  return totalOf(told ?? nothing, estimated ?? nothing, unknown ?? nothing, held)
}

/** How an exchange went. */
function attemptOf({ trace: { attempts } }: RequestReport, one: Held): Attempted | undefined {
  for (let at = attempts.length - 1; at >= 0; at--) if (attempts[at]?.held === one) return attempts[at]
  return one.attempt
}

/** One whose usage is known was answered whole, although what it became part of may have broken. */
function isAnswered(attempt: Attempted | undefined): attempt is Attempted {
  return attempt !== undefined && attempt.failure === undefined && (attempt.broke !== true || !!attempt.usage)
}

/** Of an answer that no exchange has read, such as one of a provider's own code. */
function toldOf({ tokens, cost }: RequestReport) {
  return tokens || cost !== undefined ? { input: tokens?.input ?? 0, output: tokens?.output ?? 0, cost } : undefined
}

/** An answer has no more tokens than bytes. */
function estimate({ bytesOut = 0 }: RequestReport, held: Held) {
  const output = Math.min(held.output, bytesOut)
  return { input: held.input, output, cost: held.costWith(output) }
}

/** Tokens and costs are those that are known, if any are; booked is all. */
function totalOf(told: Sum, estimated: Sum, unknown: Sum, held: readonly Held[]): Bill {
  const known = told.isEmpty ? estimated : told
  if (known === told && !estimated.isEmpty) told.add(estimated, estimated.booked)
  const shown = known.isEmpty ? unknown : known
  const booked = known.booked + unknown.booked
  const most = held.reduce((sum, { cost }) => sum + (cost ?? 0), 0)
  const { input, output, cost } = shown
  return { input, output, cost: cost ?? null, booked, source: sourceOf(told, estimated, unknown, booked > most) }
}

function sourceOf(told: Sum, estimated: Sum, unknown: Sum, isOver: boolean): UsageSource {
  if (isOver) return 'over'
  if (!unknown.isEmpty || told.isBounded || estimated.isBounded) return 'bounded'
  if (!estimated.isEmpty) return 'estimated'
  return told.isEmpty ? 'none' : 'reported'
}
