import type { Deployment, MissingPolicy } from '../core/catalog.ts'
import { fitsPath } from '../core/patterns.ts'
import type { Services } from '../core/services.ts'
import type { Signal } from '../core/signal.ts'
import { slowPath } from '../core/slow-path.ts'
import { GatewayError } from '../wire/errors.ts'
import type { JsonObject } from '../wire/json.ts'

/** Is told each step of a pull, in the provider's words. */
export type Progress = (step: JsonObject) => void

interface Pull {
  readonly done: Promise<void>
  readonly stop: AbortController
  readonly watching: Set<Progress>
  waiting: number
}

/** The pulls that are going on: all who wait for a model share one, which stops when the last of them has left. */
export class Pulls {
  readonly #services: Services
  readonly #running = new Map<string, Pull>()
  /** How many pulls have succeeded, by deployment label. */
  readonly #finished = new Map<string, number>()

  constructor(services: Services) {
    this.#services = services
  }

  finished({ label }: Deployment): number {
    return this.#finished.get(label) ?? 0
  }

  /** Resolves when the model is there. Rejects if it can't be pulled, or with the reason of the signal. */
  wait(deployment: Deployment, signal: Signal, progress?: Progress): Promise<void> {
    const pull = this.#join(deployment)
    if (progress) pull.watching.add(progress)
    pull.waiting++
    return new Promise<void>((resolve, reject) => {
      const leave = () => {
        if (progress) pull.watching.delete(progress)
        if (--pull.waiting === 0) pull.stop.abort(signal.reason)
        reject(signal.reason ?? new GatewayError('gone', 'The client left.'))
      }
      if (signal.aborted) return leave()
      signal.addEventListener('abort', leave, { once: true })
      pull.done.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
    })
  }

  #join(deployment: Deployment): Pull {
    const { label } = deployment
    const running = this.#running.get(label)
    // An aborted pull takes time to end, and new callers must not wait for it.
    if (running && !running.stop.signal.aborted) return running
    const stop = new AbortController()
    const watching = new Set<Progress>()
    const done = this.#start(deployment, stop.signal, watching)
      .then(() => void this.#finished.set(label, this.finished(deployment) + 1))
      .finally(() => {
        if (this.#running.get(label) === started) this.#running.delete(label)
      })
    // Those who wait receive the failure; if nobody waits any more, it is ignored.
    done.catch(() => {})
    const started: Pull = { done, stop, watching, waiting: 0 }
    this.#running.set(label, started)
    return started
  }

  async #start(deployment: Deployment, signal: AbortSignal, watching: ReadonlySet<Progress>): Promise<void> {
    const { provider, model, label } = deployment
    const { log } = this.#services
    log(`${label}: pulling`)
    await provider.definition.pull?.(model, provider.settings, {
      ...slowPath(this.#services, signal),
      log: (text) => log(`${label}: ${text}`),
      progress: (step) => {
        for (const watch of watching) watch(step)
      },
    })
    log(`${label}: pulled`)
  }
}

/** Whether a policy for missing models is to pull them at all. */
export function pulls(policy: MissingPolicy | undefined): boolean {
  return policy !== undefined && policy !== 'fallback' && policy !== 'error'
}

/** Callers may name any model, and a name may contain the host to download from, so not every model may be pulled. */
export function mayPull({ model, provider: { definition } }: Deployment, policy: MissingPolicy | undefined): boolean {
  if (typeof policy !== 'object') return definition.mayPull?.(model) ?? true
  return policy.pull.some((pattern) => fitsPath(pattern, model))
}
