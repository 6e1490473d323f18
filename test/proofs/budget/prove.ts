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
  /** Ends all processes. */
  readonly signal?: AbortSignal
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
    await untilAlone(database, settings.signal)
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
  const { limit, keys, most, clients, answerMs, url, fates, processes, signal } = settings
  const living = new Set<ChildProcess>()
  /** Of these, those who have something of the budget. */
  const spending = new Set<ChildProcess>()
  let begun = 0
  let started = 0
  let allowed = 0
  const allow = (bytes: number) => {
    allowed = bytes
    // Nobody begins before the others.
    if (started >= processes) for (const child of spending) tell(child, bytes)
  }
  const begin = () => {
    const owner = `member-${++begun}`
    const given: MemberSettings = { limit, keys, most, clients, answerMs, url, log, timing, owner }
    const stdio = ['ignore', 'inherit', 'inherit', 'ipc'] as const
    const child = spawn(process.execPath, [member, JSON.stringify(given)], { stdio: [...stdio] })
    living.add(child)
    const starts = () => {
      started++
      allow(allowed)
    }
    child.once('message', () => {
      spending.add(child)
      starts()
    })
    child.once('exit', () => {
      living.delete(child)
      if (!spending.delete(child)) starts()
    })
  }
  const endAll = () => {
    for (const child of living) child.kill('SIGKILL')
  }
  signal?.addEventListener('abort', endAll)
  try {
    for (let n = 0; n < processes; n++) begin()
    await meetFates({ fates, settings, log, allow, isOver: () => living.size === 0, signal }, async (fate) => {
      const victim = [...spending][Math.floor(Math.random() * spending.size)]
      if (!victim) throw new Error(`nobody was left to ${fate}`)
      if (fate === 'stop') await stopFor(victim, timing.beatMs * timing.patience * 2)
      else {
        spending.delete(victim)
        victim.kill('SIGKILL')
        begin()
      }
    })
    await Promise.all([...living].map((child) => once(child, 'exit')))
  } finally {
    signal?.removeEventListener('abort', endAll)
    endAll()
  }
}

/** It may have ended meanwhile. */
function tell(child: ChildProcess, bytes: number): void {
  if (child.connected) child.send(bytes, () => {})
}

async function stopFor(victim: ChildProcess, ms: number): Promise<void> {
  victim.kill('SIGSTOP')
  await pause(ms)
  victim.kill('SIGCONT')
}

/** Waits until all who have died are booked. */
async function untilAlone(database: TransactionalDatabase, signal: AbortSignal | undefined): Promise<void> {
  for (;;) {
    signal?.throwIfAborted()
    const owners = await database.all("SELECT owner FROM owners WHERE owner <> 'watcher'")
    if (owners.length === 0) return
    await pause(timing.beatMs)
  }
}
