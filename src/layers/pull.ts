import type { Answer } from '../core/answer.ts'
import type { Call, Layer, Upstream } from '../core/call.ts'
import type { Deployment, MissingPolicy } from '../core/catalog.ts'
import { fitsPath } from '../core/patterns.ts'
import type { Services } from '../core/services.ts'
import { slowPath } from '../core/slow-path.ts'
import { asGatewayError, GatewayError } from '../wire/errors.ts'

interface Pull {
  readonly done: Promise<void>
  readonly stop: AbortController
  waiting: number
}

/**
 * Pulls a model that its upstream lacks, if `missing: { not_pulled: 'pull' }` is configured and the name may be pulled,
 * then retries. All requests that wait for it share one pull, which stops when the last of them has left.
 */
export function pull(services: Services): Layer {
  const pulls = new Map<string, Pull>()
  /** How many pulls have succeeded, by deployment label. */
  const finished = new Map<string, number>()
  const finishedOf = (label: string) => finished.get(label) ?? 0

  const join = (deployment: Deployment): Pull => {
    const running = pulls.get(deployment.label)
    // An aborted pull takes time to end, and new callers must not wait for it.
    if (running && !running.stop.signal.aborted) return running
    const stop = new AbortController()
    const { label } = deployment
    const done = start(deployment, services, stop.signal)
      .then(() => void finished.set(label, finishedOf(label) + 1))
      .finally(() => {
        if (pulls.get(label) === started) pulls.delete(label)
      })
    // Those who wait receive the failure; if nobody waits any more, it is ignored.
    done.catch(() => {})
    const started: Pull = { done, stop, waiting: 0 }
    pulls.set(label, started)
    return started
  }

  const pulling = async (next: Upstream, call: Call): Promise<Answer> => {
    const { deployment } = call.target
    const before = finishedOf(deployment.label)
    try {
      return await next(call)
    } catch (thrown) {
      const failure = asGatewayError(thrown)
      if (failure.kind !== 'not_pulled') throw failure
      if (!mayPull(deployment, call.plan.missing.not_pulled)) {
        services.log(`${call.requestId} ${deployment.label}: not pulled, since \`missing.not_pulled\` doesn't allow it`)
        throw failure
      }
      // If a pull has finished since this request was sent, its model is there already.
      if (finishedOf(deployment.label) === before) await waitFor(join(deployment), call)
      return await next(call)
    }
  }

  return (next) =>
    function pulled(call) {
      const policy = call.plan.missing.not_pulled
      const wanted = policy !== undefined && policy !== 'fallback' && policy !== 'error'
      return wanted && call.target.deployment.provider.definition.pull ? pulling(next, call) : next(call)
    }
}

/** Callers may name any model, and a name may contain the host to download from, so not every model may be pulled. */
function mayPull({ model, provider: { definition } }: Deployment, policy: MissingPolicy | undefined): boolean {
  if (typeof policy !== 'object') return definition.mayPull?.(model) ?? true
  return policy.pull.some((pattern) => fitsPath(pattern, model))
}

async function start(deployment: Deployment, services: Services, signal: AbortSignal): Promise<void> {
  const { provider, model, label } = deployment
  services.log(`${label}: pulling`)
  const tools = { ...slowPath(services, signal), log: (text: string) => services.log(`${label}: ${text}`) }
  await provider.definition.pull?.(model, provider.settings, tools)
  services.log(`${label}: pulled`)
}

function waitFor(pull: Pull, { signal }: Call): Promise<void> {
  pull.waiting++
  return new Promise<void>((resolve, reject) => {
    const leave = () => {
      if (--pull.waiting === 0) pull.stop.abort(signal.reason)
      reject(signal.reason ?? new GatewayError('gone', 'The client left.'))
    }
    if (signal.aborted) return leave()
    signal.addEventListener('abort', leave, { once: true })
    pull.done.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
  })
}
