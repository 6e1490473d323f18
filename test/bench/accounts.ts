import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { compare } from './compare.ts'

/**
 * `npm run bench:accounts`: CPU of a request and of a stream by a key with limits, by one with a budget, and with all of
 * it written down in a SQLite file, beside the same without any of them.
 */
const env = { LOG_LEVEL: 'silent' }
const limits = { rpm: 10_000_000, tpm: 2_000_000_000 }
const budget = { budget: 1_000_000 }
const all = 'all of it'

await compare({
  bounded: all,
  most: '1.15',
  async variants() {
    const folder = await mkdtemp(join(tmpdir(), 'bench-accounts-'))
    const file = (name: string) => join(folder, `${name}.db`)
    const kept = (name: string) => ({ ...env, SAMEWIRE_STATE: `file:${file(name)}` })
    return {
      variants: {
        off: { env },
        limits: { env, limits },
        ledger: { env: kept('ledger') },
        [all]: { env: kept('all'), limits: { ...limits, ...budget } },
      },
      async stop(gateways) {
        await gateways.get(all)?.stop()
        if (gateways.has(all)) tellRows(file('all'))
        await rm(folder, { recursive: true })
      },
    }
  },
})

/** Whether all was written: what isn't costs nothing. */
function tellRows(file: string): void {
  const database = new DatabaseSync(file, { readOnly: true })
  const { rows, tokens } = database.prepare('SELECT count(*) AS rows, sum(output) AS tokens FROM requests').get() as {
    rows: number
    tokens: number
  }
  const { spent } = database.prepare('SELECT sum(spent) AS spent FROM meters').get() as { spent: number }
  database.close()
  console.log(`${rows} rows of ${tokens} tokens, ${spent} nano-dollars spent`)
  if (!(rows > 0 && tokens > 0)) throw new Error('nothing was written down, so that the figures do not count')
}
