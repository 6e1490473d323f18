import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../src/core/clock.ts'
import { openSqlite } from '../../src/node/sqlite.ts'
import type { TransactionalDatabase } from '../../src/state/database.ts'
import { MemoryMeters } from '../../src/state/memory-meters.ts'
import type { Hold, Meters } from '../../src/state/meters.ts'
import { migrate } from '../../src/state/migrate.ts'
import { SlicedMeters } from '../../src/state/sliced-meters.ts'
import { rateCosts } from './state-rates.ts'

/**
 * `npm run bench:state`: measures what meters and limits a minute cost, in microseconds, and for how long they keep the process from anything
 * else, in milliseconds, while another process writes to the same file without a pause. Exits with 1 if that is longer
 * than the bound.
 */
const boundMs = 20
// Short ones: other programs disturb some of them only.
const rounds = 200
const requests = 500
const folder = await mkdtemp(join(tmpdir(), 'bench-state-'))
let files = 0

const holds = (count: number, limit = 1e15): readonly Hold[] =>
  Array.from({ length: count }, (_, n) => ({ meter: { subject: `key:${n}`, window: 0, limit }, amount: 1_000 }))

async function open(): Promise<{ readonly database: TransactionalDatabase; readonly path: string }> {
  const path = join(folder, `${++files}.db`)
  const database = await openSqlite(path, { clock: systemClock })
  await migrate(database)
  return { database, path }
}

async function withMeters<T>(work: (meters: SlicedMeters, path: string) => Promise<T>): Promise<T> {
  const { database, path } = await open()
  const meters = new SlicedMeters(database, { clock: systemClock, owner: 'bench' })
  try {
    return await work(meters, path)
  } finally {
    await meters.close()
    await database.close()
  }
}

async function request(meters: Meters, held: readonly Hold[]): Promise<void> {
  const granted = await meters.reserve(held)
  if (granted.granted) granted.settle(held.map(() => 500))
}

/** Without an `await`, which would cost more than the work. */
function inMemory(meters: Meters, held: readonly Hold[], used: readonly number[]): void {
  const granted = meters.reserve(held)
  if (granted instanceof Promise) throw new Error('the slice is too small')
  if (granted.granted) granted.settle(used)
}

/** Microseconds for one of `times`: the least of all rounds. */
async function least(times: number, work: () => void | Promise<void>, repeat = rounds): Promise<number> {
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < repeat; round++) {
    const start = performance.now()
    await work()
    best = Math.min(best, ((performance.now() - start) * 1000) / times)
  }
  return best
}

function many(meters: Meters, held: readonly Hold[]): () => void {
  const used = held.map(() => 500)
  return () => {
    for (let n = 0; n < requests; n++) inMemory(meters, held, used)
  }
}

async function slices(count: number): Promise<number> {
  return withMeters(async (meters) => {
    await request(meters, holds(count))
    return least(requests, many(meters, holds(count)))
  })
}

/** A transaction that tells what was spent of one meter, by how many requests soever. */
function flush(): Promise<number> {
  return withMeters(async (meters) => {
    await request(meters, holds(1))
    return least(1, async () => {
      inMemory(meters, holds(1), [500])
      await meters.flush()
    })
  })
}

/** A transaction that leases what one request needs. */
function lease(): Promise<number> {
  const times = 50
  let subjects = 0
  return withMeters((meters) =>
    least(
      times,
      async () => {
        // As much as is leased ahead, so that the next one has to ask again.
        const meter = { subject: `key:${++subjects}`, window: 0, limit: 1e15 }
        for (let n = 0; n < times; n++) await meters.reserve([{ meter, amount: 1e13 }])
      },
      20,
    ),
  )
}

let asked = 0

/** Milliseconds: the longest that the event loop stood still within a second of requests at full speed, or of none. */
async function standstill(meters: SlicedMeters, clients: number): Promise<number> {
  const end = performance.now() + 1_000
  let longest = 0
  let last = performance.now()
  const turns = async () => {
    while (last < end) {
      await new Promise((turn) => setImmediate(turn))
      const now = performance.now()
      longest = Math.max(longest, now - last)
      last = now
    }
  }
  const client = async () => {
    while (performance.now() < end) {
      // Of a meter of its own, so that nothing is leased yet.
      await request(meters, [{ meter: { subject: `key:${++asked}`, window: 0, limit: 1e9 }, amount: 1_000 }])
      await new Promise((turn) => setTimeout(turn, 1))
    }
  }
  await Promise.all([turns(), ...Array.from({ length: clients }, client)])
  return longest
}

/** The least of several seconds, without requests and with some: the machine stands still for other reasons too. */
function besideWriter(): Promise<{ readonly idle: number; readonly busy: number }> {
  return withMeters(async (meters, path) => {
    const script = fileURLToPath(new URL('./state-writer.ts', import.meta.url))
    const writer = spawn(process.execPath, [script, path], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(writer.stdout, 'data')
    const best = { idle: Number.POSITIVE_INFINITY, busy: Number.POSITIVE_INFINITY }
    for (let second = 0; second < 5; second++) {
      best.idle = Math.min(best.idle, await standstill(meters, 0))
      best.busy = Math.min(best.busy, await standstill(meters, 20))
    }
    writer.kill()
    await once(writer, 'exit')
    return best
  })
}

try {
  const memory = new MemoryMeters()
  const table = {
    'reserve and settle, without a store: one meter': await least(requests, many(memory, holds(1))),
    'reserve and settle in a slice: one meter': await slices(1),
    'reserve and settle in slices: three meters': await slices(3),
    'lease of one meter, a transaction': await lease(),
    'flush of one meter, a transaction however many requests': await flush(),
    ...(await rateCosts({ open: async () => (await open()).database, least })),
  }
  console.table(Object.fromEntries(Object.entries(table).map(([name, us]) => [name, { µs: us.toFixed(2) }])))
  const { idle, busy } = await besideWriter()
  console.log('Beside a process that writes without a pause, the event loop stood still for at most')
  console.log(`  ${idle.toFixed(1)} ms without requests, ${busy.toFixed(1)} ms with them`)
  if (busy > Math.max(boundMs, idle)) process.exitCode = 1
} finally {
  await rm(folder, { recursive: true })
}
