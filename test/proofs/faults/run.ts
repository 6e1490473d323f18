import { parseArgs } from 'node:util'
import { campaign, type Report } from './campaign.ts'
import { checked, observed, type Runtime, startOn } from './gateways.ts'
import { plansOf } from './plan.ts'
import { faultyUpstream } from './upstream.ts'

/**
 * `npm run faults:short`: 5,000 requests, 30 % with a fault, through the gateway as it is deployed, on Node and in
 * workerd. Before the first content no fault may reach the client; after it every fault must be reported; no answer may
 * be cut silently. `--seed` repeats a campaign.
 */
const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '5000' },
    faults: { type: 'string', default: '0.3' },
    seed: { type: 'string', default: '1' },
    runtime: { type: 'string', default: 'both' },
    concurrency: { type: 'string', default: '32' },
  },
})
/** Maximum problems to print. */
const most = 20

function print(title: string, { rows, told, problems, seconds }: Report): void {
  console.log(`\n${title}, ${seconds.toFixed(0)} s`)
  const sorted = [...rows].sort(([a], [b]) => order(a) - order(b) || a.localeCompare(b))
  const total = { times: 0, invisible: 0, raised: 0, silent: 0, other: 0 }
  for (const [, row] of rows) for (const column of columns) total[column] += row[column]
  console.log(`  ${'fault'.padEnd(52)}${columns.map((column) => column.padStart(10)).join('')}`)
  for (const [name, row] of [...sorted, ['all', total] as const]) {
    console.log(`  ${name.padEnd(52)}${columns.map((column) => String(row[column]).padStart(10)).join('')}`)
  }
  console.log(`  told by: ${[...told].map(([how, times]) => `${how} ${times}`).join(', ') || 'nobody'}`)
  console.log(`  ${problems.length} not as it should be`)
  for (const problem of problems.slice(0, most)) console.log(`    ${problem}`)
}

const columns = ['times', 'invisible', 'raised', 'silent', 'other'] as const

function order(name: string): number {
  return ['none', 'before', 'after', 'harmless'].findIndex((start) => name.startsWith(start))
}

const seed = Number(values.seed)
const plans = plansOf({ requests: Number(values.requests), faults: Number(values.faults), seed })
const concurrency = Number(values.concurrency)
const runtimes = (['node', 'workerd'] satisfies Runtime[]).filter((name) => ['both', name].includes(values.runtime))
if (runtimes.length === 0) throw new Error('--runtime is node, workerd or both')
const upstream = await faultyUpstream()
for (const runtime of runtimes) {
  const gateway = await startOn(runtime, upstream.url)
  try {
    const report = await campaign(plans, upstream, { ...gateway, models: checked }, concurrency)
    print(`${runtime}, streams checked, seed ${seed}`, report)
    if (report.problems.length > 0) process.exitCode = 1
    if (runtime === 'workerd') {
      const carried = await campaign(plans, upstream, { ...gateway, models: observed }, concurrency)
      print(`${runtime}, streams observed (for information), seed ${seed}`, carried)
    }
  } finally {
    await gateway.stop()
  }
}
await upstream.close()
