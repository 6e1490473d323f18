import { afterAll, beforeAll, expect, it } from 'vitest'
import { compare, type FidelityUpstream, fidelityConfig, fidelityUpstream } from '../support/fidelity.ts'
import { type RunningGateway, startGateway } from '../support/gateway.ts'

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
it('carries 500 generated requests and answers to the byte, cut anywhere', async () => {
  expect(await compare(0, 500, { port: gateway.port, upstream })).toEqual([])
})
