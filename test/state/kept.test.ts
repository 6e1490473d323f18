import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { openDatabase } from '../../src/node/database.ts'
import { type Kept, openKept } from '../../src/state/kept.ts'
import { digestOf } from '../../src/state/secret.ts'
import { rowMaker, secure } from '../support/state.ts'

let folder: string
let logged: string[]
const running: Kept[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kept-'))
  logged = []
})
afterEach(async () => {
  await Promise.all(running.splice(0).map((kept) => kept.close()))
  await rm(folder, { recursive: true })
})

async function open(): Promise<Kept> {
  const database = await openDatabase(`file:${join(folder, 'state.db')}`, { clock: systemClock })
  const kept = await openKept(database, { clock: systemClock, log: (line) => logged.push(line), secure })
  running.push(kept)
  return kept
}

it('What a gateway keeps is there after its end, to the last request and nano-dollar', async () => {
  const before = await open()
  const { key, secret } = await before.keys.create({ name: 'Ada', disabled: false, limits: {}, metadata: {} })
  const meter = { subject: `key:${key.id}`, window: 0, limit: 1_000_000 }
  for (let at = 0; at < 200; at++) {
    const granted = await before.meters.reserve([{ meter, amount: 1_000 }])
    if (granted.granted) granted.settle([at])
    before.ledger.write(rowMaker()({ at: Date.now(), key: key.id, booked: at }))
  }
  await before.close()
  const after = await open()
  const spent = (199 * 200) / 2
  expect(after.holders.find(await digestOf(secret))).toEqual(key)
  expect(await after.meters.read(meter)).toEqual({ spent, held: 0, lost: 0 })
  expect((await after.usage.spending([key.id])).get(key.id)?.total).toBe(spent)
  expect(await after.usage.rows({ limit: 1_000 })).toHaveLength(200)
  expect(logged).toEqual([])
})

it('Processes that share a database see what the others do', async () => {
  const [one, other] = await Promise.all([open(), open()])
  const { key, secret } = await one.keys.create({ name: 'Ada', disabled: false, limits: {}, metadata: {} })
  const digest = await digestOf(secret)
  await expect.poll(() => other.holders.known(digest)?.id).toBe(key.id)
  await other.keys.update(key.id, (now) => ({ ...now, disabled: true }))
  await expect.poll(() => one.holders.known(digest)?.disabled).toBe(true)
  for (const kept of [one, other]) kept.ledger.write(rowMaker()({ at: Date.now(), key: key.id, booked: 7 }))
  await Promise.all([one, other].map((kept) => kept.ledger.flush()))
  await expect.poll(async () => (await one.usage.spending([key.id])).get(key.id)?.total).toBe(14)
})

it('A database with tables of somebody else’s is refused', async () => {
  const database = await openDatabase(`file:${join(folder, 'state.db')}`, { clock: systemClock })
  await database.all('CREATE TABLE keys (id TEXT)')
  const opened = openKept(database, { clock: systemClock, log: () => {}, secure })
  await expect(opened).rejects.toThrow('keys')
  await database.close()
})
