import type { Flights, Flying } from '../cache/flying.ts'

/** What a Durable Object has of its storage. */
export interface Alarms {
  setAlarm(at: number): Promise<void>
}

/** Milliseconds that an alarm takes at most. The runtime ends one after 15 minutes, and counts the requests of each. */
const longest = 2 * 60 * 1000

/**
 * What one Durable Object has of the requests that meet there. The runtime lets an object go after a minute or two without
 * requests, whatever it does; but not while one of its alarms is at work.
 */
export class Place extends Map<string, Flying> implements Flights {
  readonly #alarms: Alarms
  readonly #works = new Set<Promise<unknown>>()

  constructor(alarms: Alarms) {
    super()
    this.#alarms = alarms
  }

  stay(work: Promise<unknown>): void {
    this.#works.add(work)
    work.then(() => this.#works.delete(work))
    void this.#alarms.setAlarm(Date.now())
  }

  /** The work of an alarm, which ends with what is done here, or gives way to the next one. Never rejects. */
  async goOn(): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, longest)
    await Promise.race([Promise.all(this.#works), late])
    clearTimeout(timer)
    if (this.#works.size > 0) await this.#alarms.setAlarm(Date.now())
  }
}
