import type { UsageGroup, UsageQuery, UsageSum } from '../state/ledger.ts'
import { invalid } from '../wire/body.ts'
import { listOf, oneOf } from './fields.ts'
import { needed, type Query } from './query.ts'
import type { AdminState } from './state.ts'

/** Milliseconds of a bucket, and how many of them a page has: unless asked for, and at most. */
interface Width {
  readonly ms: number
  readonly usual: number
  readonly most: number
}

const minute = 60 * 1000
const day = 24 * 60 * minute
export const usageWidths = {
  '1d': { ms: day, usual: 7, most: 31 },
  '1h': { ms: 60 * minute, usual: 24, most: 168 },
  '1m': { ms: minute, usual: 60, most: 1440 },
} as const satisfies Readonly<Record<string, Width>>
export const costWidths = { '1d': { ms: day, usual: 7, most: 180 } } as const satisfies Readonly<Record<string, Width>>

/** What OpenAI's names of groups and filters stand for here; those that OpenAI doesn't have are by the gateway. */
export const groups = {
  project_id: 'project',
  user_id: 'user',
  api_key_id: 'key',
  model: 'model',
  end_user: 'endUser',
  deployment: 'deployment',
  operation: 'operation',
} as const satisfies Readonly<Record<string, UsageGroup>>

export const filters = {
  project_ids: 'project',
  user_ids: 'user',
  api_key_ids: 'key',
  models: 'model',
  end_users: 'endUser',
} as const satisfies Readonly<Record<string, UsageGroup>>

export const bucketParameters = ['start_time', 'end_time', 'bucket_width', 'limit', 'page', 'group_by']

export interface BucketOptions {
  readonly widths: Readonly<Record<string, Width>>
  /** The names by which the buckets can be grouped. */
  readonly groups: Readonly<Record<string, UsageGroup>>
  readonly only: UsageQuery['only']
  /** What stands for a sum. Undefined: nothing is counted, so that all buckets are empty. */
  readonly result: ((sum: UsageSum) => object) | undefined
}

/** A page of buckets as OpenAI's: those that are empty, too. They begin with whole days, hours and minutes by UTC. */
export async function bucketPage(query: Query, state: AdminState, { widths, groups, only, result }: BucketOptions) {
  const { ms, usual, most } = widths[query.oneOf('bucket_width', ...Object.keys(widths)) ?? '1d'] as Width
  const start = needed(query.integer('start_time', 0, 1e11), 'start_time') * 1000
  const asked = query.integer('end_time', 0, 1e11)
  const end = asked === undefined ? state.clock.now() : asked * 1000
  if (end <= start && asked !== undefined)
    throw invalid("Invalid 'end_time': it must be after 'start_time'.", 'end_time', 'invalid_value')
  const size = query.integer('limit', 1, most) ?? usual
  const grouped = query.list('group_by')
  const names = grouped.length === 0 ? [] : [...new Set(listOf(oneOf(...Object.keys(groups)), 20)(grouped, 'group_by'))]

  const from = firstOf(query.text('page'), start, ms)
  const to = Math.min(from + size * ms, start - (start % ms) + Math.ceil((end - (start - (start % ms))) / ms) * ms)
  const wanted = names.flatMap((name) => groups[name] ?? [])
  const sums = result ? await state.usage.sums({ from, to, width: ms, groups: wanted, only }) : []
  const byBucket = Map.groupBy(sums, ({ bucket }) => bucket)
  const data = []
  for (let at = from; at < to; at += ms) {
    const results = (byBucket.get(at) ?? []).map((sum) => result?.(sum))
    data.push({ object: 'bucket', start_time: at / 1000, end_time: (at + ms) / 1000, results })
  }
  const hasMore = to < end
  return { object: 'page', data, has_more: hasMore, next_page: hasMore ? `page_${to / 1000}` : null }
}

/** When the first bucket of a page begins. */
function firstOf(page: string | undefined, start: number, width: number): number {
  const first = start - (start % width)
  if (page === undefined) return first
  const [, seconds] = /^page_(\d{1,12})$/.exec(page) ?? []
  const at = Number(seconds) * 1000
  if (at >= first && at % width === 0) return at
  throw invalid("Invalid 'page': expected the `next_page` of an answer to the same question.", 'page', 'invalid_value')
}

/** What OpenAI's results say of their group; null where it isn't asked for. */
export function groupFields(
  { group }: UsageSum,
  shown: Readonly<Record<string, UsageGroup>>,
): Record<string, string | null> {
  return Object.fromEntries(Object.entries(shown).map(([name, by]) => [name, group[by] ?? null]))
}
