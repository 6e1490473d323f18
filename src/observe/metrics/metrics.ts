import type { Clock } from '../../core/clock.ts'
import type { HealthBook } from '../../core/health.ts'
import type { Observer } from '../../core/report.ts'
import type { ClientKey } from '../../http/access.ts'
import { RequestCounter } from './counting.ts'
import { genAiSet } from './gen-ai.ts'
import { type KeptFigures, KeptLook } from './kept.ts'
import { KnownNames, type Names } from './known-names.ts'
import { liteLlmSet } from './litellm.ts'
import type { Tally } from './metric.ts'
import { ownSet } from './own.ts'
import { ownMetrics } from './own-names.ts'
import { Registry } from './registry.ts'
import { type ReloadResults, reloadResults } from './reloads.ts'
import type { NameSet } from './settings.ts'
import { type Worded, wordedFor } from './text.ts'

export interface MetricsOptions {
  readonly clock: Pick<Clock, 'now' | 'after'>
  /** Whether the names of the conventions are their newer ones. */
  readonly latest: boolean
  /** Whether a collector is told of all gateways by the names of the conventions, whatever a scrape tells. */
  readonly exported?: boolean | undefined
  /** How often the configuration was read again here. Absent: another process does that. */
  readonly reloads?: (() => ReloadResults) | undefined
  /** What the process keeps. Absent, or undefined: nothing. */
  readonly kept?: (() => KeptFigures | undefined) | undefined
  /** Has those counted that are over. Absent: they already are. */
  readonly settle?: (() => void) | undefined
}

/** A gateway whose requests are counted. */
export interface Watched extends Names {
  /** The names that a scrape is told. Undefined: it is told nothing. */
  readonly scraped: NameSet | undefined
  readonly health: Pick<HealthBook, 'labels' | 'find'>
  /** A short hash of its configuration. */
  readonly hash: Promise<string>
  /** Those of its configuration. */
  readonly keys: readonly ClientKey[]
}

export interface Watch {
  readonly observer: Observer
  /** The gateway has the place of the one before: it is its deployments of which the metrics tell. */
  serves(): void
  /** The counts of all processes, for Prometheus. `accept`: the request's header. Absent: they are not for scrapes. */
  readonly scrape?: (accept: string | undefined) => Promise<Worded>
}

/** The counts of a process, for as long as it runs, whichever gateways it has one after the other. */
export interface Metrics {
  /** Counts the requests of a gateway. Undefined: nobody is to be told of them. */
  watch(watched: Watched): Watch | undefined
  /** What this process has counted so far, with budgets as they were when somebody last wanted them. */
  tally(): Tally
  /** The same with budgets as they are now. Never rejects. */
  fresh(): Promise<Tally>
  /** What all processes have counted. The process that has no others leaves it as it is. */
  gather: () => Promise<Tally>
}

export function createMetrics({
  clock,
  latest,
  exported = false,
  reloads,
  kept = none,
  settle,
}: MetricsOptions): Metrics {
  const registry = new Registry(clock.now())
  const look = new KeptLook(clock, kept)
  const own = ownSet(registry)
  const genAi = genAiSet(registry, latest ? 'latest' : 'usual')
  const sets = { gen_ai: genAi, litellm: liteLlmSet(registry) } as const
  const inFlight = registry.place(ownMetrics.inFlight, [])
  registry.add(registry.place(ownMetrics.processes, []))
  const folded = registry.place(ownMetrics.folded, [])
  /** What is looked at for the state of deployments: the gateway that has requests. */
  let current: { readonly watched: Watched; readonly names: KnownNames; hash: string } | undefined

  function lookAtDeployments(): void {
    registry.set(ownMetrics.reloads, reloadResults(reloads?.()))
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
    watch(watched) {
      const { scraped } = watched
      const names = new KnownNames(registry, watched)
      const mine = { watched, names, hash: '' }
      const told = scraped && sets[scraped]
      const counted = new Set([...(told ? [told] : []), ...(exported ? [genAi] : [])])
      if (counted.size === 0) return undefined
      void watched.hash.then((hash) => {
        mine.hash = hash
      })
      current ??= mine
      const observer = new RequestCounter({
        sets: [own, ...counted],
        names,
        byKey: scraped === 'litellm',
        began: () => registry.add(inFlight),
        over: () => registry.add(inFlight, -1),
      })
      return {
        observer,
        serves() {
          current = mine
        },
        ...(told && {
          async scrape(accept) {
            await watched.hash
            const pause = () => new Promise<void>((resume) => void clock.after(0, resume))
            return await wordedFor(accept, [...own.metrics, ...told.metrics], await metrics.gather(), pause)
          },
        }),
      }
    },
    tally() {
      settle?.()
      lookAtDeployments()
      registry.values[folded] = registry.folded
      return look.added(registry.tally())
    },
    async fresh() {
      await look.look(current?.watched.keys ?? [])
      return metrics.tally()
    },
    gather: () => metrics.fresh(),
  }
  return metrics
}

const none = () => undefined
