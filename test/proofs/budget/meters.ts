import type { RequestRow } from '../../../src/state/ledger.ts'
import type { Hold } from '../../../src/state/meters.ts'

export interface BudgetSettings {
  /** Of the project, which all share. */
  readonly limit: number
  /** How many keys there are. Each may spend a part of the project's budget, together more than that. */
  readonly keys: number
  /** What one request may cost at most. */
  readonly most: number
  /** Clients of each process. */
  readonly clients: number
  /** Milliseconds: how long an answer takes at most. */
  readonly answerMs: number
}

export interface MemberSettings extends BudgetSettings {
  readonly url: string
  /** Where each line says what was billed for which key. */
  readonly log: string
  readonly owner: string
  readonly timing: Readonly<Record<'beatMs' | 'patience', number>>
}

export const project = 'project:all'
export const keySubject = (key: number) => `key:${key}`
/** In the ledger. */
export const keyId = (key: number | '') => `key_${key}`
export const keyLimit = ({ limit, keys }: BudgetSettings) => Math.floor((limit / keys) * 2)

export function holdsOf(settings: BudgetSettings, key: number, amount: number): readonly Hold[] {
  const meter = (subject: string, limit: number) => ({ subject, window: 0, limit })
  return [
    { meter: meter(keySubject(key), keyLimit(settings)), amount },
    { meter: meter(project, settings.limit), amount },
    { meter: { ...meter(`parallel:${key}`, settings.clients * 10), returns: true }, amount: 1 },
  ]
}

/** What the ledger keeps of a request. */
export function rowOf(id: string, key: number, cost: number): RequestRow {
  return {
    ...{ id, at: Date.now(), key: keyId(key), keyName: null, project, user: null, endUser: null },
    ...{
      operation: 'chat',
      model: 'proven',
      deployment: 'proof/proven',
      status: 200,
      outcome: 'done',
      stream: false,
    },
    ...{
      input: 1,
      cached: 0,
      output: cost,
      reasoning: 0,
      cost,
      booked: cost,
      saved: 0,
      unchecked: false,
      usageSource: 'reported',
    },
    ...{ priceSource: 'configured', ms: 1, firstMs: null, attempts: '[]', cache: null, metadata: null },
  }
}
