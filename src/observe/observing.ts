import type { Catalog } from '../core/catalog.ts'
import type { Log } from '../core/log.ts'
import type { Observer } from '../core/report.ts'
import { secretsOf } from '../core/secrets.ts'
import type { Services } from '../core/services.ts'
import { contentOf } from './content.ts'
import type { Format, LogSettings } from './log-settings.ts'
import { createLogger, type Output } from './logger.ts'

/** Where a gateway's log goes. */
export interface LogOutput {
  readonly write: Output
  /** Unless the configuration or the environment says otherwise. */
  readonly format: Format
}

export interface ObservingOptions {
  readonly services: Services
  /** Absent: the log of the services is all there is, and there are no lines for requests. */
  readonly output: LogOutput | undefined
  readonly settings: LogSettings
  readonly catalog: Catalog
  /** Those of the gateway's keys. */
  readonly secrets: readonly string[]
}

/** Whoever is told of what the gateway does. */
export interface Observing {
  readonly log: Log
  readonly observer: Observer | undefined
}

export function createObserving({ services, output, settings, catalog, secrets }: ObservingOptions): Observing {
  const { clock, random, log, observer } = services
  if (!output) return { log, observer }
  const all = [...secrets, ...[...catalog.providers.values()].flatMap(({ settings }) => secretsOf(settings))]
  const logger = createLogger(settings, { output: output.write, clock, random, contentOf: contentOf(all) })
  return { log: logger.log, observer: joined([observer, logger.observer]) }
}

/** One observer for several; undefined if there is none. */
export function joined(all: readonly (Observer | undefined)[]): Observer | undefined {
  const [first, ...others] = all.filter((one) => one !== undefined)
  if (!first || others.length === 0) return first
  const each = [first, ...others]
  return {
    content: each.some(({ content }) => content === true),
    began() {
      for (const one of each) one.began?.()
    },
    over(report) {
      for (const one of each) one.over(report)
    },
  }
}
