import type { Deployment, RoutingStrategy } from './catalog.ts'
import type { Preference } from './draw.ts'
import type { Health } from './health.ts'
import type { Price } from './provider.ts'
import { rendezvous } from './rendezvous.ts'

/** What the strategies decide by. */
export interface Sight {
  readonly now: number
  /** Undefined: nothing was asked of it yet. */
  readonly health: (label: string) => Health | undefined
  readonly price: (deployment: Deployment) => Price | undefined
}

/** How the next deployment of a model is chosen. `session`: requests with the same one go to the same deployment. */
export function preferenceOf(strategy: RoutingStrategy, sight: Sight, session?: string): Preference | undefined {
  const own = strategies[strategy]?.(sight)
  if (session === undefined) return own
  // A session isn't worth a higher price. All other differences pass sooner than its cached prompts.
  return { score: strategy === 'cost-based' ? own?.score : undefined, rank: rendezvous(session) }
}

const strategies: Readonly<Record<RoutingStrategy, ((sight: Sight) => Preference) | undefined>> = {
  'simple-shuffle': undefined,

  'least-busy': ({ health }) => ({
    score: ({ label, weight }) => (health(label)?.inFlight ?? 0) / weight,
  }),

  'latency-based': ({ health, now }) => ({
    cost({ label }) {
      const known = health(label)
      if (!known) return 0
      const latency = known.latency.at(now)
      // One that has yet to answer for the first time gets one request, and not all of them.
      return latency === 0 && known.inFlight > 0 ? unknownLatency : latency * (known.inFlight + 1)
    },
  }),

  'cost-based': ({ price }) => ({
    score(deployment) {
      const told = price(deployment)
      return told ? told.input + told.output : Number.POSITIVE_INFINITY
    },
  }),

  'usage-based': ({ health, now }) => ({
    score: ({ label, rate }) => (rate ? (health(label)?.use.share(rate, now) ?? 0) : 0),
  }),
}

/** Milliseconds: more than any latency that is worth waiting for. */
const unknownLatency = 1e9
