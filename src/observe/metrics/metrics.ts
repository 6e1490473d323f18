import type { Clock } from '../../core/clock.ts'
import type { HealthBook } from '../../core/health.ts'
import type { Observer } from '../../core/report.ts'
import { RequestCounter } from './counting.ts'
import { genAiSet } from './gen-ai.ts'
import { KnownNames, type Names } from './known-names.ts'
import { liteLlmSet } from './litellm.ts'
import type { Metric, Tally } from './metric.ts'
import { ownMetrics } from './names.ts'
import { ownSet } from './own.ts'
import { Registry } from './registry.ts'
import type { MetricsSettings } from './settings.ts'
import { type Worded, wordedFor } from './text.ts'

export interface MetricsOptions {
  readonly settings: MetricsSettings
  readonly clock: Pick<Clock, 'now'>
}

/** A gateway whose requests are counted. */
export interface Watched extends Names {
  readonly health: Pick<HealthBook, 'labels' | 'find'>
  /** A short hash of its configuration. */
  readonly hash: Promise<string>
}

export interface Watch {
  readonly observer: Observer
  /** The counts of all processes, for Prometheus. `accept`: the request's header. */
  scrape(accept: string | undefined): Promise<Worded>
}

/** The counts of a process, for as long as it runs, whichever gateways it has one after the other. */
export interface Metrics {
  /** All metrics that there are, whether anything was counted or not. */
  readonly metrics: readonly Metric[]
  /** Counts the requests of a gateway. */
  watch(watched: Watched): Watch
  /** What this process has counted so far. */
  tally(): Tally
  /** What all processes have counted. The process that has no others leaves it as it is. */
  gather: () => Promise<Tally>
}

export function createMetrics({ settings, clock }: MetricsOptions): Metrics {
  const registry = new Registry(clock.now())
  const byKey = settings.names === 'litellm'
  const own = ownSet(registry)
  const set = byKey ? liteLlmSet(registry) : genAiSet(registry, settings.latest ? 'latest' : 'usual')
  const all = [...own.metrics, ...set.metrics]
  const inFlight = registry.place(ownMetrics.inFlight, [])
  registry.add(registry.place(ownMetrics.processes, []))
  const folded = registry.place(ownMetrics.folded, [])
  /** What is looked at for the state of deployments: the gateway that has requests. */
  let current: { readonly watched: Watched; readonly names: KnownNames; hash: string } | undefined

  function look(): void {
    if (!current) return
    const { watched, names, hash } = current
    const now = clock.now()
    const states = [...watched.health.labels()].flatMap((label) => {
      const breaker = watched.health.find(label)?.breaker
      return breaker ? [{ label: names.deployment(label), wait: breaker.wait(now), state: breaker.state(now) }] : []
    })
    registry.set(
      ownMetrics.cooldown,
      states.map(({ label, wait }) => [[label], wait > 0 ? 1 : 0]),
    )
    registry.set(
      ownMetrics.breakers,
      states.map(({ label, state }) => [[label, state], 1]),
    )
    registry.set(ownMetrics.config, hash === '' ? [] : [[[hash], 1]])
  }

  const metrics: Metrics = {
    metrics: all,
    watch(watched) {
      const names = new KnownNames(registry, watched)
      const mine = { watched, names, hash: '' }
      void watched.hash.then((hash) => {
        mine.hash = hash
      })
      current ??= mine
      const observer = new RequestCounter({
        sets: [own, set],
        names,
        byKey,
        began() {
          current = mine
          registry.add(inFlight)
        },
        over: () => registry.add(inFlight, -1),
      })
      return {
        observer,
        async scrape(accept) {
          current = mine
          await watched.hash
          return wordedFor(accept, all, await metrics.gather())
        },
      }
    },
    tally() {
      look()
      registry.values[folded] = registry.folded
      return registry.tally()
    },
    gather: async () => metrics.tally(),
  }
  return metrics
}
