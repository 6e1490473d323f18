import { createHash } from 'node:crypto'
import type { Accounting } from '../accounts/accounting.ts'
import type { AdminState } from '../admin/state.ts'
import { ConfigError } from '../config/problems.ts'
import type { Config } from '../config/schema.ts'
import { type Environment, noFindings } from '../config/secrets.ts'
import { limitsAnybody, readState, type StateSettings } from '../config/state.ts'
import type { Services } from '../core/services.ts'
import type { KeptFigures } from '../observe/metrics/kept.ts'
import type { Database } from '../state/database.ts'
import type { SlicedMeters } from '../state/sliced-meters.ts'
import type { StoredHost } from '../stored/host.ts'
import type { Keeping } from '../stored/keeping.ts'

type Needed = Pick<Services, 'clock' | 'log' | 'random'>

/** What a process keeps beyond its requests. */
interface Kept {
  readonly settings: StateSettings | undefined
  readonly accounting: Accounting
  readonly state: (() => Promise<AdminState>) | undefined
  readonly database?: Database
  readonly stored?: StoredHost
  readonly figures?: KeptFigures
  readonly meters?: Pick<SlicedMeters, 'owner' | 'bury'>
  close(): Promise<void>
}

/** Keeps limits, budgets, keys and rows of a process, whichever gateways it has. Loads nothing until one is to be kept. */
export class Keeper {
  readonly #env: Environment
  readonly #services: Needed
  #kept: Kept | undefined

  constructor(env: Environment, services: Needed) {
    this.#env = env
    this.#services = services
  }

  get accounting(): Accounting | undefined {
    return this.#kept?.accounting
  }

  get database(): Database | undefined {
    return this.#kept?.database
  }

  get state(): Kept['state'] {
    return this.#kept?.state
  }

  get figures(): KeptFigures | undefined {
    return this.#kept?.figures
  }

  /** By which the store knows this process among others. Undefined: it doesn't. */
  get owner(): string | undefined {
    return this.#kept?.meters?.owner
  }

  get stored(): StoredHost | undefined {
    return this.#kept?.stored
  }

  /**
   * Opens what a configuration needs, unless it is open. Resolves with notes for the log. Rejects with a `ConfigError` if
   * it can't be opened.
   */
  async prepare(config: Config): Promise<readonly string[]> {
    if (!this.#kept && !limitsAnybody(config, this.#env)) return []
    // What is wrong with it is told with all else.
    const settings = readState(config, this.#env, noFindings())
    if (this.#kept) {
      const { where } = this.#kept.settings ?? {}
      return where === settings?.where ? [] : ['state: where it is kept can change at a restart only']
    }
    this.#kept = settings
      ? await openKept(settings, this.#services)
      : { settings, ...(await keepInMemory(this.#services)) }
    return []
  }

  /** Resolves once nothing is made that nobody waits for, or after `ms`. Never rejects. */
  async idle(ms: number): Promise<void> {
    await this.#kept?.stored?.idle(ms)
  }

  /** Books what another process had leased that is dead. Never rejects: where the store fails, that is done later. */
  async bury(owner: string): Promise<void> {
    await this.#kept?.meters?.bury(owner).catch(() => {})
  }

  /** Writes what isn't written yet. Never rejects. */
  async close(): Promise<void> {
    await this.#kept?.close()
  }
}

const digest = (secret: string) => createHash('sha256').update(secret).digest('hex')

/** Limits alone, which are forgotten when the process ends. */
async function keepInMemory({ clock }: Needed): Promise<Omit<Kept, 'settings'>> {
  const [{ createAccounting }, { limiterOf }, { Rates }, { MemoryMeters }, { loadPrices }] = await Promise.all([
    import('../accounts/accounting.ts'),
    import('../accounts/limiter.ts'),
    import('../accounts/rates.ts'),
    import('../state/memory-meters.ts'),
    import('../prices/load.ts'),
  ])
  const limiter = limiterOf(new Rates(clock), new MemoryMeters())
  const accounting = createAccounting({ clock, digest, limiter, catalogue: await loadPrices() })
  return { accounting, state: undefined, close: async () => {} }
}

async function openKept(settings: StateSettings, services: Needed): Promise<Kept> {
  const { clock } = services
  const [
    { configuredKey, createAccounting },
    { LenientLimiter },
    { limiterOf },
    { Rates },
    { SharedRates },
    { openStore },
    { loadPrices },
    { createStoredHost },
    { Background },
  ] = await Promise.all([
    import('../accounts/accounting.ts'),
    import('../accounts/lenient-limiter.ts'),
    import('../accounts/limiter.ts'),
    import('../accounts/rates.ts'),
    import('../accounts/shared-rates.ts'),
    import('./store.ts'),
    import('../prices/load.ts'),
    import('../stored/host.ts'),
    import('../stored/background.ts'),
  ])
  const store = await openStore(settings, services).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error)
    throw new ConfigError([`state.url: ${why}`], 'The state')
  })
  const { meters, holders: keys, projectBook: projects, ledger, objects } = store
  const background = (keeping: Keeping) => new Background(keeping)
  const stored = createStoredHost({ ...services, objects, settings: settings.objects, background })
  const rates = new SharedRates({ database: store.database, clock, company: meters })
  const limiter = new LenientLimiter({
    ...{ limiter: limiterOf(rates, meters), clock, log: services.log },
    meanwhile: limiterOf(new Rates(clock), meters),
    spend: (holds, used) => meters.spend(holds, used),
  })
  const accounting = createAccounting({
    ...{ clock, digest, limiter, keys, projects, ledger, background: true },
    catalogue: await loadPrices(),
  })
  const close = async () => {
    await stored.close()
    await rates.close()
    await store.close()
  }
  const figures: KeptFigures = {
    ...store.figures,
    budgets: (configured, most) => store.figures.budgets(configured.map(configuredKey), most),
  }
  return { settings, accounting, state: async () => store, database: store.database, stored, figures, meters, close }
}
