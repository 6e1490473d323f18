import type { Outcome } from '../core/report.ts'

/**
 * Where the tokens of a row come from. `reported`: the upstream's own count; `estimated`: from the bytes that passed;
 * `bounded`: the most that they can be; `over`: the upstream's own count, which is more than they could be; `none`: nothing
 * was billed.
 */
export type UsageSource = 'reported' | 'estimated' | 'bounded' | 'over' | 'none'

/** One request, however it ended. Never what was asked or answered. Times in milliseconds, money in nano-dollars. */
export interface RequestRow {
  /** The `x-request-id` of its answer. */
  readonly id: string
  /** Since 1970. */
  readonly at: number
  /** The id of its key; null: it had none. */
  readonly key: string | null
  readonly keyName: string | null
  readonly project: string | null
  /** Who the key belongs to. */
  readonly user: string | null
  /** Whom the client speaks for, in its own words: the `user` of its request. */
  readonly endUser: string | null
  readonly operation: string | null
  /** That the client named, if the gateway knows it. */
  readonly model: string | null
  /** `provider/model` of who answered, or was asked last. */
  readonly deployment: string | null
  readonly status: number
  readonly outcome: Outcome
  readonly stream: boolean
  readonly input: number
  readonly cached: number
  readonly output: number
  readonly reasoning: number
  /** Null: the price isn't known. */
  readonly cost: number | null
  /** What its budgets were charged: more than `cost` where something may have been billed that nobody told of. */
  readonly booked: number
  /** What an answer that nobody had to pay for would have cost, as far as that is known. */
  readonly saved: number
  readonly usageSource: UsageSource
  readonly priceSource: string | null
  readonly ms: number
  readonly firstMs: number | null
  /** As JSON: `[{"deployment": …, "ms": …, "failure": …}]`. */
  readonly attempts: string
  /** `hit`, `miss`, `shared` or `bypass`; null: it had no cache. */
  readonly cache: string | null
  /** As JSON: what the client said in `metadata`, and tags. Null: nothing. */
  readonly metadata: string | null
  /** Whether its limits could not be checked, since the store failed. */
  readonly unchecked: boolean
}

/** Makes a row when it is to be written. Never throws. */
export type MakeRow = () => RequestRow

/** Never throws and never waits: a ledger that fails must not fail an answer. */
export interface Ledger {
  write(row: RequestRow | MakeRow): void
  /** Resolves once what was written before is in the store, or given up and told. Never rejects. */
  flush(): Promise<void>
}

export type UsageGroup = 'key' | 'project' | 'user' | 'endUser' | 'model' | 'deployment' | 'operation'

export interface UsageQuery {
  /** Milliseconds since 1970; `to` is exclusive. */
  readonly from: number
  readonly to: number
  /** Milliseconds: a minute, an hour or a day. */
  readonly width: number
  readonly groups: readonly UsageGroup[]
  /** Only these, by group. */
  readonly only: Readonly<Partial<Record<UsageGroup, readonly string[]>>>
}

export interface UsageSum {
  /** When its bucket begins. */
  readonly bucket: number
  readonly group: Readonly<Partial<Record<UsageGroup, string | null>>>
  readonly requests: number
  readonly errors: number
  readonly input: number
  readonly cached: number
  readonly output: number
  readonly reasoning: number
  readonly cost: number
  readonly booked: number
  readonly saved: number
  /** Requests without a known price. */
  readonly unpriced: number
}

export interface Usage {
  /** Sums of those buckets in which there were any requests, in order; of whole hours if buckets are that wide. */
  sums(query: UsageQuery): Promise<readonly UsageSum[]>
  /** Newest first; `before`: the id of the last one seen. */
  rows(options: {
    readonly before?: string | undefined
    readonly limit: number
    readonly key?: string | undefined
  }): Promise<readonly RequestRow[]>
  row(id: string): Promise<RequestRow | undefined>
  /** What keys have spent, by id; none of those that have spent nothing. */
  spending(keys: readonly string[]): Promise<ReadonlyMap<string, Spending>>
}

/** What was booked for one key, in nano-dollars: ever, and since the day, the week and the month began in UTC. */
export interface Spending {
  readonly total: number
  readonly daily: number
  readonly weekly: number
  readonly monthly: number
}
