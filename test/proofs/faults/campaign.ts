import { ask, askOfficially } from './client.ts'
import { type Plan, plainPlan } from './plan.ts'
import type { FaultyUpstream } from './upstream.ts'
import { type Received, type Verdict, verdictOf } from './verdict.ts'

/** A gateway under test. `models` are its names for a deployment that listens, and for one that doesn't. */
export interface Target {
  readonly port: number
  readonly key: string
  readonly models: { readonly listening: string; readonly refusing: string }
  /** Milliseconds after which an answer counts as hung. */
  readonly patience?: number
}

export interface Row {
  times: number
  invisible: number
  raised: number
  silent: number
  other: number
}

export interface Report {
  /** By the name of the fault, including `none`. */
  readonly rows: ReadonlyMap<string, Row>
  /** How failures were reported, and how often. */
  readonly told: ReadonlyMap<string, number>
  /** One line for each problem. */
  readonly problems: readonly string[]
  readonly seconds: number
}

/** Sends all requests, at most `concurrency` at a time, and then two without a fault. */
export async function campaign(
  plans: readonly Plan[],
  upstream: FaultyUpstream,
  target: Target,
  concurrency = 32,
): Promise<Report> {
  const started = performance.now()
  const afterwards = [false, true].map((streams, at) => plainPlan(plans.length + at, streams))
  upstream.serve([...plans, ...afterwards])
  const tally = new Tally()
  const queue = plans.values()
  const run = async () => {
    for (const plan of queue) tally.add(plan, await outcomeOf(plan, upstream, target))
  }
  await Promise.all(Array.from({ length: concurrency }, run))
  for (const plan of plans) {
    if (plan.fault && !upstream.met.has(plan.number)) tally.problems.push(`${nameOf(plan)}: the fault never happened`)
  }
  for (const plan of afterwards) {
    const verdict = verdictOf(plan, await outcomeOf(plan, upstream, target))
    if (verdict !== 'whole') tally.problems.push(`a plain request afterwards is ${verdict}`)
  }
  return { ...tally, seconds: (performance.now() - started) / 1000 }
}

function outcomeOf(plan: Plan, upstream: FaultyUpstream, { models, ...target }: Target): Promise<Received> {
  const refused = plan.fault && !plan.fault.act
  const model = refused ? models.refusing : models.listening
  return (plan.official ? askOfficially : ask)(plan, { ...target, model, heard: () => upstream.heard(plan.number) })
}

class Tally {
  readonly rows = new Map<string, Row>()
  readonly told = new Map<string, number>()
  readonly problems: string[] = []

  add(plan: Plan, received: Received): void {
    const name = plan.fault ? `${plan.fault.when}: ${plan.fault.name}` : 'none'
    const row = this.rows.get(name) ?? { times: 0, invisible: 0, raised: 0, silent: 0, other: 0 }
    this.rows.set(name, row)
    const verdict = verdictOf(plan, received)
    row.times++
    row[columnOf(verdict)]++
    if (received.raised) this.told.set(received.raised, (this.told.get(received.raised) ?? 0) + 1)
    if (verdict === (plan.fault?.when === 'after' ? 'raised' : 'whole')) return
    this.problems.push(`${nameOf(plan)}: ${verdict} ${(received.message ?? '').slice(0, 160)}`.trimEnd())
  }
}

function columnOf(verdict: Verdict): keyof Row {
  if (verdict === 'whole') return 'invisible'
  return verdict === 'raised' || verdict === 'silent' ? verdict : 'other'
}

function nameOf({ number, fault, streams, official, cut, pieces, waits, lasting }: Plan): string {
  const traits = [
    streams ? 'stream' : 'whole',
    fault?.when === 'after' && `after ${cut} words`,
    official && 'official client',
    pieces && 'in pieces',
    waits && 'waits for the client',
    lasting && 'lasting',
  ]
  return `#${number} ${fault ? `${fault.when}: ${fault.name}` : 'none'} (${traits.filter(Boolean).join(', ')})`
}
