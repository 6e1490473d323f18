import type { RequestReport } from '../core/report.ts'
import { shownJSON, shownName, withoutKeys } from '../observe/keys.ts'
import type { PriceSource } from '../prices/money.ts'
import type { Key } from '../state/key.ts'
import type { RequestRow } from '../state/ledger.ts'
import { isObject } from '../wire/json.ts'
import type { Bill } from './bill.ts'

/** Characters of what a client says of its request. */
const mostMetadata = 4_096

/** What a request came to, what its answer saved, and whether nobody knew what was left. */
interface Charged extends Bill {
  readonly saved: number
  /** Whose price counted for it, where that of the answer isn't known. */
  readonly priceSource?: PriceSource | undefined
  readonly unchecked?: boolean | undefined
}

/** What the ledger keeps of a request: names that clients made up without whatever looks like a key. */
export function rowOf(report: RequestReport, key: Key | undefined, bill: Charged): RequestRow {
  const {
    requestId: id,
    started,
    operation,
    model,
    user,
    status,
    outcome,
    streams,
    tokens,
    trace,
    ms,
    firstMs,
  } = report
  // Nothing is billed for it, whatever its answer says.
  const isKept = isOthers(trace)
  return {
    id,
    at: Math.floor(started),
    key: key?.id ?? null,
    keyName: key?.name ?? null,
    project: key?.project ?? null,
    user: key?.user ?? null,
    endUser: shown(user),
    operation: operation ?? null,
    model: shown(model),
    deployment: shown(trace.givenBy ?? report.served?.label ?? trace.attempts.at(-1)?.deployment),
    status,
    outcome,
    stream: streams,
    input: isKept ? (tokens?.input ?? 0) : bill.input,
    output: isKept ? (tokens?.output ?? 0) : bill.output,
    cached: tokens?.cached ?? 0,
    reasoning: tokens?.reasoning ?? 0,
    cost: bill.cost,
    booked: bill.booked,
    saved: bill.saved,
    usageSource: bill.source,
    priceSource: report.priceSource ?? bill.priceSource ?? null,
    ms: Math.round(ms),
    firstMs: firstMs === undefined ? null : Math.round(firstMs),
    attempts: attemptsJSON(trace.attempts),
    cache: trace.cache ?? null,
    unchecked: bill.unchecked ?? false,
    metadata: metadataOf(report),
  }
}

/** Written out, because objects made for `JSON.stringify` cost several times as much. */
function attemptsJSON(attempts: RequestReport['trace']['attempts']): string {
  let json = ''
  for (const { deployment, ms, failure, reason } of attempts) {
    json += `${json && ','}{"deployment":${shownJSON(deployment)},"ms":${Math.round(ms)}`
    if (failure !== undefined) json += `,"failure":"${failure}"`
    if (reason !== undefined) json += `,"reason":${JSON.stringify(reason)}`
    json += '}'
  }
  return `[${json}]`
}

/** Whether others have paid for the answer. */
export function isOthers({ cache }: RequestReport['trace']): boolean {
  return cache === 'hit' || cache === 'shared'
}

const shown = (name: string | undefined) => (name === undefined ? null : shownName(name))

/** Cut as a whole: half of it would be no JSON. */
function metadataOf({ asked }: RequestReport): string | null {
  const { metadata } = asked ?? {}
  if (!isObject(metadata)) return null
  const text = JSON.stringify(metadata)
  return text.length <= mostMetadata ? withoutKeys(text) : null
}
