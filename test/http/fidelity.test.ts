import { afterAll, beforeAll, expect, it } from 'vitest'
import { compare, type FidelityUpstream, fidelityConfig, fidelityUpstream } from '../support/fidelity.ts'
import { type RunningGateway, startGateway } from '../support/gateway.ts'
import { usually } from '../support/usually.ts'

let upstream: FidelityUpstream
let gateway: RunningGateway

beforeAll(async () => {
  upstream = await fidelityUpstream()
  gateway = await startGateway(fidelityConfig(upstream.url))
})
afterAll(async () => {
  await gateway.close()
  await upstream.close()
})

// `npm run fidelity` sends 10,000 of them, to the Worker too.
it.each([usually(150, 500)])('carries %i generated requests and answers to the byte, cut anywhere', async (count) => {
  expect(await compare(0, count, { port: gateway.port, upstream })).toEqual([])
})
