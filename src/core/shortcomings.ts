import type { Clock } from './clock.ts'
import type { Capability } from './operation.ts'

/** What deployments have said that they can't do. */
export interface Shortcomings {
  /** Whether the deployment with this label said so lately. */
  has(label: string, capability: Capability): boolean
}

/** Milliseconds: servers are restarted with other options, and a model's name may come to mean a better one. */
const remembered = 600_000
/** Deployments and capabilities; the oldest is forgotten first. Callers may name any model. */
const most = 1000

/** Remembers for a while what deployments have said that they can't do, so that they aren't asked for it each time. */
export class KnownShortcomings implements Shortcomings {
  readonly #clock: Clock
  /** When each entry ends, in order. */
  readonly #until = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(label: string, capability: Capability): void {
    const key = keyOf(label, capability)
    this.#until.delete(key)
    this.#until.set(key, this.#clock.now() + remembered)
    const [oldest] = this.#until.keys()
    if (this.#until.size > most && oldest !== undefined) this.#until.delete(oldest)
  }

  /** Remembers what another does, of the deployments for which `isSame` holds. */
  adopt(other: KnownShortcomings, isSame: (label: string) => boolean): void {
    for (const [key, until] of other.#until) if (isSame(key.slice(key.indexOf(' ') + 1))) this.#until.set(key, until)
  }

  has(label: string, capability: Capability): boolean {
    if (this.#until.size === 0) return false
    const key = keyOf(label, capability)
    const until = this.#until.get(key)
    if (until === undefined) return false
    if (this.#clock.now() < until) return true
    this.#until.delete(key)
    return false
  }
}

function keyOf(label: string, capability: Capability): string {
  return `${capability} ${label}`
}
