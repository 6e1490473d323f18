import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../../src/core/clock.ts'
import { openDatabase } from '../../../src/node/database.ts'
import type { TransactionalDatabase } from '../../../src/state/database.ts'
import { migrate } from '../../../src/state/migrate.ts'
import { SlicedMeters } from '../../../src/state/sliced-meters.ts'
import { type BudgetSettings, keyLimit, keySubject, type MemberSettings, project } from './meters.ts'

export interface ProofSettings extends BudgetSettings {
  readonly url: string
  readonly processes: number
  /** What becomes of one process after the other, in equal parts of the budget. A killed one is replaced. */
  readonly fates: readonly Fate[]
}

/** `stop`: until others take it for dead, and then on. */
export type Fate = 'kill' | 'stop'

/** What a meter says in the end, beside what was billed. */
export interface Line {
  readonly subject: string
  readonly limit: number
  readonly billed: number
  readonly spent: number
  readonly held: number
  readonly lost: number
}

export interface Proof {
  readonly requests: number
  readonly seconds: number
  readonly lines: readonly Line[]
  /** What is wrong. Empty: nothing. */
  readonly problems: readonly string[]
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
    const bills = (await readFile(log, 'utf8')).trimEnd().split('\n')
    const lines = await linesOf(settings, bills, watcher)
    return { requests: bills.length, seconds, lines, problems: problemsOf(settings, lines) }
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
    const given: MemberSettings = {
      limit,
      keys,
      most,
      clients,
      answerMs,
      url,
      log,
      timing,
      owner: `member-${++started}`,
    }
    const child = spawn(process.execPath, [member, JSON.stringify(given)], { stdio: ['ignore', 'inherit', 'inherit'] })
    living.add(child)
    child.once('exit', () => living.delete(child))
  }
  for (let n = 0; n < settings.processes; n++) begin()
  for (const [index, fate] of settings.fates.entries()) {
    await untilBilled(log, (settings.limit * (index + 1)) / (settings.fates.length + 2), settings)
    const victim = [...living][Math.floor(Math.random() * living.size)]
    if (!victim) throw new Error(`nobody was left to ${fate}`)
    if (fate === 'stop') await stopFor(victim, timing.beatMs * timing.patience * 2)
    else {
      victim.kill('SIGKILL')
      begin()
    }
  }
  await Promise.all([...living].map((child) => once(child, 'exit')))
}

/** About: a line has five bytes, and says a quarter of the most. */
async function untilBilled(log: string, amount: number, { most }: BudgetSettings): Promise<void> {
  const bytes = (amount / (most / 4)) * 5
  while ((await stat(log).catch(() => ({ size: 0 }))).size < bytes) await pause(5)
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

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

async function linesOf(settings: ProofSettings, bills: readonly string[], watcher: SlicedMeters): Promise<Line[]> {
  const billed = new Map<string, number>()
  for (const bill of bills) {
    const [key, cost] = bill.split(' ').map(Number) as [number, number]
    for (const subject of [project, keySubject(key)]) billed.set(subject, (billed.get(subject) ?? 0) + cost)
  }
  const subjects = [project, ...Array.from({ length: settings.keys }, (_, key) => keySubject(key))]
  return Promise.all(
    subjects.map(async (subject) => {
      const reading = await watcher.read({ subject, window: 0 })
      const limit = subject === project ? settings.limit : keyLimit(settings)
      return { subject, limit, billed: billed.get(subject) ?? 0, ...reading }
    }),
  )
}

export function problemsOf(settings: Pick<ProofSettings, 'fates' | 'most'>, lines: readonly Line[]): string[] {
  const checks = (line: Line) => {
    const { subject, limit, billed, spent, held, lost } = line
    return {
      'more was billed than the limit': billed > limit,
      'more is booked than the limit': spent + held > limit,
      'less is booked than was billed': spent < billed,
      'more is booked than was billed or lost': spent > billed + lost,
      'something is still held': held !== 0,
      'something is lost, although nobody died': !settings.fates.includes('kill') && lost !== 0,
      'a request would still have fitted':
        settings.fates.length === 0 && subject === project && limit - spent >= settings.most,
    }
  }
  return lines.flatMap((line) =>
    Object.entries(checks(line)).flatMap(([problem, is]) => (is ? [`${line.subject}: ${problem}`] : [])),
  )
}
