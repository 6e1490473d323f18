import type { KnownModel } from '../core/provider.ts'
import { isObject } from '../wire/json.ts'
import type { Environment, Registry } from './providers.ts'
import type { Config } from './schema.ts'

/** The local servers that were found, by provider type, with the models that they list. */
export type Found = ReadonlyMap<string, readonly KnownModel[]>

/**
 * The configuration for users who wrote none: providers that the environment configures or that were found listening,
 * and the model names they answer to. `found` is undefined where no search was possible. The embedded model is the
 * fallback only if there is no other provider: no request goes to a paid or a toy model unasked.
 */
export function autoConfig(config: Config, registry: Registry, env: Environment, found?: Found): Config {
  // If this is not an object it is a mistake, which is reported later.
  if (config.providers !== undefined) return config
  const present = Object.values(registry).filter(
    ({ type, env: brings, serve, baseURL }) =>
      serve ||
      found?.has(type) ||
      isSet(env, brings?.baseURL) ||
      // A key alone doesn't say where a server of one's own is.
      (baseURL !== undefined && isSet(env, brings?.apiKey)),
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

/** The target for the same name as `pattern` matched: `*` is replaced by what the pattern's `*` matched. */
function same(pattern: string): string {
  return pattern.startsWith('*') && pattern.endsWith('*') ? '*' : pattern
}

function isSet(env: Environment, name: string | undefined): boolean {
  return name !== undefined && Boolean(env[name])
}
