import { openSync, writeSync } from 'node:fs'
import { systemClock } from '../../../src/core/clock.ts'
import { openDatabase } from '../../../src/node/database.ts'
import { StoreError } from '../../../src/state/database.ts'
import { createLedger } from '../../../src/state/ledger-writer.ts'
import type { Granted, Refused } from '../../../src/state/meters.ts'
import { SlicedMeters } from '../../../src/state/sliced-meters.ts'
import { requestIds } from '../../../src/wire/ids.ts'
import { Gate } from './fates.ts'
import { holdsOf, type MemberSettings, project, rowOf } from './meters.ts'

/**
 * One of the processes that spend a budget together, until it is used up. Started by `prove.ts`, which it tells once it
 * spends, and without which it ends.
 */
const settings = JSON.parse(process.argv[2] ?? '') as MemberSettings
const log = openSync(settings.log, 'a')
const database = await openDatabase(settings.url, { clock: systemClock })
const meters = new SlicedMeters(database, { clock: systemClock, owner: settings.owner, ...settings.timing })
const gate = new Gate(settings.log)
process.on('message', (bytes: number) => gate.allow(bytes))
process.on('disconnect', () => process.exit(1))
// Whoever is stopped with the lock makes others wait.
const ledger = createLedger({ database, clock: systemClock, log: () => {} })
const nextId = requestIds(Math.random, Date.now)

/** How often in a row the budget has to be used up for a client to give up: others may still give back. */
const patience = 3

async function client(): Promise<void> {
  let refusals = 0
  while (refusals < patience) {
    const bound = 1 + Math.floor(Math.random() * settings.most)
    // Some are asked for more often than others, so that they are used up first.
    const key = Math.floor(Math.random() ** 2 * settings.keys)
    const answer = await reserve(key, bound)
    if (answer?.granted) {
      refusals = 0
      await request(answer, key, bound)
    } else if (answer?.meter.subject === project) refusals++
  }
}

async function reserve(key: number, bound: number): Promise<Granted | Refused | undefined> {
  try {
    return await meters.reserve(holdsOf(settings, key, bound))
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    // Whoever holds the lock was stopped.
    await new Promise((again) => setTimeout(again, 20))
    return undefined
  }
}

async function request(grant: Granted, key: number, bound: number): Promise<void> {
  tellOnce()
  await new Promise((answered) => setTimeout(answered, Math.random() * settings.answerMs))
  await gate.pass()
  const cost = Math.floor(Math.random() * (bound + 1))
  // Billed: whatever becomes of this process, somebody has to pay for it.
  writeSync(log, `${key} ${cost}\n`)
  grant.settle([cost, cost, 0])
  ledger.write(rowOf(nextId(), key, cost))
}

let isTold = false

function tellOnce(): void {
  if (!isTold) process.send?.('spends')
  isTold = true
}

await Promise.all(Array.from({ length: settings.clients }, client))
await Promise.all([meters.close(), ledger.close()])
await database.close()
process.removeAllListeners('disconnect')
process.disconnect()
