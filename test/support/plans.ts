import { registry } from '../../providers/index.ts'
import { buildCatalog } from '../../src/config/catalog.ts'
import type { Config } from '../../src/config/schema.ts'
import type { Catalog } from '../../src/core/catalog.ts'
import type { Circumstances, Plan, Query } from '../../src/core/plan.ts'
import { resolve } from '../../src/core/resolve.ts'

/** Providers for plans. Nobody asks them. */
const providers: Config['providers'] = {
  one: { type: 'openai-compatible', baseURL: 'http://one.test' },
  two: { type: 'openai-compatible', baseURL: 'http://two.test' },
  keyless: { type: 'openai', apiKey: 'env:NOT_SET_ANYWHERE' },
  loaded: { type: 'llamacpp', baseURL: 'http://three.test' },
}

export const catalogOf = (config: Config): Catalog => buildCatalog({ providers, ...config }, registry, {})

/** The plan for a short chat request to `m`, at the time 0, by the first of all chances, with no list known. */
export function planOf(config: Config, query: Partial<Query> = {}, circumstances: Partial<Circumstances> = {}): Plan {
  const asked: Query = {
    model: 'm',
    operation: 'chat',
    path: '/chat/completions',
    needs: new Set(),
    tokens: 10,
    ...query,
  }
  return resolve(asked, catalogOf(config), { known: new Map(), random: () => 0, now: 0, ...circumstances })
}

/** `provider/model`, one for each target. */
export const labelsOf = ({ targets }: Plan): string[] => targets.map(({ deployment }) => deployment.label)

/** `provider/model why`, one for each target. */
export const targetsOf = ({ targets }: Plan): string[] =>
  targets.map(({ deployment, why }) => `${deployment.label} ${why}`)
