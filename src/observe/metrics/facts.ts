import type { RequestReport } from '../../core/report.ts'

/** What requests have in common that are counted alike. Names are those by which they are counted. */
export interface Facts {
  readonly path: string
  /** Empty if it is for no model. */
  readonly operation: string
  readonly model: string
  /** `provider/model`; empty if nobody answered. */
  readonly deployment: string
  /** The provider's name in OpenTelemetry's conventions: of the one that answered, or failed last. */
  readonly provider: string
  /** The name of the client's key; empty without one, and where no metric tells of it. */
  readonly key: string
  readonly status: string
  readonly outcome: RequestReport['outcome']
  /** The kind of its failure; empty if it was answered to the end. */
  readonly failure: string
}

/** Times of one request, in seconds. */
export interface Times {
  readonly total: number
  /** That the providers took. */
  readonly upstream: number
  /** Until the first content of a stream. */
  readonly first: number | undefined
  /** Per token after that. */
  readonly perToken: number | undefined
}

/** Counts one request of those that have its facts in common. */
export type Count = (report: RequestReport, times: Times) => void

/** The model in `provider/model`. */
export function modelIn(deployment: string): string {
  return deployment.slice(deployment.indexOf('/') + 1)
}
