import type { Statement } from './database.ts'
import type { RequestRow } from './ledger.ts'
import { windowAt } from './window.ts'

const hour = 60 * 60 * 1000

/** Sums of requests by the hour, and by key, until they are written. */
export class Rollups {
  readonly #sums = new Map<string, Sum>()
  readonly #spent = new Map<string, Spent>()
  readonly #endUsers: EndUsers
  /** What the row before counted for: most are alike, and it takes long to make up a name of all that they have in common. */
  #last: Sum | undefined
  #lastSpent: Spent | undefined

  constructor(endUsers: EndUsers) {
    this.#endUsers = endUsers
  }

  get isEmpty(): boolean {
    return this.#sums.size + this.#spent.size === 0
  }

  add(row: RequestRow): void {
    const bucket = row.at - (row.at % hour)
    const { key, project, user, operation, model, deployment } = row
    const endUser = this.#endUsers.known(bucket, row.endUser)
    const names = [key, project, user, endUser, operation, model, deployment]
    const sum = this.#last && isOf(this.#last, bucket, names) ? this.#last : this.#sumOf(bucket, names)
    this.#last = sum
    for (let at = 0; at < counted.length; at++) sum.counts[at] = (sum.counts[at] as number) + (counted[at]?.(row) ?? 0)
    if (row.key !== null && row.booked !== 0) this.#spend(row.key, row)
  }

  /** Takes up to so many sums of each kind out of these. */
  take(most: number): Rollups {
    const taken = new Rollups(this.#endUsers)
    this.#last = undefined
    this.#lastSpent = undefined
    move(this.#sums, taken.#sums, most)
    move(this.#spent, taken.#spent, most)
    return taken
  }

  /** What brings all of it into the store: in an order, so that of two writers none waits for what the other has. */
  statements(): readonly Statement[] {
    return [
      ...inOrder(this.#sums).map(({ group, counts }) => ({ sql: addUsage, values: [...group, ...counts] })),
      ...inOrder(this.#spent).map(({ key, day, booked }) => ({
        sql: addSpending,
        values: [key, booked, day, windowAt('weekly', day), windowAt('monthly', day)],
      })),
    ]
  }

  #sumOf(bucket: number, names: readonly (string | null)[]): Sum {
    const plain = names.map((name) => name ?? '')
    // No store takes a text with this character in it, so that it is in none of them.
    const id = `${bucket}\0${plain.join('\0')}`
    let sum = this.#sums.get(id)
    if (!sum) {
      sum = { group: [bucket, ...plain], counts: counted.map(() => 0) }
      this.#sums.set(id, sum)
    }
    return sum
  }

  #spend(key: string, { at, booked }: RequestRow): void {
    const day = windowAt('daily', at)
    let spent = this.#lastSpent
    if (spent?.key !== key || spent.day !== day) {
      const id = `${key} ${day}`
      spent = this.#spent.get(id) ?? { key, day, booked: 0 }
      this.#spent.set(id, spent)
      this.#lastSpent = spent
    }
    spent.booked += booked
  }
}

function isOf({ group }: Sum, bucket: number, names: readonly (string | null)[]): boolean {
  if (group[0] !== bucket) return false
  for (let at = 0; at < names.length; at++) if (group[at + 1] !== (names[at] ?? '')) return false
  return true
}

function move<T>(from: Map<string, T>, to: Map<string, T>, most: number): void {
  for (const [id, sum] of from) {
    if (to.size === most) return
    to.set(id, sum)
    from.delete(id)
  }
}

function inOrder<T>(sums: ReadonlyMap<string, T>): readonly T[] {
  return [...sums].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, sum]) => sum)
}

/** Users whom clients speak for that are told apart in an hour: a client may make one up for each request. */
const mostEndUsers = 1000

/** Whom clients speak for in an hour. Of more of them than are told apart, nobody knows who they are. */
export class EndUsers {
  #names = new Set<string>()
  #hour = 0

  known(hour: number, name: string | null): string | null {
    if (name === null) return null
    if (hour > this.#hour) {
      this.#hour = hour
      this.#names = new Set()
    }
    if (this.#names.size < mostEndUsers) this.#names.add(name)
    return this.#names.has(name) ? name : null
  }
}

interface Sum {
  readonly group: readonly (string | number)[]
  readonly counts: number[]
}

interface Spent {
  readonly key: string
  readonly day: number
  booked: number
}

const groupColumns = ['bucket', 'key_id', 'project_id', 'user_id', 'end_user', 'operation', 'model', 'deployment']
const sumColumns = [
  'requests',
  'errors',
  'input',
  'cached',
  'output',
  'reasoning',
  'cost',
  'booked',
  'saved',
  'unpriced',
]

/** In the order of `sumColumns`. */
const counted: readonly ((row: RequestRow) => number)[] = [
  () => 1,
  ({ outcome }) => (outcome === 'failed' || outcome === 'cut' ? 1 : 0),
  ({ input }) => input,
  ({ cached }) => cached,
  ({ output }) => output,
  ({ reasoning }) => reasoning,
  ({ cost }) => cost ?? 0,
  ({ booked }) => booked,
  ({ saved }) => saved,
  ({ cost }) => (cost === null ? 1 : 0),
]

const all = [...groupColumns, ...sumColumns]
const addUsage = `INSERT INTO usage (${all.join(', ')}) VALUES (${all.map((_, at) => `?${at + 1}`).join(', ')})
  ON CONFLICT (${groupColumns.join(', ')}) DO UPDATE SET
  ${sumColumns.map((name) => `${name} = usage.${name} + excluded.${name}`).join(', ')}`

// A request of an earlier day that ends only now is nothing of this day's.
const later = (since: string, sum: string) => `${sum} = CASE
    WHEN excluded.${since} = spending.${since} THEN spending.${sum} + excluded.${sum}
    WHEN excluded.${since} > spending.${since} THEN excluded.${sum} ELSE spending.${sum} END,
  ${since} = CASE WHEN excluded.${since} > spending.${since} THEN excluded.${since} ELSE spending.${since} END`
const addSpending = `INSERT INTO spending (key_id, total, day, daily, week, weekly, month, monthly)
  VALUES (?1, ?2, ?3, ?2, ?4, ?2, ?5, ?2) ON CONFLICT (key_id) DO UPDATE SET
  total = spending.total + excluded.total, ${later('day', 'daily')}, ${later('week', 'weekly')}, ${later('month', 'monthly')}`
