import type { Clock } from '../../core/clock.ts'
import type { ClientKey } from '../../http/access.ts'
import { dollarsOf } from '../../prices/money.ts'
import type { BudgetLeft } from '../../state/budgets.ts'
import { type Metric, type Tally, tallyOf } from './metric.ts'
import { liteLlmMetrics } from './names.ts'
import { ownMetrics } from './own-names.ts'

/** What a process keeps beyond its requests, for those who count. Money in nano-dollars. */
export interface KeptFigures {
  /** Rows of the ledger: written by this process, given up, and still to be written. */
  rows(): { readonly written: number; readonly dropped: number; readonly waiting: number }
  /** What was booked for processes that died, as this one has found. */
  lost(): number
  /** Budgets of `keys`, which are in the configuration, and of all that are kept: `most`, those nearest to their end. */
  budgets(keys: readonly ClientKey[], most: number): Promise<readonly BudgetLeft[]>
}

/** Budgets of which there are series. */
const mostBudgets = 200
/** Milliseconds that a scrape waits for the store. */
const patience = 500

const liteLlm = liteLlmMetrics()

/** Looks at what is kept whenever somebody wants the counts, never while a request waits. */
export class KeptLook {
  readonly #clock: Pick<Clock, 'after'>
  readonly #figures: () => KeptFigures | undefined
  #budgets: readonly BudgetLeft[] = []
  #reading: Promise<readonly BudgetLeft[]> | undefined

  constructor(clock: Pick<Clock, 'after'>, figures: () => KeptFigures | undefined) {
    this.#clock = clock
    this.#figures = figures
  }

  /** Reads the budgets. Never rejects: where the store says nothing in time, there are none. */
  async look(keys: readonly ClientKey[]): Promise<void> {
    const figures = this.#figures()
    if (!figures) return
    this.#reading ??= figures
      .budgets(keys, mostBudgets)
      .catch(() => [])
      .finally(() => {
        this.#reading = undefined
      })
    const { promise: late, resolve } = Promise.withResolvers<readonly BudgetLeft[]>()
    const cancel = this.#clock.after(patience, () => resolve([]))
    this.#budgets = await Promise.race([this.#reading, late])
    cancel()
  }

  /** `tally` with the counts of what is kept, if anything is. */
  added(tally: Tally): Tally {
    const figures = this.#figures()
    if (!figures) return tally
    const { written, dropped, waiting } = figures.rows()
    return tallyOf(
      [
        [ownMetrics.ledgerRows, ['written'], written],
        [ownMetrics.ledgerRows, ['dropped'], dropped],
        [ownMetrics.ledgerWaiting, [], waiting],
        [ownMetrics.leasesLost, [], dollarsOf(figures.lost())],
        ...this.#budgets.flatMap(budgetSeries),
      ],
      tally,
    )
  }
}

function budgetSeries({ of, name, left, limit }: BudgetLeft): (readonly [Metric, readonly string[], number])[] {
  const isKey = of === 'key'
  const labels = isKey ? [name, ''] : ['', name]
  const [leftThere, limitThere] = isKey
    ? [liteLlm.keyBudgetLeft, liteLlm.keyBudget]
    : [liteLlm.teamBudgetLeft, liteLlm.teamBudget]
  return [
    [ownMetrics.budgets, labels, dollarsOf(left)],
    [ownMetrics.budgetLimits, labels, dollarsOf(limit)],
    [leftThere, [name], dollarsOf(left)],
    [limitThere, [name], dollarsOf(limit)],
  ]
}
