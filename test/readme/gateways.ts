import { readFile } from 'node:fs/promises'
import { registry as usualRegistry } from '../../providers/index.ts'
import { assemble as usualAssemble } from '../../src/assemble.ts'
import type { Environment, Registry } from '../../src/config/providers.ts'
import type { Config } from '../../src/config/schema.ts'
import { type Clock, systemClock } from '../../src/core/clock.ts'
import { fetchEdge } from '../../src/runtime/fetch-edge.ts'
import { nodeDownload } from '../../src/runtime/node-download.ts'
import { createNodeTransport } from '../../src/runtime/node-transport.ts'

export interface AssembledGateway {
  fetch(request: Request): Response | Promise<Response>
  stop(): Promise<void>
}

interface GatewayOptions {
  readonly env: Environment
  readonly registry?: Registry
  readonly assemble?: typeof usualAssemble
  readonly clock?: Clock
  readonly log?: (message: string) => void
}

/** A gateway without a server, with any registry and any sources. */
export async function startGateway(
  config: Config,
  { env, registry = usualRegistry, assemble = usualAssemble, clock = systemClock, log = () => {} }: GatewayOptions,
): Promise<AssembledGateway> {
  const transport = createNodeTransport()
  const { app } = assemble<object>({
    config,
    registry,
    env,
    edge: fetchEdge,
    withoutKeys: { mode: 'open' },
    services: {
      transport,
      clock,
      random: () => 0,
      fetch: globalThis.fetch,
      download: nodeDownload,
      asset: (name) => readFile(new URL(`../../providers/${name}`, import.meta.url)),
      log,
    },
  })
  return { fetch: (request) => app.fetch(request), stop: () => transport.close() }
}

export interface Asked {
  readonly status: number
  readonly headers: Headers
  readonly body: unknown
}

export async function askWith(gateway: AssembledGateway, model: string, more: object = {}): Promise<Asked> {
  const response = await gateway.fetch(
    new Request('http://gateway/v1/chat/completions', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }], ...more }),
    }),
  )
  return { status: response.status, headers: response.headers, body: await response.json() }
}
