import tinyChat from '../../providers/embedded/tiny-chat.gguf'
import { registry } from '../../providers/index.ts'
import { assemble } from '../../src/assemble.ts'
import type { CacheHost } from '../../src/cache/host.ts'
import type { Environment } from '../../src/config/providers.ts'
import type { Config } from '../../src/config/schema.ts'
import { systemClock } from '../../src/core/clock.ts'
import type { Access } from '../../src/http/access.ts'
import { fetchEdge } from '../../src/runtime/fetch-edge.ts'
import { createFetchTransport } from '../../src/runtime/fetch-transport.ts'

/** A gateway as the Worker builds it, but with a configuration of the test's own. */
export function edgeGateway(
  config: Config,
  env: Environment = {},
  withoutKeys: Access = { mode: 'open' },
  cacheHost?: () => Promise<CacheHost>,
) {
  const send: typeof fetch = (input, init) => fetch(input, init)
  const { app } = assemble<object>({
    config,
    registry,
    env,
    edge: fetchEdge,
    withoutKeys,
    cacheHost,
    services: {
      transport: createFetchTransport(send),
      clock: systemClock,
      random: Math.random,
      fetch: send,
      asset: async () => new Uint8Array(tinyChat),
      log: () => {},
    },
  })
  return {
    send: async (path: string, init?: RequestInit) => await app.fetch(new Request(`http://gateway.test${path}`, init)),
  }
}
