import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../../src/core/clock.ts'
import { openDatabase } from '../../../src/node/database.ts'
import { migrate } from '../../../src/state/migrate.ts'
import { pause } from '../budget/fates.ts'
import { keyLimit, keySubject, type LimitSettings, type MemberSettings, models } from './limits.ts'

export interface LimitProofSettings extends LimitSettings {
  readonly processes: number
  readonly seconds: number
  /** How many are killed on the way. Another takes the place of each. */
  readonly kills: number
}

/** What was let through of one limit, and of how much. */
export interface LimitLine {
  readonly of: string
  readonly limit: number
  readonly used: number
  /** The limit, and what came in the time. */
  readonly most: number
  /** The most that was used beyond what was there, at any time. */
  readonly over: number
}

export interface LimitProof {
  readonly requests: number
  /** The longest time in milliseconds in which nobody was let through. */
  readonly longestPause: number
  readonly lines: readonly LimitLine[]
  /** What is wrong. Empty: nothing. */
  readonly problems: readonly string[]
}

interface Passed {
  readonly began: number
  readonly at: number
  readonly key: number
  readonly model: number
  readonly tokens: number
}

const member = fileURLToPath(new URL('./member.ts', import.meta.url))
const timing = { beatMs: 100, patience: 5 }
/** The share of what was there that may be left where all are hungry. */
const mostUnused = 0.05
/** Milliseconds in which nobody is let through: a killed process holds nobody up for longer than a slow disk would. */
const mostPause = 2_000

/** Has several processes use limits that they share, some of which are killed on the way, and adds up what was let through. */
export async function proveLimits(settings: LimitProofSettings): Promise<LimitProof> {
  const folder = await mkdtemp(join(tmpdir(), 'limits-'))
  const log = join(folder, 'passed')
  try {
    const database = await openDatabase(settings.url, { clock: systemClock })
    await migrate(database)
    await database.close()
    await runMembers(settings, log)
    return audit(settings, passedIn(await readFile(log, 'utf8')))
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function runMembers({ processes, seconds, kills, ...settings }: LimitProofSettings, log: string): Promise<void> {
  const living = new Set<ChildProcess>()
  let started = 0
  const begin = () => {
    const given: MemberSettings = { ...settings, log, timing, owner: `member-${++started}` }
    const child = spawn(process.execPath, [member, JSON.stringify(given)], { stdio: ['ignore', 'inherit', 'inherit'] })
    living.add(child)
    child.once('exit', () => living.delete(child))
  }
  for (let n = 0; n < processes; n++) begin()
  // It may take a while until one is at work.
  while ((await stat(log).catch(() => ({ size: 0 }))).size === 0) await pause(5)
  const part = (seconds * 1000) / (kills + 1)
  for (let n = 0; n < kills; n++) {
    await pause(part)
    const victim = [...living][Math.floor(Math.random() * living.size)]
    victim?.kill('SIGKILL')
    begin()
  }
  await pause(part)
  const ended = [...living].map((child) => once(child, 'exit'))
  for (const child of living) child.kill('SIGTERM')
  await Promise.all(ended)
}

function passedIn(text: string): readonly Passed[] {
  const passed = text
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' ').map(Number) as [number, number, number, number, number])
    .map(([began, at, key, model, tokens]) => ({ began, at, key, model, tokens }))
  return passed.sort((one, other) => one.at - other.at)
}

function audit(settings: LimitProofSettings, passed: readonly Passed[]): LimitProof {
  const { rpm, tpm, keys, kills } = settings
  const [first, second] = [0, 1].map((model) => passed.filter((one) => one.model === model))
  const hungry = [
    lineOf(`requests of ${models[0]}`, rpm, first ?? [], () => 1),
    lineOf(`tokens of ${models[1]}`, tpm, second ?? [], ({ tokens }) => tokens),
  ]
  const lines = [
    ...hungry,
    ...Array.from({ length: keys }, (_, key) => {
      const own = passed.filter((one) => one.key === key)
      return lineOf(`requests of ${keySubject(key)}`, keyLimit(settings), own, () => 1)
    }),
  ]
  const pauses = passed.slice(1).map(({ at }, index) => at - (passed[index] as Passed).at)
  const longestPause = Math.round(pauses.reduce((longest, ms) => Math.max(longest, ms), 0))
  return {
    requests: passed.length,
    longestPause,
    lines,
    problems: [
      ...lines.filter(({ over }) => over > 0).map(({ of, over }) => `${of}: ${over} more than there were`),
      // What a killed process had taken is lost for a while.
      ...hungry
        .filter(({ used, most }) => kills === 0 && used < most * (1 - mostUnused))
        .map(({ of, used, most }) => `${of}: ${most - used} were left`),
      ...(longestPause > mostPause ? [`nobody was let through for ${longestPause} ms`] : []),
    ],
  }
}

function lineOf(of: string, limit: number, passed: readonly Passed[], amount: (one: Passed) => number): LimitLine {
  const first = passed.reduce((first, { began }) => Math.min(first, began), Number.POSITIVE_INFINITY)
  const most = (at: number) => limit + ((at - first) / 60_000) * limit
  let [used, over] = [0, 0]
  for (const one of passed) {
    used += amount(one)
    over = Math.max(over, used - most(one.at))
  }
  return { of, limit, used, most: Math.floor(most(passed.at(-1)?.at ?? first)), over: Math.ceil(over) }
}
