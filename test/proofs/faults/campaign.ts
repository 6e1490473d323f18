import { monitorEventLoopDelay } from 'node:perf_hooks'
import { ownApis } from './apis.ts'
import { ask, askOfficially } from './client.ts'
import { type Plan, plainPlan } from './plan.ts'
import type { Target } from './target.ts'
import type { Course, FaultyUpstream } from './upstream.ts'
import { isRight, type Received, type Verdict, verdictOf, verdicts } from './verdict.ts'

/** How the requests with one fault ended. */
export interface Row extends Record<Verdict, number> {
  times: number
  /** Requests whose first deployment was not asked, so that the fault never happened. */
  avoided: number
  right: number
  /** Requests that the upstream saw. */
  attempts: number
}

export interface Report {
  /** By the name of the fault, including `none`. */
  readonly rows: ReadonlyMap<string, Row>
  /** By the wire of the first deployment. */
  readonly wires: ReadonlyMap<string, Row>
  /** By the API by which the client asked, and whether the first deployment has it itself. */
  readonly apis: ReadonlyMap<string, Row>
  /** How failures were reported, and how often. */
  readonly told: ReadonlyMap<string, number>
  /** One line for each problem. */
  readonly problems: readonly string[]
  readonly seconds: number
  /** Milliseconds of this program's longest pause: one near the gateway's limits makes them run out by itself. */
  readonly pause: number
}

export interface Way {
  /** How many requests run at a time. */
  readonly concurrency?: number
  /** Called after each request with the share that is done. */
  readonly progress?: (share: number) => void
}

/** Sends all requests, and then two without a fault. */
export async function campaign(
  plans: readonly Plan[],
  upstream: FaultyUpstream,
  target: Target,
  { concurrency = 32, progress = () => {} }: Way = {},
): Promise<Report> {
  const started = performance.now()
  const pauses = monitorEventLoopDelay()
  pauses.enable()
  upstream.clear()
  const tally = new Tally()
  let done = 0
  const queue = plans.values()
  const run = async () => {
    for (const plan of queue) {
      tally.add(await outcomeOf(plan, upstream, target))
      progress(++done / plans.length)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, run))
  tally.checkRows()
  const highest = plans.reduce((most, { number }) => Math.max(most, number), 0)
  for (const [at, streams] of [false, true].entries()) {
    const { verdict } = await outcomeOf(plainPlan(highest + 1 + at, streams), upstream, target)
    if (verdict !== 'whole') tally.problems.push(`a plain request afterwards is ${verdict}`)
  }
  pauses.disable()
  return { ...tally, seconds: (performance.now() - started) / 1000, pause: pauses.max / 1e6 }
}

export interface Outcome {
  readonly plan: Plan
  readonly received: Received
  readonly course: Course
  readonly verdict: Verdict
}

/** Sends one request and judges what came of it. */
export async function outcomeOf(
  plan: Plan,
  upstream: FaultyUpstream,
  { url, key, patience, route }: Target,
  purpose: Parameters<Target['route']>[0] = plan.fault && !plan.fault.act ? 'refused' : 'campaign',
): Promise<Outcome> {
  const course = upstream.expect(plan)
  const heard = () => course.heard.resolve()
  const asked = { url, key, route: route(purpose, plan.wire), heard, ...(patience !== undefined && { patience }) }
  const received = await (plan.official ? askOfficially : ask)(plan, asked)
  upstream.forget(plan.number)
  return { plan, received, course, verdict: verdictOf(plan, received, course) }
}

class Tally {
  readonly rows = new Map<string, Row>()
  readonly wires = new Map<string, Row>()
  readonly apis = new Map<string, Row>()
  readonly told = new Map<string, number>()
  readonly problems: string[] = []

  add({ plan, received, course, verdict }: Outcome): void {
    const name = plan.fault ? `${plan.fault.when}: ${plan.fault.name}` : 'none'
    const right = isRight(plan, verdict, course)
    const asked = `${plan.api}${plan.api !== 'chat' && ownApis[plan.wire].includes(plan.api) ? ', direct' : ''}`
    for (const row of [rowIn(this.rows, name), rowIn(this.wires, plan.wire), rowIn(this.apis, asked)]) {
      row.times++
      row[verdict]++
      row.attempts += course.attempts
      if (right) row.right++
      if (plan.fault && !course.met) row.avoided++
    }
    if (received.raised) this.told.set(received.raised, (this.told.get(received.raised) ?? 0) + 1)
    if (!right)
      this.problems.push(
        `${nameOf(plan)}: ${verdict} ${(received.misread ?? received.message ?? '').slice(0, 160)}`.trimEnd(),
      )
  }

  /** A fault that never happened was not tested. */
  checkRows(): void {
    for (const [name, { times, avoided }] of this.rows) {
      if (avoided === times) this.problems.push(`${name}: the fault never happened`)
    }
  }
}

export function emptyRow(): Row {
  const counts = Object.fromEntries(verdicts.map((verdict) => [verdict, 0])) as Record<Verdict, number>
  return { ...counts, times: 0, avoided: 0, right: 0, attempts: 0 }
}

function rowIn(rows: Map<string, Row>, name: string): Row {
  const row = rows.get(name) ?? emptyRow()
  rows.set(name, row)
  return row
}

/** The sum of rows. */
export function sumOf(rows: Iterable<Row>): Row {
  const sum = emptyRow()
  for (const row of rows) for (const key of Object.keys(sum) as (keyof Row)[]) sum[key] += row[key]
  return sum
}

function nameOf({ number, fault, wire, api, streams, official, cut, pieces, waits, lasting }: Plan): string {
  const traits = [
    wire,
    api,
    streams ? 'stream' : 'whole',
    fault?.when === 'after' && `after ${cut} words`,
    official && 'official client',
    pieces && 'in pieces',
    waits && 'waits for the client',
    lasting && 'lasting',
  ]
  return `#${number} ${fault ? `${fault.when}: ${fault.name}` : 'none'} (${traits.filter(Boolean).join(', ')})`
}
