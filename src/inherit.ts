import type { Provider } from './core/provider.ts'
import type { Gateway } from './gateway.ts'
import { equal } from './wire/json.ts'

/** Has a gateway begin with the lists of models that the one before it has. To be called before it refreshes them. */
export function inheritLists(gateway: Gateway, before: Gateway): void {
  for (const name of unchanged(gateway, before)) gateway.knowledge.adopt(before.knowledge, name)
}

/**
 * Has a gateway go on with what the one before it has learned: cooldowns and measurements, what is left out for whom. To
 * be called when it takes that one's place. The health of a deployment is shared, not copied, since requests that the
 * one before still answers count for it too.
 */
export function inherit(gateway: Gateway, before: Gateway): void {
  const same = unchanged(gateway, before)
  const isKnown = (label: string) => same.has(label.slice(0, label.indexOf('/')))
  const { learned, catalog } = gateway
  learned.budget.adopt(before.learned.budget)
  learned.shortcomings.adopt(before.learned.shortcomings, isKnown)
  for (const [key, way] of before.learned.remedies) {
    if (isKnown(key.slice(key.indexOf(' ') + 1))) learned.remedies.set(key, way)
  }
  // A breaker has its times for life.
  if (!equal(catalog.resilience.cooldown, before.catalog.resilience.cooldown)) return
  for (const label of before.learned.health.labels()) {
    const health = isKnown(label) ? before.learned.health.find(label) : undefined
    if (health) learned.health.adopt(label, health)
  }
}

/** The providers that are configured as they were: what is at another address is another server. */
function unchanged({ catalog }: Gateway, before: Gateway): ReadonlySet<string> {
  const same = [...catalog.providers.values()].filter((provider) => isSame(provider, before))
  return new Set(same.map(({ name }) => name))
}

function isSame(provider: Provider, { catalog }: Gateway): boolean {
  const other = catalog.providers.get(provider.name)
  return (
    other?.definition === provider.definition &&
    other.callersKey === provider.callersKey &&
    other.routes === provider.routes &&
    equal(other.settings, provider.settings)
  )
}
