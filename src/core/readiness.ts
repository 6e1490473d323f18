import type { Catalog, Deployment } from './catalog.ts'
import type { HealthBook } from './health.ts'

export interface Count {
  deployments: number
  in_cooldown: number
}

/** What the process is about. While it is not `serving`, whoever distributes requests should send it none. */
export type Phase = 'starting' | 'serving' | 'stopping'

export interface Readiness {
  /** Whether a deployment of any model may be asked now. */
  readonly ready: boolean
  readonly total: Count
  readonly providers: Readonly<Record<string, Count>>
}

/**
 * Whether the gateway can serve anything, by what its traffic has taught: nobody is asked. Without configured models
 * each provider counts as one deployment, and so does each name with a `*`: it is in cooldown if all that was asked of
 * it is.
 */
export function readinessOf({ models, patterns, providers }: Catalog, health: HealthBook): Readiness {
  const groups = [...models.values(), ...patterns.values]
  const places = new Map(groups.flatMap((group) => group.deployments).map(placeOf))
  if (groups.length === 0)
    for (const { name, unavailable } of providers.values()) if (!unavailable) places.set(`${name}/*`, name)
  const total: Count = { deployments: 0, in_cooldown: 0 }
  const counts = new Map<string, Count>()
  for (const [label, name] of places) {
    if (providers.get(name)?.unavailable) continue
    const own = counts.get(name) ?? { deployments: 0, in_cooldown: 0 }
    counts.set(name, own)
    const cools = isInCooldown(label, health)
    for (const count of [total, own]) {
      count.deployments++
      if (cools) count.in_cooldown++
    }
  }
  return { ready: total.in_cooldown < total.deployments, total, providers: Object.fromEntries(counts) }
}

const placeOf = ({ label, provider }: Deployment) => [label, provider.name] as const

function isInCooldown(label: string, health: HealthBook): boolean {
  const star = label.indexOf('*')
  if (star < 0) return health.wait(label) > 0
  const asked = [...health.labels()].filter((one) => one.startsWith(label.slice(0, star)))
  return asked.length > 0 && asked.every((one) => health.wait(one) > 0)
}
