import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startPostgres } from '../../support/postgres.ts'
import type { Proof } from './books.ts'
import type { Fate } from './fates.ts'
import { type ObjectProofSettings, proveObjects } from './objects.ts'
import { type ProofSettings, proveBudget } from './prove.ts'

/**
 * `npm run prove:budget`: four processes with 50 clients each spend one budget, on SQLite and on PostgreSQL. First
 * nothing happens to them; then some are killed, and some stopped for longer than others believe them alive. Then four
 * isolates of workerd do so in Durable Objects, with their ledger in D1, a tenth as much; some Workers throw on the way.
 * Exits with 1 if anything was spent twice, or is booked wrongly. `-- --requests 20000 --objects 2000` makes it shorter,
 * and `--only sqlite,postgresql,objects` chooses.
 */
const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '200000' },
    objects: { type: 'string', default: '20000' },
    only: { type: 'string', default: 'sqlite,postgresql,objects' },
  },
})
const only = new Set(values.only.split(','))
const most = 100
// A request costs a quarter of that on average.
const limitFor = (requests: string) => Number(requests) * 25
const common = { most, keys: 10, clients: 50, answerMs: 3 }
const calm = { ...common, limit: limitFor(values.requests), processes: 4, fates: [] }
const fates = ['kill', 'stop', 'kill', 'stop', 'kill', 'stop', 'kill', 'stop', 'kill', 'kill'] as const
// A budget that is used up while one of them lasts would prove nothing.
const some = fates.slice(0, Math.max(2, Math.ceil(Number(values.requests) / 20_000)))
const rough = { ...calm, fates: some }
let failed = false

async function prove(title: string, settings: ProofSettings): Promise<void> {
  const proof = await proveBudget(settings)
  show(`${title}: ${proof.requests} requests of ${settings.processes} × ${settings.clients} clients`, proof)
  console.log(told(settings.fates, 'processes', 'stopped until taken for dead'))
}

async function proveInObjects(settings: ObjectProofSettings): Promise<void> {
  const proof = await proveObjects(settings)
  show(`Durable Objects: ${proof.requests} requests of ${settings.isolates} × ${settings.clients} clients`, proof)
  console.log(told(settings.fates, 'times workerd', 'stopped until its requests were taken for dead'))
  console.log(`${proof.died} Workers threw before they settled`)
}

function told(fates: readonly Fate[], what: string, stopped: string): string {
  const [kills, stops] = ['kill', 'stop'].map((kind) => fates.filter((fate) => fate === kind).length)
  return `${kills} ${what} killed, ${stops} ${stopped}`
}

function show(title: string, { seconds, lines, problems }: Proof): void {
  console.log(`\n${title} in ${seconds.toFixed(1)} s`)
  const over = lines.map(({ billed, limit }) => Math.max(0, billed - limit))
  console.table(lines.map((line, index) => ({ ...line, unspent: line.limit - line.spent, over: over[index] })))
  for (const problem of problems) console.log(`WRONG: ${problem}`)
  failed ||= problems.length > 0
}

async function onSqlite(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'prove-budget-'))
  try {
    await prove('SQLite', { ...calm, url: `file:${join(folder, 'calm.db')}` })
    await prove('SQLite', { ...rough, url: `file:${join(folder, 'rough.db')}` })
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function onPostgres(): Promise<void> {
  const postgres = await startPostgres()
  if (!postgres) return console.log('\nPostgreSQL is not installed: not proven there')
  try {
    await prove('PostgreSQL', { ...calm, url: await postgres.database() })
    await prove('PostgreSQL', { ...rough, url: await postgres.database() })
  } finally {
    await postgres.stop()
  }
}

async function inObjects(): Promise<void> {
  const settings = { ...common, limit: limitFor(values.objects), isolates: 4, lease: 3_000 }
  await proveInObjects({ ...settings, fates: [], dying: 0 })
  await proveInObjects({ ...settings, fates: fates.slice(0, 5), dying: 1 })
}

if (only.has('sqlite')) await onSqlite()
if (only.has('postgresql')) await onPostgres()
if (only.has('objects')) await inObjects()
process.exitCode = failed ? 1 : 0
