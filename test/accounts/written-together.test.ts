import { expect, it } from 'vitest'
import { createAccounting } from '../../src/accounts/accounting.ts'
import { limiterOf } from '../../src/accounts/limiter.ts'
import { Rates } from '../../src/accounts/rates.ts'
import { loadPrices } from '../../src/prices/load.ts'
import type { TransactionalDatabase } from '../../src/state/database.ts'
import { createLedger } from '../../src/state/ledger-writer.ts'
import { MemoryMeters } from '../../src/state/memory-meters.ts'
import { digestOf } from '../support/accounting.ts'
import { ask, chat, noLists } from '../support/ask.ts'
import { gatewayStarter, ManualClock, serveUpstreams } from '../support/gateway.ts'
import { memoryDatabase } from '../support/state.ts'
import { chatAnswer, json } from '../support/upstream.ts'

const { up } = serveUpstreams({ up: json(200, chatAnswer('hello')) })
const serve = gatewayStarter()

function counting(database: TransactionalDatabase) {
  const counted = {
    transactions: 0,
    all: database.all.bind(database),
    batch(statements: Parameters<TransactionalDatabase['batch']>[0]) {
      counted.transactions++
      return database.batch(statements)
    },
    close: () => database.close(),
  }
  return counted
}

it('Requests that end within a moment are written down in one transaction, where the process lives on', async () => {
  const clock = new ManualClock()
  const database = counting(await memoryDatabase())
  const ledger = createLedger({ database, clock, log: () => {} })
  const limiter = limiterOf(new Rates(clock), new MemoryMeters())
  const catalogue = await loadPrices()
  const accounting = createAccounting({ clock, limiter, ledger, catalogue, digest: digestOf, background: true })
  const config = { providers: { up: { type: 'openai-compatible', baseURL: up.url } }, models: { m: 'up/m' } }
  const gateway = await serve(config, { clock, services: noLists, accounting })
  for (let asked = 0; asked < 10; asked++) expect((await ask(gateway, chat('m'))).status).toBe(200)
  expect(database.transactions).toBe(0)
  await ledger.close()
  expect(database.transactions).toBe(1)
  expect(await database.all('SELECT count(*) AS count FROM requests')).toEqual([{ count: 10 }])
  await database.close()
})
