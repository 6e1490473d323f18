import type { Environment } from '../config/secrets.ts'
import type { Catalog } from '../core/catalog.ts'
import type { Observer } from '../core/report.ts'
import type { Services } from '../core/services.ts'
import { asGatewayError, describeCause } from '../wire/errors.ts'
import { isExporting } from './exporting.ts'

export interface TelemetryParts {
  readonly services: Pick<Services, 'clock' | 'random' | 'transport' | 'log'>
  readonly catalog: Catalog
  readonly env: Environment
  readonly background?: boolean | undefined
}

/** What is exported, once its code is loaded. */
export interface LateTelemetry {
  readonly observer: Observer
  /** Resolves with notes for the log. Never rejects. */
  readonly ready: Promise<readonly string[]>
  close(ms: number): Promise<void>
}

/** Undefined, and nothing loaded, where the environment names no collector and no provider is told of traces. */
export function lateTelemetry(parts: TelemetryParts): LateTelemetry | undefined {
  const { env, catalog, services, background = true } = parts
  const passesOn = [...catalog.providers.values()].some(({ trace }) => trace)
  if (!passesOn && !isExporting('TRACES', env)) return undefined
  const loading = Promise.all([import('./otlp/telemetry.ts'), import('./otlp/settings.ts')])
  const made = loading.then(([{ createTelemetry }, { readOtlpSettings }]) => {
    const notes = new Set<string>()
    const settings = readOtlpSettings(env, (problem) => void notes.add(problem))
    return { ...createTelemetry({ settings, services, passesOn, background }), notes: [...notes] }
  })
  let observer: Observer | undefined
  return {
    observer: {
      began: (arrival) => observer?.began?.(arrival),
      over: (report) => observer?.over(report),
      ...(!background && { settle: async () => await observer?.settle?.() }),
    },
    ready: made.then(
      (telemetry) => {
        observer = telemetry.observer
        return telemetry.notes
      },
      (error) => [`telemetry: nothing is exported: ${describeCause(asGatewayError(error))}`],
    ),
    close: (ms) =>
      made.then(
        (telemetry) => telemetry.close(ms),
        () => {},
      ),
  }
}
