import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { registry } from '../../providers/index.ts'
import { buildCatalog } from '../../src/config/catalog.ts'
import type { Config } from '../../src/config/schema.ts'
import type { Plan } from '../../src/core/plan.ts'
import { resolve } from '../../src/core/resolve.ts'
import {
  type ImportFormat,
  type ImportResult,
  type ImportSource,
  importConfiguration,
  importSources,
} from '../../src/import/command.ts'

const folder = fileURLToPath(new URL('sources/', import.meta.url))

/** The configurations of other gateways that are in `sources/`, as `litellm/team.yaml`. */
export const files: readonly string[] = importSources.flatMap((source) =>
  readdirSync(join(folder, source)).map((name) => `${source}/${name}`),
)

export const textOf = (file: string): string => readFileSync(join(folder, file), 'utf8')
export const sourceOf = (file: string): ImportSource => file.slice(0, file.indexOf('/')) as ImportSource

export function imported(file: string, format: ImportFormat = 'yaml', name?: string): ImportResult {
  return importConfiguration({ source: sourceOf(file), text: textOf(file), format, name })
}

/** What becomes of a few lines of LiteLLM's. */
export function ofLitellm(text: string): ImportResult {
  return importConfiguration({ source: 'litellm', text, format: 'yaml' })
}

/** What becomes of a configuration of Portkey's. */
export function ofPortkey(value: unknown, name?: string): ImportResult {
  return importConfiguration({ source: 'portkey', text: JSON.stringify(value), format: 'yaml', name })
}

/** Keys for all providers, so that none is left out for the want of one. */
const keys = new Proxy<Record<string, string>>({}, { get: () => 'https://set.example' })

/** The plan for a short chat request, by the first of all chances; `by` is another chance, from 0 to 1. */
export function planFor(config: Config, model: string, by = 0): Plan {
  const query = { model, operation: 'chat', path: '/chat/completions', needs: new Set<never>(), tokens: 10 }
  const catalog = buildCatalog(config, registry, keys)
  return resolve(query, catalog, { known: new Map(), random: () => by, now: 0 })
}

/** `provider type/model`, one for each target, however the providers are called. */
export function routeOf(config: Config, model: string, by = 0): string[] {
  return planFor(config, model, by).targets.map(
    ({ deployment: { provider, model: own } }) => `${provider.definition.type} ${own}`,
  )
}
