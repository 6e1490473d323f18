import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgres } from '../../support/postgres.ts'
import { diskFull, type Fault, locked, movedAway, replaced, smallDisk } from './faults.ts'
import { proveStore, type StoreProof } from './prove.ts'

/**
 * `npm run prove:store`: a gateway serves clients with a budget, some that are to go on all the same and some without
 * limits, while its store is locked, gone, on a full disk, or a server that restarts. Exits with 1 if an answer is lost, if
 * a stream breaks, if somebody is refused who is not to be, if rows are missing or budgets are charged wrongly when the
 * store is back, or if it holds up the event loop for more than 20 ms.
 */
const bound = 20
const calm = 1_000
const folder = await mkdtemp(join(tmpdir(), 'prove-store-'))
let failed = false

async function prove(title: string, url: string, faults: readonly Fault[]): Promise<void> {
  show(title, await proveStore({ url, faults, folder, calm }))
}

function show(title: string, { faults, held, rows, unchecked, problems, printed }: StoreProof): void {
  console.log(`\n${title}: ${rows} rows, ${unchecked} of requests that went on unchecked`)
  console.table(
    faults.map(({ fault, seen: { answered, refused, streams, lost, slowest }, back }) => ({
      ...{ fault, answered: answered.refuse + answered.admit + answered.free, streams, refused: refused.refuse },
      ...{ lost: lost.length, 'slowest, ms': Math.round(slowest), 'back after, ms': Math.round(back) },
    })),
  )
  console.log(`the store held up the event loop for ${held?.ms.toFixed(1) ?? '?'} ms at most`, held ?? '')
  const isSlow = held !== undefined && held.ms > bound
  for (const problem of problems) console.log(`WRONG: ${problem}`)
  if (isSlow) console.log(`WRONG: more than ${bound} ms`)
  if (problems.length > 0) console.log(printed)
  failed ||= problems.length > 0 || isSlow
}

const path = join(folder, 'state.db')
const disk = join(folder, 'disk')
try {
  await prove('SQLite', `file:${path}`, [
    locked(path, 2_000),
    locked(path, 7_000),
    movedAway(path, 2_000),
    replaced(path, 2_000),
  ])
  const unmount = await smallDisk(disk)
  if (unmount) {
    try {
      await prove('SQLite on a small disk', `file:${join(disk, 'state.db')}`, [diskFull(disk, 3_000)])
    } finally {
      unmount()
    }
  } else console.log('\nNobody may make a small disk here: a full one is not proven')

  const postgres = await startPostgres()
  if (postgres) {
    try {
      await prove('PostgreSQL', await postgres.database(), [
        {
          name: 'all connections are killed',
          lasts: 500,
          begin: () => postgres.disconnectAll().then(() => async () => {}),
        },
        { name: 'the server is away for 3 s', lasts: 3_000, begin: () => postgres.leave() },
      ])
    } finally {
      await postgres.stop()
    }
  } else console.log('\nPostgreSQL is not installed: not proven there')
} finally {
  await rm(folder, { recursive: true })
}
process.exitCode = failed ? 1 : 0
