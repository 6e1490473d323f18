import type { Take } from '../accounts/rates.ts'
import type { Meter, Reading } from '../state/meters.ts'

export type MeterName = Pick<Meter, 'subject' | 'window'>

/** What a request asks of one object, all or nothing. `id` is the lease's, which it is known by until it is settled. */
export interface AskedTake {
  readonly id: string
  readonly takes: readonly Take[]
  readonly holds: readonly AskedHold[]
  /** Milliseconds after which it is taken for dead. */
  readonly lease: number
  /** Whether it may have been asked before, without an answer. */
  readonly again?: boolean
}

export interface AskedHold {
  readonly meter: Meter
  readonly amount: number
}

/** `levels`: what is left of each limit a minute. Without `slow` and `short` all of it was taken. */
export interface ToldTake {
  readonly levels: readonly number[]
  /** Which limit a minute has too little left, and for how many milliseconds. */
  readonly slow?: { readonly at: number; readonly wait: number }
  /** Which meter has too little left. */
  readonly short?: { readonly at: number; readonly left: number }
}

/** More of each meter, in the order of the holds. */
export interface AskedExtension {
  readonly id: string
  readonly more: readonly number[]
  readonly limits: readonly number[]
  readonly lease: number
}

export interface AskedSettlement {
  readonly id: string
  /** Of each meter, in the order of the holds. */
  readonly used: readonly number[]
  readonly back: readonly Back[]
}

/** What comes back of a limit a minute; below 0: more of it was used. */
export interface Back {
  readonly take: Omit<Take, 'need'>
  readonly amount: number
}

/** What can be asked of an object. */
export interface MeterMethods {
  take(asked: AskedTake): ToldTake
  extend(asked: AskedExtension): boolean
  settle(asked: AskedSettlement): void
  read(meter: MeterName): Reading
  forgive(meter: MeterName): void
}
