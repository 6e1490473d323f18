import { campaign, type Report } from './campaign.ts'
import { clientsGone, type GoneRow } from './gone.ts'
import { type HedgeRow, hedge } from './hedge.ts'
import { type Leftovers, leftovers, Memory, restOf } from './leftovers.ts'
import { type OutageReport, outage, outages } from './outage.ts'
import { type CampaignOptions, type Plan, plansOf, wiresFor } from './plan.ts'
import { type ResumeReport, resume } from './resume.ts'
import type { Target } from './target.ts'
import type { FaultyUpstream } from './upstream.ts'
import type { WireName } from './wires.ts'

export const sections = ['campaign', 'gone', 'outage', 'resume', 'hedge'] as const
export type Section = (typeof sections)[number]

/** All that was measured at one gateway. */
export interface Figures {
  readonly name: string
  readonly requests: number
  /** See `Target`. */
  readonly blind?: boolean
  readonly campaign?: Report
  readonly left?: Leftovers
  /** Resident memory in MB. */
  readonly memory?: { readonly warm: number; readonly end: number }
  readonly gone?: readonly GoneRow[]
  readonly outages?: readonly OutageReport[]
  readonly resume?: ResumeReport
  readonly hedge?: readonly HedgeRow[]
}

export interface Measuring {
  readonly sections: readonly Section[]
  readonly requests: number
  readonly faults: number
  readonly seed: number
  readonly concurrency: number
  readonly wires: readonly WireName[]
  /** Only these requests of the campaign. */
  readonly replay: readonly number[]
}

/** Measures one gateway, section by section. */
export async function measure(upstream: FaultyUpstream, target: Target, options: Measuring): Promise<Figures> {
  const { seed, requests } = options
  const wires = wiresFor(options.wires, target.apis)
  const has = (section: Section) => {
    if (!options.sections.includes(section)) return false
    console.error(`${target.name}: ${section} …`)
    return true
  }
  const times = Math.min(200, Math.ceil(requests / 100))
  const some = Math.min(1_000, Math.ceil(requests / 10))
  return {
    name: target.name,
    requests,
    ...(target.blind && { blind: true }),
    ...(has('campaign') && (await campaigned(upstream, target, options))),
    ...(has('gone') && { gone: await clientsGone(upstream, target, { times, seed, wires }) }),
    ...(has('outage') && { outages: await outaged(upstream, target, some, seed) }),
    ...(has('resume') && { resume: await resume(upstream, target, { times: some, seed }) }),
    ...(has('hedge') && { hedge: await hedge(upstream, target, { requests: 2 * some, seed }) }),
  }
}

async function campaigned(upstream: FaultyUpstream, target: Target, options: Measuring) {
  const { concurrency, replay, requests, seed } = options
  const { apis } = target
  const all = plansOf({ ...options, apis })
  const plans = replay.length > 0 ? all.filter(({ number }) => replay.includes(number)) : all
  const { process } = target
  if (!process) return { campaign: await campaign(plans, upstream, target, { concurrency }) }
  // What is made once and kept is no leftover.
  await campaign(warmUp({ ...options, apis }, requests, seed), upstream, target, { concurrency })
  const before = await restOf(upstream, process)
  const memory = new Memory(process)
  const report = await campaign(plans, upstream, target, { concurrency, progress: memory.sample })
  const after = await restOf(upstream, process)
  return { campaign: report, left: leftovers(before, after, process), memory: memory.figures }
}

function warmUp(options: CampaignOptions, requests: number, seed: number): readonly Plan[] {
  return plansOf({ ...options, requests: Math.min(2_000, Math.ceil(requests / 10)), seed: seed + 1_000 })
}

async function outaged(upstream: FaultyUpstream, target: Target, requests: number, seed: number) {
  const reports: OutageReport[] = []
  for (const fault of outages) reports.push(await outage(fault, upstream, target, { requests, seed }))
  return reports
}
