import { beforeAll, describe, expect, it } from 'vitest'
import { createAccounting } from '../../src/accounts/accounting.ts'
import { limiterOf } from '../../src/accounts/limiter.ts'
import { Rates } from '../../src/accounts/rates.ts'
import { systemClock } from '../../src/core/clock.ts'
import { loadPrices } from '../../src/prices/load.ts'
import { openProjects } from '../../src/state/project-store.ts'
import { digestOf } from '../support/accounting.ts'
import { noLists } from '../support/ask.ts'
import { duringTests } from '../support/during-tests.ts'
import { gatewayStarter, type RunningGateway, serveUpstreams } from '../support/gateway.ts'
import { type KeptState, keptState, secure } from '../support/state.ts'
import { chatAnswer, json } from '../support/upstream.ts'
import { adminKey, configOf, testProjects, usage } from './projects-suite.ts'

const { up } = serveUpstreams({ up: json(200, { ...(chatAnswer('hello') as object), usage }) })
const start = gatewayStarter()
const state: KeptState = duringTests(keptState)
let gateway: RunningGateway

beforeAll(async () => {
  const { holders: keys, meters, ledger, projectBook: projects } = state
  const accounting = createAccounting({
    ...{ clock: systemClock, digest: digestOf, catalogue: await loadPrices(), projects },
    ...{ keys, ledger, limiter: limiterOf(new Rates(systemClock), meters) },
  })
  gateway = await start(configOf(up.url), {
    env: { SAMEWIRE_ADMIN_KEY: adminKey },
    services: noLists,
    state: async () => state,
    accounting,
  })
})

describe('On Node', () => {
  testProjects((path, init) => fetch(new URL(path, gateway.baseURL), init))

  it('the keys of a project are limited in another process within moments', async () => {
    const book = await openProjects({ database: state.database, clock: systemClock, log: () => {}, secure, every: 5 })
    const { id = '' } = (await state.projects.create({ name: 'web', limits: { rpm: 2 }, metadata: {} })) ?? {}
    await expect.poll(() => book.of({ project: id })?.limits.rpm).toBe(2)
    await state.projects.update(id, (project) => ({ ...project, limits: {} }))
    await expect.poll(() => book.of({ project: id })?.limits).toEqual({})
    book.close()
  })
})
