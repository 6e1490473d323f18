import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startPostgres } from '../../support/postgres.ts'
import { type LimitProofSettings, proveLimits } from './prove.ts'

/**
 * `npm run prove:limits`: four processes with 50 clients each share limits a minute, on SQLite and on PostgreSQL, first
 * undisturbed; then some of them are killed. Exits with 1 if more was let through at any time than there was, if
 * much of it was left, or if nobody was let through for a while. `-- --seconds 20` makes it longer, and
 * `--only sqlite` leaves PostgreSQL out.
 */
const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '10' }, only: { type: 'string', default: 'sqlite,postgresql' } },
})
const only = new Set(values.only.split(','))
const seconds = Number(values.seconds)
const common = { rpm: 6_000, keys: 10, tpm: 60_000, most: 100, clients: 50, answerMs: 20, processes: 4, seconds }
let failed = false

async function prove(store: string, settings: Pick<LimitProofSettings, 'url' | 'kills'>): Promise<void> {
  const { requests, longestPause, lines, problems } = await proveLimits({ ...common, ...settings })
  console.log(`\n${store}: ${requests} requests of ${common.processes} × ${common.clients} clients in ${seconds} s`)
  const share = ({ used, most }: (typeof lines)[number]) => `${((1 - used / most) * 100).toFixed(1)} %`
  console.table(lines.map((line) => ({ ...line, unused: share(line) })))
  console.log(`${settings.kills} processes killed; nobody was let through for at most ${longestPause} ms`)
  for (const problem of problems) console.log(`WRONG: ${problem}`)
  failed ||= problems.length > 0
}

const folder = await mkdtemp(join(tmpdir(), 'prove-limits-'))
try {
  for (const kills of only.has('sqlite') ? [0, 6] : [])
    await prove('SQLite', { url: `file:${join(folder, `${kills}.db`)}`, kills })
} finally {
  await rm(folder, { recursive: true })
}

const postgres = only.has('postgresql') ? await startPostgres() : undefined
if (postgres) {
  try {
    for (const kills of [0, 6]) await prove('PostgreSQL', { url: await postgres.database(), kills })
  } finally {
    await postgres.stop()
  }
} else if (only.has('postgresql')) console.log('\nPostgreSQL is not installed: not proven there')
process.exitCode = failed ? 1 : 0
