import { readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeEach } from 'vitest'
import { registry } from '../../providers/index.ts'
import type { Accounting } from '../../src/accounts/accounting.ts'
import type { AdminScope } from '../../src/admin/route.ts'
import { assemble } from '../../src/assemble.ts'
import type { CacheHost } from '../../src/cache/host.ts'
import type { Environment } from '../../src/config/providers.ts'
import type { Config } from '../../src/config/schema.ts'
import { type Clock, systemClock } from '../../src/core/clock.ts'
import type { Services } from '../../src/core/services.ts'
import type { Access } from '../../src/http/access.ts'
import type { Metrics } from '../../src/observe/metrics/metrics.ts'
import type { LogOutput } from '../../src/observe/observing.ts'
import { createNodeDial } from '../../src/runtime/node-dial.ts'
import { nodeDownload } from '../../src/runtime/node-download.ts'
import { nodeEdge } from '../../src/runtime/node-edge.ts'
import type { NodeBindings } from '../../src/runtime/node-listener.ts'
import { createNodeServer } from '../../src/runtime/node-server.ts'
import { serveSockets } from '../../src/runtime/node-sockets.ts'
import { createNodeTransport } from '../../src/runtime/node-transport.ts'
import { Running } from '../../src/runtime/running.ts'
import type { StoredHost } from '../../src/stored/host.ts'
import { noLists } from './ask.ts'
import { duringTests } from './during-tests.ts'
import { type FakeUpstream, fakeUpstream, type Script } from './upstream.ts'

export interface RunningGateway {
  /** Includes `/v1`. */
  readonly baseURL: string
  readonly logged: string[]
  readonly port: number
  /** Ends what still runs, as when the gateway stops. */
  breakOff(): void
  close(): Promise<void>
}

export interface GatewayOptions {
  readonly env?: Environment
  readonly access?: Access
  readonly clock?: Clock
  readonly random?: () => number
  readonly services?: Partial<Services>
  readonly output?: LogOutput
  readonly metrics?: Pick<Metrics, 'watch'>
  readonly state?: AdminScope['state']
  readonly accounting?: Accounting
  readonly stored?: StoredHost
  readonly cacheHost?: () => Promise<CacheHost>
}

/** Starts the gateway as on Node, on its own port: what a client sees. */
export async function startGateway(config: Config, options: GatewayOptions = {}): Promise<RunningGateway> {
  const transport = createNodeTransport()
  const logged: string[] = []
  const running = new Running()
  const { app, sockets, ready, close } = assemble<NodeBindings>({
    config,
    registry,
    env: options.env ?? {},
    edge: (given) => nodeEdge({ ...given, running }),
    withoutKeys: options.access ?? { mode: 'open' },
    output: options.output,
    metrics: options.metrics,
    accounting: options.accounting,
    state: options.state,
    stored: options.stored,
    cacheHost: options.cacheHost,
    services: {
      transport,
      dial: createNodeDial(options.clock ?? systemClock),
      clock: options.clock ?? systemClock,
      random: options.random ?? Math.random,
      fetch: globalThis.fetch,
      download: nodeDownload,
      asset: (name) => readFile(new URL(`../../providers/${name}`, import.meta.url)),
      log: (message) => logged.push(message),
      ...options.services,
    },
  })
  for (const note of (await ready) ?? []) logged.push(note)
  const server = createNodeServer(app.fetch as Parameters<typeof createNodeServer>[0], options.random ?? Math.random)
  serveSockets(server, {
    open: sockets,
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
    running,
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', () => listening()))
  const { port } = server.address() as AddressInfo
  return {
    baseURL: `http://127.0.0.1:${port}/v1`,
    logged,
    port,
    breakOff: () => running.breakOff(),
    async close() {
      await new Promise<void>((closed) => {
        server.close(() => closed())
        server.closeAllConnections()
      })
      // What is left for a collector goes the same way as requests to models.
      await close(500).finally(() => transport.close())
    },
  }
}

/**
 * Starts an upstream and a gateway on Node in front of it before the tests of this file or `describe`, and closes them
 * after. What it returns is empty until then. `configOf` gets the upstream's URL; `script` is its first script.
 */
export function serveNode(
  configOf: (url: string) => Config,
  { script, ...options }: GatewayOptions & { readonly script?: Script } = {},
): { readonly upstream: FakeUpstream; readonly gateway: RunningGateway } {
  const upstream = duringTests(() => fakeUpstream(...(script ? [script] : [])))
  const gateway = duringTests(() => startGateway(configOf(upstream.url), { services: noLists, ...options }))
  return { upstream, gateway }
}

/**
 * Starts upstreams before the tests of this file, and closes them after; what it returns is empty until then. Before
 * each test they have seen nothing, and run their first script. Without one, the tests are to give them theirs.
 */
export function serveUpstreams<Name extends string>(
  scripts: Readonly<Record<Name, Script | undefined>>,
): Readonly<Record<Name, FakeUpstream>> {
  const names = Object.keys(scripts) as Name[]
  const upstreams = Object.fromEntries(names.map((name) => [name, duringTests(fakeUpstream)])) as Record<
    Name,
    FakeUpstream
  >
  beforeEach(() => {
    for (const name of names) {
      const script = scripts[name]
      upstreams[name].script(...(script ? [script] : []))
      upstreams[name].seen.length = 0
    }
  })
  return upstreams
}

/** Starts gateways whenever a test needs one, and closes them all after the tests of this file. */
export function gatewayStarter(): typeof startGateway {
  const running: RunningGateway[] = []
  afterAll(async () => {
    await Promise.all(running.map((gateway) => gateway.close()))
  })
  return async (config, options) => {
    const gateway = await startGateway(config, options)
    running.push(gateway)
    return gateway
  }
}

/** A clock that moves only when a test advances it. */
export class ManualClock implements Clock {
  #now = 1_700_000_000_000
  #timers: { at: number; action: () => void }[] = []

  now(): number {
    return this.#now
  }

  after(ms: number, action: () => void): () => void {
    const timer = { at: this.#now + ms, action }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  /** The number of pending timers. */
  get waiting(): number {
    return this.#timers.length
  }

  /** Advances the time by `ms`; due timers run in order, with a turn of the event loop after each. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0]
      if (!due) break
      this.#timers = this.#timers.filter((timer) => timer !== due)
      this.#now = Math.max(this.#now, due.at)
      due.action()
      await new Promise((turn) => setImmediate(turn))
    }
    this.#now = until
  }
}
