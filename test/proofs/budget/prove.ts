import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../../src/core/clock.ts'
import { openDatabase } from '../../../src/node/database.ts'
import type { TransactionalDatabase } from '../../../src/state/database.ts'
import { migrate } from '../../../src/state/migrate.ts'
import { SlicedMeters } from '../../../src/state/sliced-meters.ts'
import { audit, type Proof } from './books.ts'
import { type Fate, meetFates, pause } from './fates.ts'
import type { BudgetSettings, MemberSettings } from './meters.ts'

export interface ProofSettings extends BudgetSettings {
  readonly url: string
  readonly processes: number
  /** What becomes of one process after the other, in equal parts of the budget. A killed one is replaced. */
  readonly fates: readonly Fate[]
}

const member = fileURLToPath(new URL('./member.ts', import.meta.url))
const timing = { beatMs: 100, patience: 5 }

/** Has several processes spend one budget, some of which die or sleep on the way, and reads what is booked in the end. */
export async function proveBudget(settings: ProofSettings): Promise<Proof> {
  const folder = await mkdtemp(join(tmpdir(), 'budget-'))
  const database = await openDatabase(settings.url, { clock: systemClock })
  const watcher = new SlicedMeters(database, { clock: systemClock, owner: 'watcher', ...timing })
  try {
    await migrate(database)
    // From here on it looks for those that have died.
    const alive = await watcher.reserve([{ meter: { subject: 'watcher', window: 0, limit: 1 }, amount: 1 }])
    if (!alive.granted) throw new Error('the watcher was refused')
    const started = performance.now()
    const log = join(folder, 'billed')
    await runMembers(settings, log)
    const seconds = (performance.now() - started) / 1000
    await untilAlone(database)
    const read = (subject: string) => watcher.read({ subject, window: 0 })
    const { fates } = settings
    const [died, calm] = [fates.includes('kill'), fates.length === 0]
    return { seconds, ...(await audit({ settings, log, ledger: database, read, died, calm })) }
  } finally {
    await watcher.close()
    await database.close()
    await rm(folder, { recursive: true })
  }
}

async function runMembers(settings: ProofSettings, log: string): Promise<void> {
  const { limit, keys, most, clients, answerMs, url } = settings
  const living = new Set<ChildProcess>()
  let started = 0
  const begin = () => {
    const owner = `member-${++started}`
    const given: MemberSettings = { limit, keys, most, clients, answerMs, url, log, timing, owner }
    const child = spawn(process.execPath, [member, JSON.stringify(given)], { stdio: ['ignore', 'inherit', 'inherit'] })
    living.add(child)
    child.once('exit', () => living.delete(child))
  }
  for (let n = 0; n < settings.processes; n++) begin()
  await meetFates({ fates: settings.fates, settings, log, isOver: () => living.size === 0 }, async (fate) => {
    const victim = [...living][Math.floor(Math.random() * living.size)]
    if (!victim) throw new Error(`nobody was left to ${fate}`)
    if (fate === 'stop') await stopFor(victim, timing.beatMs * timing.patience * 2)
    else {
      victim.kill('SIGKILL')
      begin()
    }
  })
  await Promise.all([...living].map((child) => once(child, 'exit')))
}

async function stopFor(victim: ChildProcess, ms: number): Promise<void> {
  victim.kill('SIGSTOP')
  await pause(ms)
  victim.kill('SIGCONT')
}

/** Waits until all who have died are booked. */
async function untilAlone(database: TransactionalDatabase): Promise<void> {
  for (;;) {
    const owners = await database.all("SELECT owner FROM owners WHERE owner <> 'watcher'")
    if (owners.length === 0) return
    await pause(timing.beatMs)
  }
}
