import { type Level, type RateBook, Rates, type Take } from '../../src/accounts/rates.ts'
import { SharedRates } from '../../src/accounts/shared-rates.ts'
import { systemClock } from '../../src/core/clock.ts'
import type { TransactionalDatabase } from '../../src/state/database.ts'

export interface RateBench {
  /** A database with all tables. */
  readonly open: () => Promise<TransactionalDatabase>
  /** Microseconds for one of `times`: the least of all rounds. */
  readonly least: (times: number, work: () => void | Promise<void>, repeat?: number) => Promise<number>
}

const times = 500
/** So many that what is taken ahead is enough for all rounds. */
const takes: readonly Take[] = [
  { subject: 'key:a', kind: 'requests', limit: 6e8, need: 1 },
  { subject: 'key:a', kind: 'tokens', limit: 6e11, need: 1_000 },
]
const used = { requests: 1, tokens: 500 }

/** What limits a minute cost a request, in microseconds: with two of them, as the first three say, or with one. */
export async function rateCosts({ open, least }: RateBench): Promise<Readonly<Record<string, number>>> {
  async function withRates<T>(alone: boolean, work: (rates: SharedRates) => Promise<T>): Promise<T> {
    const database = await open()
    const rates = new SharedRates({ database, clock: systemClock, company: { alone, join: () => {} } })
    try {
      return await work(rates)
    } finally {
      await rates.close()
      await database.close()
    }
  }

  const ahead = (alone: boolean) =>
    withRates(alone, async (rates) => {
      // What is taken ahead is good as long as it could not have come again.
      await rates.take(takes.map((take) => ({ ...take, need: take.limit / 2 })))
      await rates.take(takes)
      return least(times, many(rates))
    })

  let subjects = 0
  const asked = (atOnce: number) =>
    withRates(false, (rates) =>
      least(
        50,
        async () => {
          // Of a limit too small for a tranche.
          const take: Take = { subject: `key:${++subjects}`, kind: 'requests', limit: 599, need: 1 }
          for (let n = 0; n < 50; n += atOnce)
            await Promise.all(Array.from({ length: atOnce }, () => rates.take([take])))
        },
        40,
      ),
    )

  return {
    'limits a minute, without a store: two': await least(times, many(new Rates(systemClock))),
    'limits of a process alone on its file: two': await ahead(true),
    'limits that processes share, in a tranche: two': await ahead(false),
    'one that is asked for, a transaction': await asked(1),
    'one that is asked for, fifty in a transaction': await asked(50),
  }
}

/** Without an `await`, which would cost more than the work. */
function many<L extends Level>(rates: RateBook<L>): () => void {
  return () => {
    for (let n = 0; n < times; n++) {
      const outcome = rates.take(takes)
      if (outcome instanceof Promise) throw new Error('the tranche is too small')
      if (!('wait' in outcome)) rates.settle(outcome, used)
    }
  }
}
