import type { RequestRow } from '../../src/state/ledger.ts'
import { requestIds } from '../../src/wire/ids.ts'

/** Bytes that nobody can foresee. */
export const secure = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length))

/** Makes rows of a ledger, each with an id of its time. */
export function rowMaker(): (fields: Partial<RequestRow> & { readonly at: number }) => RequestRow {
  let now = 0
  const nextId = requestIds(Math.random, () => now)
  return (fields) => {
    now = fields.at
    return {
      id: nextId(),
      key: null,
      keyName: null,
      project: null,
      user: null,
      endUser: null,
      operation: 'chat',
      model: 'gpt',
      deployment: 'p/gpt',
      status: 200,
      outcome: 'done',
      stream: false,
      input: 10,
      cached: 2,
      output: 5,
      reasoning: 1,
      cost: 1_000,
      booked: 1_000,
      saved: 0,
      usageSource: 'reported',
      priceSource: 'configuration',
      ms: 12,
      firstMs: null,
      attempts: '[]',
      cache: null,
      metadata: null,
      unchecked: false,
      ...fields,
    }
  }
}
