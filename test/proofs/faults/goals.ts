import { short } from '../../bench/report.ts'
import { type Row, sumOf } from './campaign.ts'
import { departures } from './gone.ts'
import type { Figures } from './measure.ts'

/** One thing that is demanded of a gateway, and whether it holds. */
export interface Goal {
  readonly what: string
  readonly figure: string
  readonly held: boolean
  /** The README says that it doesn't hold. */
  readonly known?: boolean
}

/** Memory at the end, compared with that after the warm-up. */
const growth = 1.1
/** Objects per request that may be alive by chance, such as a closed socket that its pool has not replaced yet. */
const stray = 1 / 10_000

/** The demands that the measured sections can answer. */
export function goalsOf(figures: Figures): Goal[] {
  return [...campaignGoals(figures), ...leftGoals(figures), ...goneGoals(figures), ...outageGoals(figures)].concat(
    resumeGoals(figures),
    hedgeGoals(figures),
  )
}

/** The sum of the rows of a campaign whose faults are of this kind. */
export function rowsOf({ campaign }: Figures, kind: string): Row {
  return sumOf([...(campaign?.rows ?? [])].filter(([name]) => name.startsWith(kind)).map(([, row]) => row))
}

function campaignGoals(figures: Figures): Goal[] {
  if (!figures.campaign) return []
  const all = rowsOf(figures, '')
  const before = rowsOf(figures, 'before')
  const after = rowsOf(figures, 'after')
  const told = rowsOf(figures, 'told')
  const none = count('silent, invented, wrong or hung', all.silent + all.invented + all.wrong + all.hung + all.undone)
  return [
    { what: 'faults before content that no client noticed', ...share(before.whole, before.times) },
    { what: 'faults after content that were raised or mended', ...share(after.right, after.times) },
    { what: "the client's own errors told", ...share(told.right, told.times) },
    none,
    count('not as it should be', figures.campaign.problems.length),
  ]
}

function share(part: number, all: number): Pick<Goal, 'figure' | 'held'> {
  return { figure: `${part} of ${all}`, held: part === all }
}

function count(what: string, number: number): Goal {
  return { what, figure: String(number), held: number === 0 }
}

function leftGoals({ left, memory, requests }: Figures): Goal[] {
  const goals: Goal[] = []
  if (left) {
    const { alive, listeners, open, sockets, uncaught } = left
    goals.push(count('uncaught exceptions, warnings', uncaught.length))
    goals.push(count('sockets left after a second', sockets), count('upstream answers left open', open))
    if (Object.keys(alive).length > 0) {
      const { timers = 0, emitters = 0, signals = 0 } = alive
      const heard = listeners + emitters + signals
      const what = 'listeners, and what they listen to'
      goals.push(count('timers left', timers), { what, figure: String(heard), held: heard <= requests * stray })
    }
  }
  // Before that it is still growing to its size.
  if (memory && requests >= 20_000) {
    const { warm, end } = memory
    goals.push({ what: 'memory', figure: `${warm.toFixed(0)} → ${end.toFixed(0)} MB`, held: end <= warm * growth })
  }
  return goals
}

function goneGoals({ gone = [], blind }: Figures): Goal[] {
  return departures.flatMap((manner) => {
    const rows = gone.filter((row) => row.manner === manner)
    if (rows.length === 0) return []
    const p99 = Math.max(...rows.map((row) => row.p99))
    const chunks = Math.max(...rows.map((row) => row.chunks))
    const again = rows.reduce((sum, row) => sum + row.again, 0)
    const known = manner === 'closes' && blind === true
    return [
      { what: `client ${manner}: upstream stopped, p99`, figure: milliseconds(p99), held: p99 <= 50, known },
      { what: `client ${manner}: chunks for nobody, at most`, figure: String(chunks), held: chunks <= 2, known },
      { ...count(`client ${manner}: asked again for nobody`, again), known },
    ]
  })
}

function milliseconds(value: number): string {
  return Number.isFinite(value) ? `${short(value)} ms` : 'never'
}

function outageGoals({ outages = [] }: Figures): Goal[] {
  return outages.flatMap(({ name, later, noticed }) => [
    { what: `down by ${name}: attempts per request`, figure: short(later), held: later <= 1.05 },
    count(`down by ${name}: clients that noticed`, noticed),
  ])
}

function resumeGoals({ resume }: Figures): Goal[] {
  if (!resume) return []
  const { cuts, declined } = resume
  return [
    { what: 'cut streams that came out identical', ...share(cuts.whole, cuts.times) },
    ...[...declined].map(([name, row]) => ({
      what: `cut streams with ${name} that were raised`,
      ...share(row.raised, row.times),
    })),
  ]
}

function hedgeGoals({ hedge }: Figures): Goal[] {
  const [plain, hedged] = hedge ?? []
  if (!plain || !hedged) return []
  const ratio = hedged.p99 / plain.p99
  return [
    { what: 'hedged: p99 of the first token', figure: `${short(ratio)} of the unhedged`, held: ratio <= 0.3 },
    { what: 'hedged: attempts per request', figure: short(hedged.attempts), held: hedged.attempts <= 1.06 },
    count('hedged: answers that failed', hedged.failed),
  ]
}
