import { ConfigError } from '../config/problems.ts'
import type { Config } from '../config/schema.ts'
import { type Environment, noFindings } from '../config/secrets.ts'
import { readState, type StateSettings } from '../config/state.ts'
import { systemClock } from '../core/clock.ts'
import type { Services } from '../core/services.ts'
import type { FetchGatewayParts } from '../fetch-gateway.ts'
import { createLog } from '../log.ts'
import { hasSockets } from '../runtime/fetch-sockets.ts'

/** What a program's gateway keeps beyond its requests. */
export interface Kept {
  readonly parts: Pick<FetchGatewayParts, 'accounting' | 'state' | 'stored' | 'cacheHost'>
  /** Writes what isn't written yet. Never rejects. */
  close(): Promise<void>
}

/** What `node-state.ts` has. */
export type OpenState = (
  config: Config,
  env: Environment,
  services: Pick<Services, 'clock' | 'log' | 'random'>,
) => Promise<Kept>

/** As Node, Bun and Deno have it. */
declare const process: { getBuiltinModule?(name: string): object | undefined } | undefined

/** Throws a `ConfigError` for state that this runtime can't keep. */
export function checkState(config: Config, env: Environment): void {
  const settings = readState(config, env, noFindings())
  const obstacle = settings && obstacleTo(settings)
  if (obstacle) throw new ConfigError([`state.url: ${obstacle}`], 'The state')
}

function obstacleTo({ kind }: StateSettings): string | undefined {
  if (hasSockets) return 'a Worker of your own keeps nothing; `npm run deploy:state` of samewire deploys one that does'
  if (kind === 'd1') return 'd1 is for Workers; a program has a file or PostgreSQL'
  if (kind === 'sqlite' && !has('node:sqlite')) return 'this runtime has no node:sqlite; Node has it from 22.13 on'
  if (kind === 'postgres' && !has('node:net')) return 'this runtime has no node:net, by which PostgreSQL is reached'
  return undefined
}

/** Never named in an import: runtimes that don't have it could not load this file. */
function has(name: string): boolean {
  try {
    return typeof process === 'object' && process.getBuiltinModule?.(name) !== undefined
  } catch {
    return false
  }
}

/** Opens what a configuration needs that limits somebody, or keeps something. Rejects with a `ConfigError`. */
export async function keep(config: Config, env: Environment, write: (line: string) => void): Promise<Kept> {
  if (!readState(config, env, noFindings())) return await keepInMemory()
  const log = createLog((entry) => write(`${new Date().toISOString()} ${entry}`))
  // In a way that no bundler sees: elsewhere than on Node it could not even be read.
  const place = new URL('./node-state.ts', import.meta.url).href
  const { openState } = await (import(place) as Promise<{ openState: OpenState }>).catch((cause: unknown) => {
    const why = `what keeps it can't be loaded; a bundle leaves it out, so have samewire stay a package (${cause})`
    throw new ConfigError([`state.url: ${why}`], 'The state')
  })
  return await openState(config, env, { clock: systemClock, log, random: Math.random })
}

/** Limits alone, which are forgotten when the program ends. */
async function keepInMemory(): Promise<Kept> {
  const [{ createAccounting }, { limiterOf }, { Rates }, { MemoryMeters }, { loadPrices }, { digestOf }] =
    await Promise.all([
      import('../accounts/accounting.ts'),
      import('../accounts/limiter.ts'),
      import('../accounts/rates.ts'),
      import('../state/memory-meters.ts'),
      import('../prices/load.ts'),
      import('../state/secret.ts'),
    ])
  const limiter = limiterOf(new Rates(systemClock), new MemoryMeters())
  const catalogue = await loadPrices()
  const accounting = createAccounting({ clock: systemClock, digest: digestOf, limiter, catalogue })
  return { parts: { accounting, state: undefined }, close: async () => {} }
}
