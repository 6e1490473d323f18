import type { Row, Value } from '../state/database.ts'

/** As much of a D1 database as the gateway needs. */
export interface D1 {
  prepare(sql: string): D1Statement
  batch(statements: readonly D1Statement[]): Promise<readonly { readonly results: readonly Row[] }[]>
}

export interface D1Statement {
  bind(...values: readonly Value[]): D1Statement
  all(): Promise<{ readonly results: readonly Row[] }>
}

/** The Durable Objects of one class, by their names. */
export interface Objects {
  getByName(name: string): ObjectStub
}

/** One object, for one request: no other may use it. */
export interface ObjectStub {
  /** Runs a method of its `MeterBook`. */
  ask(method: string, given: unknown): Promise<unknown>
}

/** The sending end of a queue. */
export interface Queue {
  send(message: unknown): Promise<unknown>
}

/** The storage of one object. Everything in it happens at once, or not at all. */
export interface ObjectStorage {
  readonly sql: { exec(sql: string, ...values: readonly Value[]): { toArray(): readonly object[] } }
  transactionSync<T>(work: () => T): T
  /** Milliseconds since 1970; null: there is none. */
  getAlarm(): Promise<number | null>
  setAlarm(at: number): Promise<void>
}

/** Has the runtime wait for work that outlasts a request, which it would drop otherwise. */
export type Defer = (work: Promise<void>) => void
