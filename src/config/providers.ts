import type { Provider, ProviderDefinition } from '../core/provider.ts'
import { compatibleOperations, withDerived } from '../operations/index.ts'
import { readHeaders } from './headers.ts'
import { isTold, pathText, show, suggestion, unknownKey } from './problems.ts'
import type { ProviderConfig } from './schema.ts'
import { checkCarried, type Environment, type Findings, fromEnvironment, readVariable } from './secrets.ts'

export type { Environment }
export type Registry = Readonly<Record<string, ProviderDefinition>>

const commonKeys = ['type', 'apiKey', 'baseURL', 'headers', 'routes', 'trace']

/** Builds one configured provider; adds the mistakes in its configuration to `out`. */
export function buildProvider(
  name: string,
  config: ProviderConfig,
  registry: Registry,
  env: Environment,
  out: Findings,
): Provider | undefined {
  const path = ['providers', name]
  const { problems } = out
  // The missing type was reported already.
  if (config.type === undefined) return undefined
  const definition = Object.hasOwn(registry, config.type) ? registry[config.type] : undefined
  if (!definition) {
    const types = Object.keys(registry)
    problems.push(
      `${pathText([...path, 'type'])}: found ${show(config.type)}, which is no provider${suggestion(config.type, types)}; allowed: ${types.join(', ')}`,
    )
    return undefined
  }
  const options = readOptions(path, config, definition, env, out)
  const missing: string[] = []
  const callersKey = config.apiKey === 'client'
  const apiKey = readKey([...path, 'apiKey'], config, definition, env, { ...out, missing })
  const baseURL = readBaseURL(config, definition, options, env)
  if (baseURL === '' && !definition.serve) {
    const named = config.baseURL ?? options.endpointUrl
    if (named !== undefined) missing.push(`${named.replace(/^env:/, '')} is not set`)
    else if (!isTold([...path, 'baseURL'], problems)) problems.push(`${pathText(path)}: the key "baseURL" is missing`)
  } else if (baseURL !== '') checkURL([...path, 'baseURL'], baseURL, problems)
  const headers = readHeaders([...path, 'headers'], config.headers ?? {}, env, out)
  const settings = { baseURL: baseURL.replace(/\/+$/, ''), apiKey, headers, options }
  const operations = withDerived(definition.operations?.(settings) ?? compatibleOperations)
  const routes = config.routes ?? definition.routes?.(settings) ?? false
  const provider = { name, definition, settings, operations, callersKey, routes, trace: config.trace ?? false }
  return missing.length > 0 ? { ...provider, unavailable: missing.join('; ') } : provider
}

function readKey(
  path: readonly string[],
  config: ProviderConfig,
  definition: ProviderDefinition,
  env: Environment,
  out: Findings & { readonly missing: string[] },
): string | undefined {
  const source = config.apiKey ?? (definition.env?.apiKey ? `env:${definition.env.apiKey}` : undefined)
  if (source === undefined || source === 'client') return undefined
  if (!source.startsWith('env:')) {
    // Don't show the value: it may be a real key that should not have been written there.
    out.problems.push(`${pathText(path)}: a secret is named, never written; allowed: "env:NAME", "client"`)
    return undefined
  }
  const name = source.slice(4)
  const needed = config.apiKey !== undefined || !definition.keyless
  if (!env[name] && needed) out.missing.push(`${name} is not set`)
  return readVariable(path, name, env, out)
}

function readBaseURL(
  config: ProviderConfig,
  definition: ProviderDefinition,
  options: Readonly<Record<string, string>>,
  env: Environment,
): string {
  const endpoint = options.endpointUrl
  const own = endpoint ?? (config.baseURL === undefined ? undefined : fromEnvironment(config.baseURL, env))
  const usual = definition.env?.baseURL ? env[definition.env.baseURL] : undefined
  return (own ?? (usual || definition.baseURL) ?? '').trim()
}

function readOptions(
  path: readonly string[],
  config: ProviderConfig,
  definition: ProviderDefinition,
  env: Environment,
  out: Findings,
): Record<string, string> {
  const { problems } = out
  const options: Record<string, string> = {}
  const own = definition.settings ?? {}
  for (const [key, value] of Object.entries(config)) {
    if (commonKeys.includes(key)) continue
    const kind = Object.hasOwn(own, key) ? own[key] : undefined
    if (kind === undefined) {
      problems.push(unknownKey(path, key, [...commonKeys, ...Object.keys(own)]))
    } else if (typeof value !== 'string') {
      problems.push(
        `${pathText([...path, key])}: found ${show(value)}; allowed: ${kind === 'text' ? 'text' : kind.join(', ')}`,
      )
    } else if (kind !== 'text' && !kind.includes(value)) {
      problems.push(
        `${pathText([...path, key])}: found ${show(value)}${suggestion(value, kind)}; allowed: ${kind.join(', ')}`,
      )
    } else {
      const named = value.startsWith('env:')
      // Most of these become headers. An address is checked as one, and may have a host in any script.
      if (!named && key !== 'endpointUrl') checkCarried([...path, key], value, problems)
      const found = named ? readVariable([...path, key], value.slice(4), env, out) : value
      if (found !== undefined) options[key] = found
    }
  }
  return options
}

function checkURL(path: readonly string[], url: string, problems: string[]): void {
  const whole = /^[a-z]+:\/\//i.test(url) ? url : `http://${url}`
  const parsed = URL.canParse(whole) ? new URL(whole) : undefined
  if (parsed && /^https?:$/.test(parsed.protocol) && !parsed.username && !parsed.search && !parsed.hash) return
  // Keep passwords and keys out of the log.
  const shown = show(url.replace(/\/\/[^/]*@/, '//***@').replace(/[?#].*$/s, '?***'))
  problems.push(`${pathText(path)}: found ${shown}; allowed: an http or https address without user, query or fragment`)
}
