import type { Accounting } from './accounts/accounting.ts'
import type { ConfigControl } from './admin/control.ts'
import { hashOf } from './admin/hash.ts'
import type { AdminScope } from './admin/route.ts'
import type { CacheHost } from './cache/host.ts'
import { autoConfig, type Found } from './config/auto.ts'
import { readCatalog } from './config/catalog.ts'
import { givenConfig } from './config/given.ts'
import { checkBudgets, readAdminKey, readKeys } from './config/keys.ts'
import { ConfigError } from './config/problems.ts'
import type { Environment, Registry } from './config/providers.ts'
import type { Config } from './config/schema.ts'
import { noFindings } from './config/secrets.ts'
import { readState } from './config/state.ts'
import { atHand, late, lateValue } from './core/late.ts'
import type { Phase } from './core/readiness.ts'
import type { Services } from './core/services.ts'
import type { Sockets } from './core/upgrade.ts'
import { composeGateway } from './gateway.ts'
import { type Access, createGuard } from './http/access.ts'
import { createApp } from './http/app.ts'
import { createReports, logThrown } from './http/report.ts'
import { isForResponses } from './http/upgrades.ts'
import type { Gathering } from './observe/gathering.ts'
import { readLogSettings } from './observe/log-settings.ts'
import type { Metrics } from './observe/metrics/metrics.ts'
import { readMetricsNames } from './observe/metrics/settings.ts'
import { createObserving, joined, type LogOutput } from './observe/observing.ts'
import type { Edge, EdgeOptions } from './runtime/edge.ts'
import type { StoredHost } from './stored/host.ts'
import { requestIds } from './wire/ids.ts'

export interface Parts<Bindings extends object> {
  readonly config: Config
  /** The file name for error messages about the configuration. */
  readonly source?: string
  readonly registry: Registry
  readonly env: Environment
  readonly services: Services
  /** Where the log goes, with a line for each request. Absent: messages go to the log of the services, and no such lines. */
  readonly output?: LogOutput | undefined
  readonly edge: (options: EdgeOptions) => Edge<Bindings>
  readonly found?: Found
  /** Who has access when no key is set. */
  readonly withoutKeys: Access
  /** Absent: it serves as long as it is there. */
  readonly phase?: () => Phase
  /** Changes the configuration while the gateway runs. Absent where a deployment does. */
  readonly control?: ConfigControl | undefined
  /** Whether work goes on between requests. Default true. */
  readonly background?: boolean
  /** Keys, usage and what else is kept. Absent: nothing is. */
  readonly state?: AdminScope['state']
  /** Keeps what clients store. Absent: nothing does. */
  readonly stored?: StoredHost | undefined
  /** Keeps limits and budgets. Absent: the configuration has none. */
  readonly accounting?: Accounting | undefined
  /** What there is for keeping answers. Absent: what every runtime has. */
  readonly cacheHost?: (() => Promise<CacheHost>) | undefined
  /** Tells of requests some at a time, where work goes on between them. Absent: each is told of at once. */
  readonly gathering?: Gathering | undefined
  /** Counts requests, where somebody is to be told. Absent: nobody does. */
  readonly metrics?: Pick<Metrics, 'watch'> | undefined
}

/** Bytes: OpenAI takes images of up to 20 MB. */
const bodyLimit = 20 * 1024 * 1024

/** Seconds. */
const writeTimeout = 60

/** Whether a variable's value is the problem, and not what a file says. */
const isOfVariable = (problem: string) => /^[A-Z\d_]+:/.test(problem)

type Given = Pick<Parts<object>, 'config' | 'source' | 'registry' | 'env' | 'output' | 'found'>

/** What the configuration and the environment say. Throws a `ConfigError` with all that is wrong. */
export function readGiven({ registry, env, source, output, ...parts }: Given) {
  const config = autoConfig(givenConfig(parts.config, source), registry, env, parts.found)
  const found = noFindings()
  const catalog = readCatalog(config, registry, env, found)
  const keys = readKeys(config, env, found)
  const settings = readLogSettings(config, env, output?.format ?? 'text', found)
  const scraped = readMetricsNames(config, env, found)
  const state = readState(config, env, found)
  checkBudgets(keys, state, found)
  const adminKey = readAdminKey(env, keys, found)
  if (found.problems.length > 0)
    throw new ConfigError(found.problems, found.problems.every(isOfVariable) ? 'The environment' : source)
  return { config, catalog, keys, settings, scraped, adminKey, keeps: state !== undefined, notes: [...found.notes] }
}

/** Builds a gateway from its parts, the same way on every runtime. `notes` are for the log. Throws a `ConfigError`. */
export function assemble<Bindings extends object>(parts: Parts<Bindings>) {
  const { env, source, output } = parts
  const { config, catalog, keys, settings, scraped, adminKey, keeps, notes } = readGiven(parts)
  const secrets = [...keys.map(({ secret }) => secret), ...(adminKey === undefined ? [] : [adminKey])]
  const { ready, close, ...observing } = createObserving({ ...parts, output, settings, catalog, secrets })
  const services = { ...parts.services, ...observing }
  const gateway = composeGateway(catalog, services, { keepAlive: config.keepAlive, cacheHost: parts.cacheHost })
  const { allowedHosts = [], allowedOrigins = [] } = config
  const { accounting } = parts
  const holdsKeys = () => accounting?.holdsKeys === true
  const withoutKeys = { allowedHosts, allowedOrigins, holdsKeys, ...parts.withoutKeys }
  // Nobody gets in without a key because a variable has been forgotten.
  const isLocked = keys.length > 0 || holdsKeys() || ((accounting?.hasOtherKeys || keeps) && adminKey !== undefined)
  const access: Access = isLocked ? { mode: 'keys', keys } : withoutKeys
  const { clock, random, log } = services
  const { known } = gateway.knowledge
  const { health } = gateway.learned
  const metrics = parts.metrics?.watch({ catalog, known, health, scraped, keys, hash: hashOf(config) })
  const charging = accounting?.charge({
    catalog,
    known,
    keys,
    onStoreError: config.state?.onStoreError,
    ...services,
  })
  const prices = lateValue(async () =>
    (await import('./prices/pricing.ts')).createPricing({ catalog, known, ...services }),
  )
  const telling = joined([services.observer, metrics?.observer])
  const told = telling && (parts.gathering?.later(telling, (thrown) => logThrown(log, thrown)) ?? telling)
  // Budgets can't wait.
  const observer = joined([charging?.observer, told])
  const reports = createReports({ ...services, pricing: charging ? atHand(charging.prices) : prices, observer })
  const edge = parts.edge({ clock, writeTimeout: (config.writeTimeout ?? writeTimeout) * 1000 })
  const guard = createGuard(access, adminKey, charging?.accounts)
  const stored = parts.stored?.open({ ...services, gateway, guard, reports })
  const limit = config.bodyLimit ?? bodyLimit
  const nextId = requestIds(random, () => clock.now())
  const realtime: Sockets = late(async () => {
    const { createRealtime } = await import('./http/realtime.ts')
    return createRealtime({ gateway, guard, services, nextId, reports })
  })
  const responses: Sockets = late(async () => {
    const { createResponsesSocket } = await import('./http/responses-socket.ts')
    return createResponsesSocket(guard, {
      ...{ gateway: stored?.gateway ?? gateway, services, nextId, bodyLimit: limit, reports },
      keeps: stored !== undefined,
    })
  })
  const sockets: Sockets = (upgrade) => (isForResponses(upgrade.url) ? responses(upgrade) : realtime(upgrade))
  const app = createApp({
    sockets,
    gateway: stored?.gateway ?? gateway,
    stored,
    edge,
    access,
    guard,
    admin: {
      adminKey,
      scope: {
        ...{ gateway, config, source, loaded: clock.now(), env, scrape: metrics?.scrape },
        ...{ control: parts.control, state: parts.state },
      },
    },
    transport: services.transport,
    clock,
    random,
    log,
    reports,
    bodyLimit: limit,
    phase: parts.phase ?? (() => 'serving'),
  })
  return {
    ...{ app, sockets, gateway, access, log: services.log, logFormat: settings.format, notes },
    ...{ ready, close, metrics, keeps },
  }
}
