/**
 * A count with a limit that holds whatever happens: the money that a key has spent in a window, or its requests at once.
 * Spent and held together never exceed the limit.
 */
export interface Meter {
  /** Whose, and of what: `key:ID`, `project:ID`, `parallel:ID`. */
  readonly subject: string
  /** When the window began, in milliseconds since 1970; 0: it never ends. */
  readonly window: number
  /** Nano-dollars, or requests. */
  readonly limit: number
  /** Whether what is taken comes back as it was: then nothing is leased ahead. Absent: it is spent. */
  readonly returns?: boolean
}

/** What a request takes of a meter at most. */
export interface Hold {
  readonly meter: Meter
  readonly amount: number
}

export interface Meters {
  /**
   * Takes all of them or none. What it grants must be settled exactly once; later calls do nothing. Doesn't wait where
   * what was leased before is enough. Rejects with a `StoreError` if nobody can tell.
   */
  reserve(holds: readonly Hold[]): Granted | Refused | Promise<Granted | Refused>
  /** Spends what was used without anything being held, since the store failed: it is told once it can be. Never throws. */
  spend?(holds: readonly Hold[], used: readonly number[]): void
}

export interface Granted {
  readonly granted: true
  /** Takes more of each, in the order of the holds; false, and nothing taken, if that would be too much. */
  extend(more: readonly number[]): boolean | Promise<boolean>
  /** Spends what was used of each and gives the rest back. More than was held is spent all the same. Never throws. */
  settle(used: readonly number[]): void
}

export interface Refused {
  readonly granted: false
  /** The one that had too little left. */
  readonly meter: Meter
  /** What it had left. */
  readonly left: number
}

/** What a meter says. `lost`: of `spent`, what was booked for requests that nobody settled. */
export interface Reading {
  readonly spent: number
  readonly held: number
  readonly lost: number
}

/** What a meter is found by, for those who have no request. `home`: that of its key, if it is a key's. */
export interface MeterName extends Pick<Meter, 'subject' | 'window'> {
  readonly home?: string | undefined
}

/** For those who look at meters, or put them right. */
export interface MeterBook {
  /** All zero for one that was never used. */
  read(meter: MeterName): Promise<Reading>
  /** Gives back what was lost. */
  forgive(meter: MeterName): Promise<void>
}

/** The processes that use a store. */
export interface Company {
  /** Has the others know of this process, from now on. */
  join(): void
  /** Whether there are no others, as far as is known. */
  readonly alone: boolean
}
