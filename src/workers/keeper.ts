import { createAccounting } from '../accounts/accounting.ts'
import { LenientLimiter } from '../accounts/lenient-limiter.ts'
import { limiterOf } from '../accounts/limiter.ts'
import { Rates } from '../accounts/rates.ts'
import type { Parts } from '../assemble.ts'
import type { CacheHost } from '../cache/host.ts'
import { ConfigError } from '../config/problems.ts'
import type { Config } from '../config/schema.ts'
import { type Environment, noFindings } from '../config/secrets.ts'
import { readState, type StateSettings } from '../config/state.ts'
import { systemClock } from '../core/clock.ts'
import { once } from '../core/late.ts'
import type { Log } from '../core/log.ts'
import { loadPrices } from '../prices/load.ts'
import { MemoryMeters } from '../state/memory-meters.ts'
import { digestOf } from '../state/secret.ts'
import type { Keeping, Pace } from '../stored/keeping.ts'
import type { D1, Defer, Objects, Queue } from './bindings.ts'
import { createCachedKeys } from './cached-keys.ts'
import { openD1 } from './d1.ts'
import { Generations } from './generations.ts'
import { lateStored } from './late-stored.ts'
import { ObjectLimiter } from './object-limiter.ts'
import { createRequestLedger } from './request-ledger.ts'

type Kept = Pick<Parts<object>, 'accounting' | 'state' | 'stored' | 'cacheHost'>

/** What a Worker may be bound to, besides variables. */
interface Bindings {
  readonly METERS?: Objects
  readonly LEDGER_QUEUE?: Queue
}

interface Services {
  readonly log: Log
  readonly defer: Defer
  readonly cacheHost: (generations: Generations) => Promise<CacheHost>
}

const clock = systemClock

/** The runtime counts what a request, or an alarm, asks of a database: some allow a thousand times. */
const pace: Pace = { write: 500, look: 500, beat: 5_000 }

/**
 * What an isolate keeps beyond its requests, as far as the configuration has something kept. Asks no binding yet. Rejects
 * with a `ConfigError` if one is missing.
 */
export async function openKept(config: Config, env: Environment, { log, defer, cacheHost }: Services): Promise<Kept> {
  const findings = noFindings()
  const settings = readState(config, env, findings)
  // It is told with all else that is wrong.
  if (findings.problems.length > 0) return {}
  const { METERS: objects, LEDGER_QUEUE: queue } = env as Bindings
  const common = { clock, digest: digestOf, catalogue: await loadPrices() }
  const inObjects = objects && new ObjectLimiter({ objects, clock, newId: () => crypto.randomUUID(), defer })
  if (!settings) {
    const limiter = inObjects ?? limiterOf(new Rates(clock), new MemoryMeters())
    return { accounting: createAccounting({ ...common, limiter }), state: undefined }
  }
  const database = openD1(databaseOf(settings, env))
  if (!inObjects) throw missing('Durable Objects', 'METERS')
  const keys = createCachedKeys({ database, clock, log })
  const stored = once(async () => {
    const { createObjects, limitsOfD1 } = await import('../state/object-store.ts')
    return createObjects(database, limitsOfD1)
  })
  const forget = async (now: number) => await (await stored()).forget(now)
  const ledger = createRequestLedger({ database, clock, log, queue, days: settings.retention, defer, forget })
  return {
    accounting: createAccounting({
      ...{ ...common, keys, projects: keys.projects, ledger },
      limiter: new LenientLimiter({ limiter: inObjects, clock, log }),
    }),
    cacheHost: () => cacheHost(new Generations(database, clock)),
    stored: lateStored(async () => {
      const [{ createStoredHost }, { Background }] = await Promise.all([
        import('../stored/host.ts'),
        import('../stored/background.ts'),
      ])
      const background = (keeping: Keeping) => new Background(keeping, true)
      const common = { clock, log, defer, pace, random: Math.random, background }
      return createStoredHost({ ...common, objects: await stored(), settings: settings.objects })
    }),
    state: once(async () => {
      const [{ createKeyStore }, { createProjectStore }, { createUsage }] = await Promise.all([
        import('../state/key-store.ts'),
        import('../state/project-store.ts'),
        import('../state/usage.ts'),
      ])
      const changed = async () => keys.forget()
      const secure = (length: number) => crypto.getRandomValues(new Uint8Array(length))
      return {
        keys: createKeyStore({ database, clock, secure, changed }),
        projects: createProjectStore({ database, clock, secure }, changed),
        ...{ holders: keys, usage: createUsage(database, clock), ledger, meters: inObjects, clock },
      }
    }),
  }
}

/** The database that is bound. Throws a `ConfigError`. */
export function databaseOf({ kind, where }: StateSettings, env: Environment): D1 {
  if (kind !== 'd1') throw problem('a Worker keeps its state in D1; allowed: "d1"')
  const { [where]: database } = env as unknown as Record<string, D1 | undefined>
  if (typeof database?.prepare !== 'function') throw missing('a D1 database', where)
  return database
}

const missing = (what: string, name: string) =>
  problem(`nothing is bound as ${name}, which is to be ${what}; \`npm run deploy:state\` makes and binds it`)

const problem = (text: string) => new ConfigError([`state.url: ${text}`], 'The state')
