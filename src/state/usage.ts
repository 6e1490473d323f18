import type { Clock } from '../core/clock.ts'
import { requestIdAt } from '../wire/ids.ts'
import type { Database, Row, Value } from './database.ts'
import type { LimitReset } from './key.ts'
import type { RequestRow, Spending, Usage, UsageGroup, UsageQuery, UsageSum } from './ledger.ts'
import { requestColumns, requestOf } from './request-rows.ts'
import { takingTurns } from './turns.ts'
import { windowAt } from './window.ts'

const hour = 60 * 60 * 1000
/** Milliseconds between the time in a request's id and the one in its row, at most. */
const slack = 1000
/** Rows that one statement reads at most. */
const page = 500
/** Rows that one statement looks through for those of a key. */
const stretch = 5_000

/** Reads what a ledger has written. */
export function createUsage(database: Database, clock: Clock): Usage {
  async function sumsOf(query: UsageQuery, from: number, to: number): Promise<UsageSum[]> {
    const { sql, values } = query.width < hour ? sumOfRows(query, from, to) : sumOfHours(query, from, to)
    const rows = await database.all(sql, values)
    return rows.filter(({ requests }) => Number(requests) > 0).map((row) => sumOf(row, query.groups, from))
  }

  async function* newest(before: string | undefined, key: string | undefined): AsyncGenerator<RequestRow> {
    let last = before
    for (const turn = takingTurns(clock); ; await turn()) {
      const before = last === undefined ? '' : 'WHERE id < ?2'
      const most = key === undefined ? page : stretch
      const values: Value[] = [most, ...(last === undefined ? [] : [last])]
      const inner = `SELECT ${requestColumns} FROM requests ${before} ORDER BY id DESC LIMIT ?1`
      const all = await database.all(
        key === undefined ? inner : `SELECT * FROM (${inner}) r WHERE key_id = ?${values.push(key)} ORDER BY id DESC`,
        values,
      )
      yield* all.map(requestOf)
      const end = key === undefined ? all.at(-1)?.id : await endOf(last)
      if (typeof end !== 'string' || (key === undefined && all.length < page)) return
      last = end
    }
  }

  /** The last id of a stretch; undefined after the last one. */
  async function endOf(before: string | undefined): Promise<Value | undefined> {
    const after = before === undefined ? '' : 'WHERE id < ?2'
    const sql = `SELECT min(id) AS id FROM (SELECT id FROM requests ${after} ORDER BY id DESC LIMIT ?1) r`
    const [row] = await database.all(sql, [stretch, ...(before === undefined ? [] : [before])])
    return row?.id
  }

  return {
    async sums(query) {
      const found: UsageSum[] = []
      const turn = takingTurns(clock)
      // Bucket by bucket, so that nobody waits for a whole month to be summed up.
      for (let from = query.from; from < query.to; from += query.width) {
        found.push(...(await sumsOf(query, from, Math.min(from + query.width, query.to))))
        await turn()
      }
      return found
    },

    async rows({ before, limit, key }) {
      const found: RequestRow[] = []
      if (limit === 0) return found
      for await (const row of newest(before, key)) if (found.push(row) === limit) break
      return found
    },

    async row(id) {
      const [row] = await database.all(`SELECT ${requestColumns} FROM requests WHERE id = ?1`, [id])
      return row && requestOf(row)
    },

    async spending(keys) {
      if (keys.length === 0) return new Map()
      const places = keys.map((_, at) => `?${at + 1}`).join(', ')
      const rows = await database.all(`SELECT * FROM spending WHERE key_id IN (${places})`, keys)
      return new Map(rows.map((row) => [String(row.key_id), spendingOf(row, clock.now())]))
    },
  }
}

function spendingOf(row: Row, now: number): Spending {
  const since = (reset: LimitReset, started: Value | undefined, sum: Value | undefined) =>
    started === windowAt(reset, now) ? Number(sum) : 0
  return {
    total: Number(row.total),
    daily: since('daily', row.day, row.daily),
    weekly: since('weekly', row.week, row.weekly),
    monthly: since('monthly', row.month, row.monthly),
  }
}

const columns: Readonly<Record<UsageGroup, string>> = {
  key: 'key_id',
  project: 'project_id',
  user: 'user_id',
  endUser: 'end_user',
  model: 'model',
  deployment: 'deployment',
  operation: 'operation',
}

const whole = (expression: string, name: string) => `CAST(coalesce(sum(${expression}), 0) AS BIGINT) AS ${name}`
const tokens = ['input', 'cached', 'output', 'reasoning', 'booked', 'saved'].map((name) => whole(name, name))

function sumOfHours(query: UsageQuery, from: number, to: number) {
  const counts = ['requests', 'errors', 'cost', 'unpriced'].map((name) => whole(name, name))
  return statement(query, 'usage', [...counts, ...tokens], ['bucket >= ?1', 'bucket < ?2'], [from, to])
}

function sumOfRows(query: UsageQuery, from: number, to: number) {
  const counts = [
    'count(*) AS requests',
    whole("CASE WHEN outcome IN ('failed', 'cut') THEN 1 ELSE 0 END", 'errors'),
    whole('cost', 'cost'),
    whole('CASE WHEN cost IS NULL THEN 1 ELSE 0 END', 'unpriced'),
  ]
  // Only the ids have an order.
  const where = ['at >= ?1', 'at < ?2', 'id >= ?3', 'id < ?4']
  const values = [from, to, requestIdAt(from - slack), requestIdAt(to + slack)]
  return statement(query, 'requests', [...counts, ...tokens], where, values)
}

function statement(
  { groups, only }: UsageQuery,
  table: string,
  sums: readonly string[],
  where: readonly string[],
  given: readonly Value[],
) {
  const values = [...given]
  const filters = (Object.entries(only) as [UsageGroup, readonly string[]][]).map(
    ([group, wanted]) => `${columns[group]} IN (${wanted.map((value) => `?${values.push(value)}`).join(', ')})`,
  )
  const grouped = groups.map((group) => columns[group])
  const sql = `SELECT ${[...grouped, ...sums].join(', ')} FROM ${table} WHERE ${[...where, ...filters].join(' AND ')}${
    grouped.length === 0 ? '' : ` GROUP BY ${grouped.join(', ')} ORDER BY ${grouped.join(', ')}`
  }`
  return { sql, values }
}

function sumOf(row: Row, groups: readonly UsageGroup[], bucket: number): UsageSum {
  const count = (name: string) => Number(row[name] ?? 0)
  return {
    bucket,
    group: Object.fromEntries(groups.map((group) => [group, named(row[columns[group]])])),
    requests: count('requests'),
    errors: count('errors'),
    input: count('input'),
    cached: count('cached'),
    output: count('output'),
    reasoning: count('reasoning'),
    cost: count('cost'),
    booked: count('booked'),
    saved: count('saved'),
    unpriced: count('unpriced'),
  }
}

/** Sums have an empty text where rows have null. */
const named = (value: Value | undefined) => (typeof value === 'string' && value !== '' ? value : null)
