import type { Environment } from '../config/providers.ts'
import type { Log } from '../core/log.ts'
import type { Sockets } from '../core/upgrade.ts'
import { inherit, inheritLists } from '../inherit.ts'
import type { Fetch } from '../runtime/node-listener.ts'
import { type Beside, build, createShared, gathering, type Job, type Shared } from './build.ts'

/** Milliseconds that a new gateway waits for its providers' lists before it serves. */
const patience = 2_000

/** The gateway that serves in this process. Another can take its place: what it has begun to answer, it ends. */
export class Serving {
  readonly shared: Shared = createShared()
  readonly #env: Environment
  readonly #beside: Beside
  /** All that have served, since what they have gathered for others may not have been sent yet. */
  readonly #all: ReturnType<typeof build>[] = []
  #now: ReturnType<typeof build>

  /** Throws a `ConfigError`. */
  constructor(job: Job, env: Environment, beside: Beside = {}) {
    this.#env = env
    this.#beside = beside
    this.#now = build(job, env, this.shared, beside)
    this.#all.push(this.#now)
  }

  /** The one that new requests come to. */
  get now(): ReturnType<typeof build> {
    return this.#now
  }

  /** The log of the one that new requests come to. */
  readonly log: Log = (message, level) => this.#now.log(message, level)

  readonly fetch: Fetch = (request, bindings) => this.#now.app.fetch(request, bindings) as ReturnType<Fetch>

  readonly sockets: Sockets = (upgrade) => this.#now.sockets(upgrade)

  /** Sends what waits to be sent somewhere, for when the process ends; takes `ms` at most. */
  async close(ms: number): Promise<void> {
    gathering.drain()
    await Promise.all([...this.#all.map((one) => one.close(ms)), this.shared.flushAnswers()])
  }

  /** Like `replace`, in a process that serves nobody: for what is told of the gateway, and for its log. */
  check(job: Job): readonly string[] {
    this.#now = build(job, this.#env, this.shared)
    return notesOf(this.#now)
  }

  /**
   * Builds another gateway and has it serve once it is complete. Rejects with a `ConfigError` and changes nothing if it
   * can't be built. Resolves with what is to be told of it.
   */
  async replace(job: Job): Promise<readonly string[]> {
    await this.#beside.metrics?.prepare(job.config)
    const kept = await this.#beside.keeper?.prepare(job.config)
    const next = build(job, this.#env, this.shared, this.#beside)
    const { clock } = this.shared.services
    inheritLists(next.gateway, this.#now.gateway)
    await new Promise<void>((ready) => {
      const cancel = clock.after(patience, ready)
      void next.gateway.knowledge.refresh().then(() => {
        cancel()
        ready()
      })
    })
    await next.ready
    inherit(next.gateway, this.#now.gateway)
    next.metrics?.serves()
    this.#now = next
    // An older one has ended its requests, or has long sent what it had to.
    this.#all.splice(0, this.#all.length, ...this.#all.slice(-1), next)
    return [...(kept ?? []), ...notesOf(next)]
  }
}

/** With the variables that aren't set, which they can't become while the process runs. */
function notesOf({ notes, gateway }: ReturnType<typeof build>): string[] {
  const unset = [...gateway.catalog.providers.values()].flatMap(({ name, unavailable }) =>
    unavailable?.includes('is not set')
      ? [`${name}: ${unavailable}; variables are read when the process starts, so a new one needs a restart`]
      : [],
  )
  return [...notes, ...unset]
}
