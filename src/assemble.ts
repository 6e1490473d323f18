import type { Access } from './access.ts'
import { createApp } from './app.ts'
import { autoConfig, type Found } from './config/auto.ts'
import { buildCatalog } from './config/catalog.ts'
import { givenConfig } from './config/given.ts'
import { ConfigError } from './config/problems.ts'
import { type Environment, fromEnvironment, type Registry } from './config/providers.ts'
import type { Config } from './config/schema.ts'
import type { Services } from './core/services.ts'
import { createGateway } from './gateway.ts'
import type { Edge, EdgeOptions } from './runtime/edge.ts'

export interface Parts<Bindings extends object> {
  readonly config: Config
  /** What the configuration's mistakes are reported of: a file's name. */
  readonly source?: string
  readonly registry: Registry
  readonly env: Environment
  readonly services: Services
  readonly edge: (options: EdgeOptions) => Edge<Bindings>
  readonly found?: Found
  /** Who may come in when there is no key. */
  readonly withoutKeys: Access
}

/** Bytes: OpenAI takes images of up to 20 MB. */
const bodyLimit = 20 * 1024 * 1024

/** Seconds. */
const writeTimeout = 60

/** Puts a gateway together from its parts, the same on every runtime. Throws a `ConfigError`. */
export function assemble<Bindings extends object>(parts: Parts<Bindings>) {
  const { registry, env, services, source } = parts
  const config = autoConfig(givenConfig(parts.config, source), registry, env, parts.found)
  const problems: string[] = []
  const catalog = collecting(problems, () => buildCatalog(config, registry, env))
  const keys = collecting(problems, () => readKeys(config, env))
  if (!catalog || !keys) throw new ConfigError(problems, source)
  const gateway = createGateway(catalog, services, { keepAlive: config.keepAlive })
  const access: Access = keys.length > 0 ? { mode: 'keys', keys } : parts.withoutKeys
  const { clock, random, log } = services
  const edge = parts.edge({ clock, writeTimeout: (config.writeTimeout ?? writeTimeout) * 1000 })
  const app = createApp({ gateway, edge, access, clock, random, log, bodyLimit: config.bodyLimit ?? bodyLimit })
  return { app, gateway, access }
}

/** What `read` gives; the mistakes that it finds go to `problems`, so that a user sees them beside the others. */
function collecting<T>(problems: string[], read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    problems.push(...error.problems)
    return undefined
  }
}

/** The keys that open the gateway. A key that is named but not set is a mistake: it would leave the door open. */
function readKeys(config: Config, env: Environment): string[] {
  const problems: string[] = []
  // A list that is none has been told already.
  const names = Array.isArray(config.keys) ? config.keys.filter((name) => typeof name === 'string') : []
  const named = names.flatMap((name, index) => {
    const key = name.startsWith('env:') ? fromEnvironment(name, env) : undefined
    if (!name.startsWith('env:')) problems.push(`keys[${index}]: a secret is named, never written; allowed: "env:NAME"`)
    else if (key === undefined) problems.push(`keys[${index}]: ${name.slice(4)} is not set`)
    return key === undefined ? [] : [key]
  })
  if (problems.length > 0) throw new ConfigError(problems)
  const usual = env.SAMEWIRE_KEY
  return usual && !named.includes(usual) ? [...named, usual] : named
}
