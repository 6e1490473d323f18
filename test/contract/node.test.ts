import { afterAll, beforeAll } from 'vitest'
import { exchangeServer } from '../support/exchange-server.ts'
import { startGateway } from '../support/gateway.ts'
import type { FakeUpstream } from '../support/upstream.ts'
import { subjects } from './subjects.ts'
import { type Runtime, testProvider, testQuirks } from './suite.ts'

let server: FakeUpstream

beforeAll(async () => {
  server = await exchangeServer()
})
afterAll(() => server.close())

/** Real sockets on both sides of the gateway. */
const node: Runtime = {
  get upstream() {
    return server.url
  },
  async open(config, env) {
    const gateway = await startGateway(config, { env })
    return {
      send: (path, init) => fetch(`http://127.0.0.1:${gateway.port}${path}`, init),
      close: () => gateway.close(),
    }
  },
}

for (const subject of subjects) {
  testProvider(subject, node)
  testQuirks(subject, node)
}
