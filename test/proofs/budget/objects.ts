import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Pool } from 'undici'
import { systemClock } from '../../../src/core/clock.ts'
import { openDatabase } from '../../../src/node/database.ts'
import type { Reading } from '../../../src/state/meters.ts'
import { migrate } from '../../../src/state/migrate.ts'
import { startD1 } from '../../support/d1.ts'
import type { BudgetRequest } from '../../workerd/budget-worker.ts'
import { audit, type Proof, subjectsOf } from './books.ts'
import { type Fate, Gate, meetFates, pause } from './fates.ts'
import { startIsolates } from './isolates.ts'
import { type BudgetSettings, project } from './meters.ts'

export interface ObjectProofSettings extends BudgetSettings {
  /** Services of workerd, each with an isolate of its own. */
  readonly isolates: number
  /** What becomes of workerd, in equal parts of the budget: all isolates, and the objects, in one process. */
  readonly fates: readonly Fate[]
  /** Of a hundred requests, in how many the Worker throws before it settles. */
  readonly dying: number
  /** Milliseconds after which a request that nobody settles is taken for dead. */
  readonly lease: number
  /** Ends workerd. */
  readonly signal?: AbortSignal
}

/** How often in a row the budget has to be used up for a client to give up: others may still give back. */
const patience = 3

/** Has several isolates of a Worker spend one budget in Durable Objects, and reads what is booked in the end. */
export async function proveObjects(settings: ObjectProofSettings): Promise<Proof & { readonly died: number }> {
  const { lease, signal } = settings
  const folder = await mkdtemp(join(tmpdir(), 'budget-'))
  const log = join(folder, 'billed')
  const database = await openDatabase(`file:${join(folder, 'd1.db')}`, { clock: systemClock })
  await migrate(database)
  const d1 = await startD1(database)
  const isolates = await startIsolates({ count: settings.isolates, database: d1.port, log })
  const pools = isolates.ports.map((port) => new Pool(`http://127.0.0.1:${port}`, { connections: settings.clients }))
  const gate = new Gate(log)
  const open = () => gate.allow(Number.MAX_SAFE_INTEGER)
  let isOver = false
  let died = 0

  async function client(pool: Pool): Promise<void> {
    let refusals = 0
    while (refusals < patience) {
      await gate.pass()
      signal?.throwIfAborted()
      const bound = 1 + Math.floor(Math.random() * settings.most)
      const key = Math.floor(Math.random() ** 2 * settings.keys)
      const cost = Math.floor(Math.random() * (bound + 1))
      const dies = Math.random() * 100 < settings.dying
      const answer = await ask(pool, { settings, key, bound, cost, dies, lease })
      if (answer?.status === 429) {
        if (answer.said.includes(project)) refusals++
        continue
      }
      refusals = 0
      if (answer && (answer.status === 200) === dies) throw new Error(`unexpected: ${answer.status} ${answer.said}`)
      if (answer && dies) died++
    }
  }

  async function read(subject: string): Promise<Reading> {
    const response = await fetch(`http://127.0.0.1:${isolates.ports[0]}/${encodeURIComponent(subject)}`)
    return (await response.json()) as Reading
  }

  try {
    const started = performance.now()
    signal?.addEventListener('abort', open)
    const course = { settings, log, fates: settings.fates, isOver: () => isOver, allow: gate.allow.bind(gate), signal }
    const happen = meetFates(course, (fate) => (fate === 'kill' ? isolates.kill() : isolates.pause(lease * 1.5)))
    const spending = Promise.all(pools.flatMap((pool) => Array.from({ length: settings.clients }, () => client(pool))))
    await Promise.all([
      happen,
      spending.finally(() => {
        isOver = true
      }),
    ])
    const seconds = (performance.now() - started) / 1000
    // Alarms book those that died.
    const subjects = subjectsOf(settings).map(([subject]) => subject)
    while ((await Promise.all(subjects.map(read))).some(({ held }) => held > 0)) {
      signal?.throwIfAborted()
      await pause(100)
    }
    const { fates, dying } = settings
    const anybody = dying > 0 || fates.includes('kill')
    const calm = !anybody && fates.length === 0
    return { died, seconds, ...(await audit({ settings, log, ledger: database, read, died: anybody, calm })) }
  } finally {
    signal?.removeEventListener('abort', open)
    await Promise.all(pools.map((pool) => pool.destroy()))
    await isolates.stop()
    await d1.stop()
    await database.close()
    await rm(folder, { recursive: true })
  }
}

/** Undefined: workerd was killed. */
async function ask(pool: Pool, asked: BudgetRequest) {
  try {
    const { statusCode, body } = await pool.request({ path: '/', method: 'POST', body: JSON.stringify(asked) })
    return { status: statusCode, said: await body.text() }
  } catch {
    await pause(20)
    return undefined
  }
}
