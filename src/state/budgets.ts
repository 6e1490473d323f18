import type { Clock } from '../core/clock.ts'
import type { Database, Value } from './database.ts'
import type { Key, Project } from './key.ts'
import { takingTurns } from './turns.ts'
import { windowAt } from './window.ts'

/** A budget as it is now, in nano-dollars. */
export interface BudgetLeft {
  readonly of: 'key' | 'project'
  readonly name: string
  readonly limit: number
  /** Never below 0. */
  readonly left: number
}

/** Whoever may have a budget. Those that are of no use have none. */
export interface Budgeted {
  readonly keys: Iterable<Pick<Key, 'id' | 'name' | 'limits' | 'disabled' | 'expiresAt'>>
  readonly projects: Iterable<Pick<Project, 'id' | 'name' | 'limits' | 'archivedAt'>>
}

/** Meters that are read at once, so that nothing else waits for long. */
const page = 100

/**
 * What is left of budgets, those that are nearest to their end first, `most` at most. Of several with one name there is
 * the one with the least left. Rejects with a `StoreError`.
 */
export async function budgetsLeft(
  { keys, projects }: Budgeted,
  { database, clock, most }: { readonly database: Database; readonly clock: Clock; readonly most: number },
): Promise<readonly BudgetLeft[]> {
  const now = clock.now()
  const asked = [
    ...[...keys].flatMap((key) => (isOver(key, now) ? [] : budgetOf('key', key, now))),
    ...[...projects].flatMap((one) => (one.archivedAt === undefined ? budgetOf('project', one, now) : [])),
  ]
  const found = new Map<string, BudgetLeft>()
  const turn = takingTurns(clock)
  for (let at = 0; at < asked.length; at += page) {
    const some = asked.slice(at, at + page)
    const spent = await spentOf(database, some)
    for (const one of some) {
      const { of, name, limit } = one
      const left = Math.max(0, limit - (spent.get(placeOf(one)) ?? 0))
      const before = found.get(`${of} ${name}`)
      if (!before || left < before.left) found.set(`${of} ${name}`, { of, name, limit, left })
    }
    await turn()
  }
  return [...found.values()].sort((one, other) => shareOf(one) - shareOf(other)).slice(0, most)
}

interface Asked extends Omit<BudgetLeft, 'left'> {
  readonly subject: string
  readonly window: number
}

function budgetOf(of: Asked['of'], { id, name, limits }: Pick<Key, 'id' | 'name' | 'limits'>, now: number): Asked[] {
  const { budget: limit, budgetReset = null } = limits
  return limit === undefined ? [] : [{ of, name, limit, subject: `${of}:${id}`, window: windowAt(budgetReset, now) }]
}

/** By subject and window; nothing for those that were never used. */
async function spentOf(database: Database, asked: readonly Asked[]): Promise<ReadonlyMap<string, number>> {
  const values: Value[] = []
  const places = (all: readonly Value[]) => all.map((one) => `?${values.push(one)}`).join(', ')
  const subjects = places(asked.map(({ subject }) => subject))
  const windows = places([...new Set(asked.map(({ window }) => window))])
  const sql = `SELECT subject, since, spent FROM meters WHERE subject IN (${subjects}) AND since IN (${windows})`
  const rows = await database.all(sql, values)
  return new Map(
    rows.map(({ subject, since, spent }) => [
      placeOf({ subject: String(subject), window: Number(since) }),
      Number(spent),
    ]),
  )
}

const placeOf = ({ subject, window }: Pick<Asked, 'subject' | 'window'>) => `${window} ${subject}`

const shareOf = ({ left, limit }: BudgetLeft) => (limit === 0 ? 0 : left / limit)

function isOver({ disabled, expiresAt }: Pick<Key, 'disabled' | 'expiresAt'>, now: number): boolean {
  return disabled || (expiresAt !== undefined && expiresAt <= now)
}
