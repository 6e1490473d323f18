import type { Answer } from '../core/answer.ts'
import type { Call, Layer, Upstream } from '../core/call.ts'
import type { Services } from '../core/services.ts'
import { asGatewayError } from '../wire/errors.ts'
import { mayPull, Pulls, pulls } from './pulls.ts'

/**
 * Pulls a model that its upstream lacks, if `missing: { not_pulled: 'pull' }` is configured and the name may be pulled,
 * then retries.
 */
export function pull(services: Services, running = new Pulls(services)): Layer {
  const pulling = async (next: Upstream, call: Call): Promise<Answer> => {
    const { deployment } = call.target
    const before = running.finished(deployment)
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
      if (running.finished(deployment) === before) await running.wait(deployment, call.signal)
      return await next(call)
    }
  }

  return (next) =>
    function pulled(call) {
      const wanted = pulls(call.plan.missing.not_pulled) && call.target.deployment.provider.definition.pull
      return wanted ? pulling(next, call) : next(call)
    }
}
