import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { campaign } from './campaign.ts'
import { type Runtime, routes, startOn, withCooldown } from './gateways.ts'
import { type Figures, type Measuring, measure, type Section, sections } from './measure.ts'
import { pageOf } from './page.ts'
import { instructions, running, startPortkey } from './peers.ts'
import { plansOf } from './plan.ts'
import { print, printCampaign } from './report.ts'
import type { Target } from './target.ts'
import { faultyUpstream } from './upstream.ts'
import { type WireName, wireNames } from './wires.ts'

/**
 * `npm run faults`: 100,000 requests on Node and 20,000 in workerd, 30 % of them with a fault at the first deployment,
 * and one healthy fallback; then clients that leave, and a deployment that is down for good. Before the first content no
 * fault may reach a client; after it every fault must be raised; no answer may be cut silently. `--portkey` and
 * `--target URL` measure other gateways alike, `--seed` repeats a campaign, `--replay` some requests of it, and `--only`
 * chooses the sections.
 */
const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '100000' },
    faults: { type: 'string', default: '0.3' },
    seed: { type: 'string', default: '1' },
    runtime: { type: 'string', default: 'node,workerd' },
    concurrency: { type: 'string', default: '96' },
    only: { type: 'string', default: 'campaign,gone,outage,resume,hedge' },
    wires: { type: 'string', default: wireNames.join() },
    replay: { type: 'string', default: '' },
    portkey: { type: 'boolean', default: false },
    target: { type: 'string' },
    'target-key': { type: 'string', default: 'none' },
    'target-model': { type: 'string', default: 'campaign' },
    'target-header': { type: 'string', multiple: true, default: [] },
    'upstream-port': { type: 'string', default: '0' },
    write: { type: 'string' },
  },
})

/** The most requests for a gateway that is not samewire on Node. */
const fewer = 20_000

const requests = Number(values.requests)
const options: Measuring = {
  sections: chosen<Section>(values.only, sections, 'only'),
  requests,
  faults: Number(values.faults),
  seed: Number(values.seed),
  concurrency: Number(values.concurrency),
  wires: chosen<WireName>(values.wires, wireNames, 'wires'),
  replay: values.replay === '' ? [] : values.replay.split(',').map(Number),
}
const runtimes = values.runtime === '' ? [] : chosen(values.runtime, ['node', 'workerd'] as const, 'runtime')
const short: Measuring = { ...options, requests: Math.min(requests, fewer) }
const upstream = await faultyUpstream(Number(values['upstream-port']))
const all: Figures[] = []
let held = true

for (const runtime of runtimes) {
  const how = runtime === 'node' ? options : short
  const { outages } = how.sections.includes('outage') ? await ofOutages(runtime, how) : {}
  await serving(await startOn(runtime, upstream.url), async (target) => {
    const figures = await measure(upstream, target, without('outage', how))
    await add({ ...figures, ...(outages && { outages }) })
    held = print({ ...figures, ...(outages && { outages }) }) && held
    if (runtime === 'workerd' && options.sections.includes('campaign') && options.replay.length === 0) {
      const observed = { ...target, name: `${target.name}, streams observed`, route: routes(true) }
      const report = await campaign(plansOf({ ...short, apis: target.apis }), upstream, observed, options)
      printCampaign(`${observed.name} (for information)`, report)
      await add({ name: observed.name, requests: short.requests, campaign: report })
    }
  })
}
const forPeers = { ...short, sections: options.sections.filter((name) => name !== 'resume' && name !== 'hedge') }
if (values.portkey) await serving(await startPortkey(upstream.url), (target) => measured(target, forPeers))
if (values.target !== undefined) {
  const { target: url, 'target-key': key, 'target-model': model, 'target-header': headers } = values
  console.log(instructions(url, upstream.url, model))
  await measured(running(url, { key, model, headers }), { ...forPeers, wires: ['openai'] })
}
await upstream.close()
if (!held) process.exitCode = 1

/** Outages are met by a gateway of their own, since its breakers would spare the others their faults. */
async function ofOutages(runtime: Runtime, how: Measuring): Promise<Figures> {
  const target = await startOn(runtime, upstream.url, withCooldown)
  try {
    return await measure(upstream, target, { ...how, sections: ['outage'] })
  } finally {
    await target.process?.stop()
  }
}

function without(section: Section, how: Measuring): Measuring {
  return { ...how, sections: how.sections.filter((name) => name !== section) }
}

async function measured(target: Target, how: Measuring): Promise<boolean> {
  const figures = await measure(upstream, target, how)
  await add(figures)
  return print(figures)
}

/** Adds a gateway to the page. Written after each, so that the last one can't lose what the others took. */
async function add(figures: Figures): Promise<void> {
  all.push(figures)
  if (values.write !== undefined) await writeFile(values.write, pageOf(all, options))
}

async function serving(target: Target, use: (target: Target) => Promise<unknown>): Promise<void> {
  try {
    await use(target)
  } finally {
    await target.process?.stop()
  }
}

function chosen<T extends string>(given: string, possible: readonly T[], option: string): T[] {
  const names = given.split(',')
  const wrong = names.find((name) => !possible.some((known) => known === name))
  if (wrong !== undefined) throw new Error(`--${option} takes ${possible.join(', ')}, and not ${wrong}`)
  return possible.filter((name) => names.includes(name))
}
