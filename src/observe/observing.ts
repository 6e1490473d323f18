import type { Environment } from '../config/secrets.ts'
import type { Catalog } from '../core/catalog.ts'
import { lateValue } from '../core/late.ts'
import type { Log } from '../core/log.ts'
import type { Observer } from '../core/report.ts'
import { secretsOf } from '../core/secrets.ts'
import type { Services } from '../core/services.ts'
import { hideKeys } from './keys.ts'
import type { Format, LogSettings } from './log-settings.ts'
import { createLogger, type Output } from './logger.ts'
import { lateTelemetry } from './telemetry.ts'

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
  /** The keys that clients and operators send to the gateway. */
  readonly secrets: readonly string[]
  readonly env: Environment
  /** Whether work goes on between requests. Default true. */
  readonly background?: boolean | undefined
}

/** Whoever is told of what the gateway does. */
export interface Observing {
  readonly log: Log
  readonly observer: Observer | undefined
  /**
   * Resolves with notes for the log once all of it is loaded: requests before that are not observed. Undefined if nothing
   * had to be.
   */
  readonly ready: Promise<readonly string[]> | undefined
  /** Sends what waits to be sent somewhere, for when the gateway stops; takes `ms` at most. */
  close(ms: number): Promise<void>
}

export function createObserving(options: ObservingOptions): Observing {
  hideKeys(options.secrets)
  const { log, observer, loading } = createLogging(options)
  const telemetry = lateTelemetry({ ...options, services: { ...options.services, log } })
  return {
    log,
    observer: joined([telemetry?.observer, observer]),
    ready: loading ? loading.then(() => telemetry?.ready ?? []) : telemetry?.ready,
    close: async (ms) => await telemetry?.close(ms),
  }
}

interface Logging extends Pick<Observing, 'log' | 'observer'> {
  /** Resolves once lines can be written as they are wanted. Absent: they can. */
  readonly loading?: Promise<unknown>
}

function createLogging({ services, output, settings, catalog, secrets }: ObservingOptions): Logging {
  const { clock, random, log, observer } = services
  if (!output) return { log, observer }
  const all = [...secrets, ...[...catalog.providers.values()].flatMap(({ settings }) => secretsOf(settings))]
  const text = lateValue(async () => (await import('./request-text.ts')).textLine)
  const content = lateValue(async () => (await import('./content.ts')).contentOf(all))
  const logger = createLogger(settings, {
    ...{ output: output.write, clock, random },
    textOf: (report) => text.value?.(report),
    contentOf: (report) => content.value?.(report) ?? '',
  })
  const wanted = [...(settings.format === 'text' ? [text] : []), ...(settings.content ? [content] : [])]
  const loading = wanted.length > 0 && Promise.all(wanted.map((one) => one.load()))
  return { log: logger.log, observer: joined([observer, logger.observer]), ...(loading && { loading }) }
}

/** One observer for several; undefined if there is none. */
export function joined(all: readonly (Observer | undefined)[]): Observer | undefined {
  const [first, ...others] = all.filter((one) => one !== undefined)
  if (!first || others.length === 0) return first
  const each = [first, ...others]
  return {
    content: each.some(({ content }) => content === true),
    follows: each.some(({ follows }) => follows === true),
    began(arrival) {
      for (const one of each) one.began?.(arrival)
    },
    over(report) {
      for (const one of each) one.over(report)
    },
    ...(each.some(({ settle }) => settle) && {
      settle: async () => void (await Promise.all(each.map((one) => one.settle?.()))),
    }),
  }
}
