import type { ConfigControl, ConfigState, Reload, ReloadCause, Version } from '../admin/control.ts'
import { isProgram } from '../config/load.ts'
import { ConfigError } from '../config/problems.ts'
import { stackOf } from '../config/thrown.ts'
import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import type { ReloadResults } from '../observe/metrics/reloads.ts'
import type { Job } from './build.ts'

/** Earlier configurations that are kept. */
const kept = 5

export interface LiveConfigOptions {
  /** What the process has started with. */
  readonly job: Job
  /** Reads the file again. Rejects with a `ConfigError`. */
  readonly read: () => Promise<Job>
  /** Puts a configuration in force, whole; resolves with notes for the log. Rejects with a `ConfigError`, and changes nothing. */
  readonly apply: (job: Job) => Promise<readonly string[]>
  /** The configuration that each worker has; absent if there are none. */
  readonly workers?: () => ConfigState['workers']
  readonly clock: Clock
  readonly log: Log
}

/** A configuration that is or was in force. The later it was read, the higher its number. */
interface Kept {
  readonly number: number
  readonly job: Job
}

/** The configuration in force, and those before it. Changes come one after the other. */
export class LiveConfig implements ConfigControl {
  readonly #options: LiveConfigOptions
  #current: Kept
  /** The latest first. */
  #earlier: readonly Kept[] = []
  #count = 0
  #differs = false
  #last: Reload | undefined
  readonly #results = { applied: 0, unchanged: 0, kept: 0, rolled_back: 0 }
  #turn: Promise<unknown> = Promise.resolve()
  #hasWarned = false

  constructor(options: LiveConfigOptions) {
    this.#options = options
    this.#current = { number: 0, job: options.job }
  }

  /** How often it was read again, or returned to an earlier one, by what came of it. */
  get results(): ReloadResults {
    return this.#results
  }

  async state(): Promise<ConfigState> {
    const { workers } = this.#options
    return {
      ...versionOf(this.#current),
      differsFromFile: this.#differs,
      lastReload: this.#last,
      earlier: this.#earlier.map(versionOf),
      ...(workers && { workers: workers() }),
    }
  }

  reload(cause: ReloadCause = 'admin'): Promise<Reload> {
    return this.#inTurn(async () => {
      const { read, log } = this.#options
      if (isProgram(this.#current.job.source) && !this.#hasWarned) {
        this.#hasWarned = true
        log(
          'only the configuration file itself is read again: modules that it imports stay as they are until a restart',
        )
      }
      try {
        const job = await read()
        return await this.#put({ number: ++this.#count, job }, cause)
      } catch (error) {
        return this.#keep(error, cause)
      }
    })
  }

  rollback(hash: string | undefined): Promise<Reload | undefined> {
    return this.#inTurn(async () => {
      const back = this.#earlier.find(({ number, job }) =>
        hash === undefined ? number < this.#current.number : job.hash.startsWith(hash),
      )
      if (!back) return undefined
      try {
        const reload = await this.#put({ ...back, job: { ...back.job, loaded: this.#options.clock.now() } }, 'rollback')
        this.#differs = true
        this.#options.log(`${back.job.source} says something else; what it says is read when it next changes`)
        return reload
      } catch (error) {
        return this.#keep(error, 'rollback')
      }
    })
  }

  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const outcome = this.#turn.then(change)
    this.#turn = outcome.catch(() => {})
    return outcome
  }

  async #put(next: Kept, cause: ReloadCause): Promise<Reload> {
    const { apply, log } = this.#options
    const before = this.#current
    if (next.job.hash === before.job.hash) {
      this.#differs = false
      log(`${next.job.source} was read again (${cause}) and says the same: ${before.job.hash} stays in force`)
      return this.#told({ cause, outcome: 'unchanged', problems: [], notes: [] })
    }
    const notes = await apply(next.job)
    this.#current = next
    this.#earlier = [before, ...this.#earlier]
      .filter(({ job }) => job.hash !== next.job.hash)
      .sort((one, other) => other.number - one.number)
      .slice(0, kept)
    this.#differs = false
    for (const note of notes) log(note, 'warn')
    log(`the configuration ${next.job.hash} is in force (${cause}), in place of ${before.job.hash}`)
    return this.#told({ cause, outcome: 'applied', problems: [], notes })
  }

  #keep(error: unknown, cause: ReloadCause): Reload {
    const { log } = this.#options
    const { source, hash } = this.#current.job
    const isKnown = error instanceof ConfigError
    // Anything else is a mistake of the gateway itself: its stack helps.
    const problems = isKnown ? error.problems : ['the gateway failed unexpectedly; its log says where']
    this.#differs = true
    const level = isKnown ? 'warn' : 'error'
    log(`${source} can't be used (${cause}), so ${hash} stays in force:`, level)
    for (const problem of isKnown ? problems : [stackOf(error)]) log(`  ${problem}`, level)
    return this.#told({ cause, outcome: 'kept', problems, notes: [] })
  }

  #told(reload: Omit<Reload, 'at' | 'hash'>): Reload {
    const { cause, outcome } = reload
    this.#results[cause === 'rollback' && outcome === 'applied' ? 'rolled_back' : outcome]++
    this.#last = { at: this.#options.clock.now(), hash: this.#current.job.hash, ...reload }
    return this.#last
  }
}

function versionOf({ job: { hash, loaded } }: Kept): Version {
  return { hash, loaded }
}
