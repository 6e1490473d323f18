import { readFile } from 'node:fs/promises'
import { registry } from '../../providers/index.ts'
import type { ConfigControl } from '../admin/control.ts'
import { hashOf } from '../admin/hash.ts'
import { assemble } from '../assemble.ts'
import type { CacheHost } from '../cache/host.ts'
import { autoConfig, type Found } from '../config/auto.ts'
import { findServers } from '../config/find.ts'
import { loadConfig } from '../config/load.ts'
import { ConfigError } from '../config/problems.ts'
import type { Environment } from '../config/providers.ts'
import type { Config } from '../config/schema.ts'
import { systemClock } from '../core/clock.ts'
import type { Services } from '../core/services.ts'
import { createLog } from '../log.ts'
import { Gathering } from '../observe/gathering.ts'
import { createNodeDial } from '../runtime/node-dial.ts'
import { nodeDownload } from '../runtime/node-download.ts'
import { nodeEdge } from '../runtime/node-edge.ts'
import type { NodeBindings } from '../runtime/node-listener.ts'
import { createLines } from '../runtime/node-output.ts'
import { createNodeTransport } from '../runtime/node-transport.ts'
import { Running } from '../runtime/running.ts'
import { isLoopback, startText } from '../start-text.ts'
import type { Database } from '../state/database.ts'
import type { NodeCacheHost } from './cache.ts'
import { emptyConfig } from './configuration.ts'
import type { Keeper } from './keeper.ts'
import type { LateMetrics } from './metrics.ts'

/** What a gateway is built from. Plain data: every worker gets a copy and builds the same gateway. */
export interface Job {
  readonly config: Config
  /** The name of the configuration file. */
  readonly source: string
  /** Servers found on this machine; undefined if the configuration has `providers`. */
  readonly found: Found | undefined
  readonly host: string
  /** A short hash of the configuration, with what is added to it where it has no `providers`. */
  readonly hash: string
  /** When it was read, in milliseconds since 1970. */
  readonly loaded: number
}

/** The outside world, without the connections to upstreams. */
export const outside: Omit<Services, 'transport'> = {
  dial: createNodeDial(systemClock),
  clock: systemClock,
  random: Math.random,
  fetch: globalThis.fetch,
  download: nodeDownload,
  asset: (name) => readFile(new URL(`../../providers/${name}`, import.meta.url)),
  log: createLog((entry) => console.log(`${new Date().toISOString()} ${entry}`)),
}

/** The standard output. */
const lines = createLines(1, systemClock)
/** What is told of requests in this process. */
export const gathering = new Gathering(systemClock)
process.on('exit', () => {
  gathering.drain()
  lines.flush()
})

/** What a worker gets. */
export interface WorkerJob extends Job {
  /** Milliseconds that running answers have to finish after the worker was told to stop. */
  readonly grace: number
  /** Whether a collector is told what was counted: by the parent process. */
  readonly exported: boolean
}

/**
 * Reads the configuration, and looks for servers if it has no `providers`. Rejects with a `ConfigError`. `again`: how
 * often this process has read it before.
 */
export async function readJob(source: string, host: string, env: Environment, again = 0): Promise<Job> {
  const config = await loadConfig(source, again)
  const found = config.providers ? undefined : await findServers(registry, env, outside)
  const hash = await hashOf(autoConfig(config, registry, env, found))
  return { config, source, found, host, hash, loaded: outside.clock.now() }
}

/** What a process has once, whichever gateway it runs: its connections to upstreams, and what is being answered. */
export function createShared() {
  const transport = createNodeTransport()
  const services: Services = { transport, ...outside }
  let host: NodeCacheHost | undefined
  return {
    ...{ transport, services, running: new Running() },
    /** What answers are kept with: the first one's database counts. */
    async cacheHost(database: Database | undefined): Promise<CacheHost> {
      const { createCacheHost } = await import('./cache.ts')
      host ??= createCacheHost(outside, database)
      return host
    },
    flushAnswers: async () => await host?.flush(),
  }
}

export type Shared = ReturnType<typeof createShared>

/** What there is beside the gateways of a process, and is told by them. */
export interface Beside {
  readonly control?: ConfigControl | undefined
  /** Absent: nothing is counted. */
  readonly metrics?: LateMetrics | undefined
  /** Absent: nobody has limits, and nothing is kept. */
  readonly keeper?: Keeper | undefined
}

/** Builds the gateway for a job. Throws a `ConfigError`. */
export function build(job: Job, env: Environment, shared: Shared = createShared(), beside: Beside = {}) {
  const { config, source, found, host } = job
  const { services, transport, running, cacheHost } = shared
  const assembled = assemble<NodeBindings>({
    config,
    source,
    registry,
    env,
    services,
    output: { write: lines.write, format: 'text' },
    ...(found && { found }),
    edge: (options) => nodeEdge({ ...options, running }),
    phase: () => running.phase,
    withoutKeys: { mode: 'open' },
    control: beside.control,
    metrics: beside.metrics?.now,
    gathering,
    accounting: beside.keeper?.accounting,
    state: beside.keeper?.state,
    stored: beside.keeper?.stored,
    cacheHost: () => cacheHost(beside.keeper?.database),
  })
  if (assembled.access.mode === 'open' && !isLoopback(host)) {
    throw new ConfigError(
      [`${host} can be reached from elsewhere and no key is set; set SAMEWIRE_KEY, or listen on 127.0.0.1`],
      'The address',
    )
  }
  const { gateway, access, log, logFormat } = assembled

  /** Says that it listens: in words, or in a line for the programs that read the log. */
  function announce(url: string, workers?: readonly number[]): void {
    if (logFormat === 'json') log(`samewire listens on ${url}/v1`)
    else {
      const file = source === emptyConfig ? undefined : source
      console.log(
        startText({
          ...{ gateway, file, addable: found ? registry : {}, url, access },
          // A process that only distributes connections doesn't look into the store.
          made: !assembled.keeps ? undefined : beside.keeper?.state ? 'none' : 'unknown',
          manages: (env.SAMEWIRE_ADMIN_KEY ?? '') !== '',
          ...(workers && { workers }),
        }),
      )
    }
  }

  return { ...assembled, announce, services: { ...services, log }, transport, running }
}
