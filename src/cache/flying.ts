import type { Trace } from '../core/trace.ts'
import type { Flight } from './flight.ts'

/** An answer that is on its way. */
export interface Flying {
  readonly flight: Flight
  readonly trace: Trace
  readonly tenant: string
  /** The digest of its request, where something else says which one it is for. */
  readonly request?: string
  isKept: boolean
}

/** What requests may join, by what they ask for. */
export interface Flights extends Map<string, Flying> {
  /** Has the runtime go on with what outlasts its request. Absent: it can't be relied on for that. */
  stay?(work: Promise<unknown>): void
}
