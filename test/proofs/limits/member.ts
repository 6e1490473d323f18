import { openSync, writeSync } from 'node:fs'
import { isTooFast } from '../../../src/accounts/rates.ts'
import { SharedRates } from '../../../src/accounts/shared-rates.ts'
import { systemClock } from '../../../src/core/clock.ts'
import { openDatabase } from '../../../src/node/database.ts'
import { SlicedMeters } from '../../../src/state/sliced-meters.ts'
import { type MemberSettings, takesOf } from './limits.ts'

/** One of the processes that share limits, until it is told to end. Started by `prove.ts`. */
const settings = JSON.parse(process.argv[2] ?? '') as MemberSettings
const log = openSync(settings.log, 'a')
const database = await openDatabase(settings.url, { clock: systemClock })
const company = new SlicedMeters(database, { clock: systemClock, owner: settings.owner, ...settings.timing })
const rates = new SharedRates({ database, clock: systemClock, company })
let isOver = false
process.once('SIGTERM', () => {
  isOver = true
})
const pause = (ms: number) => new Promise<void>((over) => setTimeout(over, ms))

/** Milliseconds until a client that is refused asks again at the latest: it must not be the reason why nothing is used. */
const longestWait = 20

async function client(): Promise<void> {
  while (!isOver) {
    const need = 1 + Math.floor(Math.random() * settings.most)
    // Some are asked for more often than others.
    const key = Math.floor(Math.random() ** 2 * settings.keys)
    const model = Math.floor(Math.random() * 2)
    const began = systemClock.now()
    const outcome = await rates.take(takesOf(settings, { key, model, need }))
    if (isTooFast(outcome)) {
      await pause(Math.random() * Math.min(outcome.wait, longestWait))
      continue
    }
    const tokens = Math.floor(Math.random() * (need + 1))
    // Whatever becomes of this process, it was let through.
    writeSync(log, `${began} ${systemClock.now()} ${key} ${model} ${tokens}\n`)
    await pause(Math.random() * settings.answerMs)
    rates.settle(outcome, { requests: 1, tokens })
  }
}

await Promise.all(Array.from({ length: settings.clients }, client))
await rates.close()
await company.close()
await database.close()
