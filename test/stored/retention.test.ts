import { expect, it } from 'vitest'
import { noFindings } from '../../src/config/secrets.ts'
import { readState } from '../../src/config/state.ts'
import { createObjects } from '../../src/state/object-store.ts'
import { keepFor } from '../../src/state/retention.ts'
import { Background } from '../../src/stored/background.ts'
import { createStoredHost } from '../../src/stored/host.ts'
import { Keeping } from '../../src/stored/keeping.ts'
import { ManualClock } from '../support/gateway.ts'
import { memoryDatabase } from '../support/state.ts'

const day = 24 * 60 * 60 * 1000

it.each([
  [{}, {}],
  [{ retention: 3 }, {}],
  [
    { retention: 3, objects: { retention: 7, passOn: true } },
    { retention: 7, passOn: true },
  ],
])('what clients store is kept as %j says', (more, settings) => {
  const found = noFindings()
  expect(readState({ state: { url: 'file:kept.db', ...more } }, {}, found)?.objects).toEqual(settings)
  expect(found.problems).toEqual([])
})

it('what is too old is deleted, and nothing before', async () => {
  const database = await memoryDatabase()
  const clock = new ManualClock()
  const objects = createObjects(database)
  const log = (line: string) => {
    throw new Error(line)
  }
  const keeping = new Keeping({ objects, clock, random: Math.random, log, settings: { retention: 7 } })
  const key = { owner: 'key_1', kind: 'response', id: 'resp_1' } as const
  await objects.put(keeping.objectOf(key, { response: {} }), [{ id: 'msg_1' }])
  const end = keepFor({ database, clock, log, days: 30, objects })
  await clock.advance(7 * day - 1)
  expect(await objects.get(key)).toBeDefined()
  const later = async () => {
    await clock.advance(10 * 60 * 1000)
    return await objects.get(key)
  }
  await expect.poll(later).toBeUndefined()
  expect(await objects.item({ owner: 'key_1', parent: 'resp_1' }, 'msg_1')).toBeUndefined()
  end()
  await database.close()
})

it('whose it is that a provider keeps is known for longer than it is kept there', async () => {
  const database = await memoryDatabase()
  const clock = new ManualClock()
  const objects = createObjects(database)
  const log = (line: string) => {
    throw new Error(line)
  }
  const keeping = (retention: number) =>
    new Keeping({ objects, clock, random: Math.random, log, settings: { retention } })
  await keeping(7).note([{ owner: 'key_1', kind: 'response', id: 'resp_1' }], 'up')
  await keeping(90).note([{ owner: 'key_1', kind: 'response', id: 'resp_2' }], 'up')
  const known = async (days: number) => {
    while (await objects.forget(clock.now() + days * day));
    return [...(await objects.ofOthers('key_2', ['resp_1', 'resp_2'])).keys()].sort()
  }
  expect([await known(30), await known(31), await known(90)]).toEqual([['resp_1', 'resp_2'], ['resp_2'], []])
  await database.close()
})

it('a process that stores nothing any more ends at once', async () => {
  const database = await memoryDatabase()
  const log = () => {}
  const host = createStoredHost({
    ...{ objects: createObjects(database), clock: new ManualClock(), random: Math.random },
    ...{ log, settings: {}, background: (keeping: Keeping) => new Background(keeping) },
  })
  await host.idle(1_000)
  await host.close()
  await database.close()
})
