import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startPostgres } from '../../support/postgres.ts'
import { type ObjectProofSettings, proveObjects } from './objects.ts'
import { type Proof, type ProofSettings, proveBudget } from './prove.ts'

/**
 * `npm run prove:budget`: four processes with 50 clients each spend one budget, on SQLite and on PostgreSQL. First
 * nothing happens to them; then some are killed, and some stopped for longer than others believe them alive. Then four
 * isolates of workerd do so in a Durable Object, a hundredth as much, and some Workers throw on the way. Exits with 1 if
 * anything was spent twice, or is booked wrongly. `-- --requests 20000` makes it shorter.
 */
const { values } = parseArgs({ options: { requests: { type: 'string', default: '200000' } } })
const requests = Number(values.requests)
const most = 100
// A request costs a quarter of that on average.
const calm = { limit: requests * 25, most, keys: 10, processes: 4, clients: 50, answerMs: 3, fates: [] }
const fates = ['kill', 'stop', 'kill', 'stop', 'kill', 'stop', 'kill', 'stop', 'kill', 'kill'] as const
const rough = { ...calm, fates }
let failed = false

async function prove(title: string, settings: ProofSettings): Promise<void> {
  const proof = await proveBudget(settings)
  const { processes, clients, fates } = settings
  const happened = ['kill', 'stop'].map((kind) => fates.filter((fate) => fate === kind).length)
  show(`${title}: ${proof.requests} requests of ${processes} × ${clients} clients`, proof)
  console.log(`${happened[0]} processes killed, ${happened[1]} stopped until taken for dead`)
}

async function proveInObjects(settings: ObjectProofSettings): Promise<void> {
  const proof = await proveObjects(settings)
  show(`Durable Object: ${proof.requests} requests of ${settings.isolates} × ${settings.clients} clients`, proof)
  console.log(`${proof.died} Workers threw before they settled`)
}

function show(title: string, { seconds, lines, problems }: Proof): void {
  console.log(`\n${title} in ${seconds.toFixed(1)} s`)
  const over = lines.map(({ billed, limit }) => Math.max(0, billed - limit))
  console.table(lines.map((line, index) => ({ ...line, unspent: line.limit - line.spent, over: over[index] })))
  for (const problem of problems) console.log(`WRONG: ${problem}`)
  failed ||= problems.length > 0
}

const folder = await mkdtemp(join(tmpdir(), 'prove-budget-'))
try {
  await prove('SQLite', { ...calm, url: `file:${join(folder, 'calm.db')}` })
  await prove('SQLite', { ...rough, url: `file:${join(folder, 'rough.db')}` })
} finally {
  await rm(folder, { recursive: true })
}

const postgres = await startPostgres()
if (postgres) {
  // Several times slower: every transaction takes turns with the server.
  const limit = calm.limit / 4
  try {
    await prove('PostgreSQL', { ...calm, limit, url: await postgres.database() })
    await prove('PostgreSQL', { ...rough, limit, url: await postgres.database() })
  } finally {
    await postgres.stop()
  }
} else console.log('\nPostgreSQL is not installed: not proven there')

const { keys, clients, answerMs } = calm
const inObjects = { limit: calm.limit / 100, most, keys, clients: clients / 5, answerMs, isolates: 4 }
await proveInObjects({ ...inObjects, dying: 0 })
await proveInObjects({ ...inObjects, dying: 5 })
process.exitCode = failed ? 1 : 0
