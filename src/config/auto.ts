import type { KnownModel } from '../core/provider.ts'
import { isObject } from '../wire/json.ts'
import type { Environment, Registry } from './providers.ts'
import type { Config } from './schema.ts'

/** Which local servers were found, by the type of their provider, and the models that they list. */
export type Found = ReadonlyMap<string, readonly KnownModel[]>

/**
 * A configuration for a user who wrote none: the providers that the environment brings or that were found listening,
 * under the names that they answer to (`found` is undefined where nobody could look). The embedded model stands in only where there is nothing else: nobody's
 * request goes to a paid model, or to a toy, without being asked.
 */
export function autoConfig(config: Config, registry: Registry, env: Environment, found?: Found): Config {
  // Whatever else stands there is a mistake, and is to be told.
  if (config.providers !== undefined) return config
  const present = Object.values(registry).filter(
    ({ type, env: brings, serve }) =>
      serve || found?.has(type) || isSet(env, brings?.apiKey) || isSet(env, brings?.baseURL),
  )
  const embedded = present.filter(({ serve }) => serve)
  const remote = present.filter(({ serve }) => !serve)
  const providers = Object.fromEntries(present.map(({ type, name = type }) => [name, { type }]))
  const models = Object.fromEntries(
    remote.flatMap(({ type, name = type, answers = [] }) =>
      answers.map((answer) => [answer, `${name}/${same(answer)}`]),
    ),
  )
  const local = remote.flatMap(({ type, name = type }) => (found?.get(type) ?? []).map(({ id }) => `${name}/${id}`))
  const demo = embedded.flatMap(({ type, name = type, answers = [] }) => answers.map((answer) => `${name}/${answer}`))
  const answering = remote.filter(({ type, probe }) => !probe || !found || found.has(type))
  const stand = local[0] ?? (answering.length === 0 ? demo[0] : undefined)
  const fallback = config.fallback === undefined ? stand : config.fallback
  const all = config.models === undefined || isObject(config.models) ? { ...models, ...config.models } : config.models
  return { ...config, providers, models: all, ...(fallback !== undefined && { fallback }) }
}

/** The target that fills up to the very name that `pattern` matched: its star stands for what the pattern's stars do. */
function same(pattern: string): string {
  return pattern.startsWith('*') && pattern.endsWith('*') ? '*' : pattern
}

function isSet(env: Environment, name: string | undefined): boolean {
  return name !== undefined && Boolean(env[name])
}
