import type { AttemptRecord, Trace } from '../../core/trace.ts'
import { dollarsOf } from '../../prices/money.ts'
import type { GatewayError } from '../../wire/errors.ts'
import type { Count, Facts } from './facts.ts'
import type { KnownNames } from './known-names.ts'
import { ownMetrics as metrics } from './own-names.ts'
import { refusalOf } from './refusals.ts'
import type { Registry } from './registry.ts'

/** Counts what there is no convention for: attempts, fallbacks, how streams end, what the gateway itself takes. */
export function ownSet(registry: Registry) {
  const overhead = registry.histogram(metrics.overhead, [])

  function countFor({ path, model, deployment, status, outcome, failure }: Facts, names: KnownNames): Count {
    const requests = registry.counter(metrics.requests, [path, model, status, outcome])
    const streams = registry.counter(metrics.streams, [outcome])
    const failures = registry.counter(metrics.failures, [failure])
    const good = registry.counter(metrics.attempts, [deployment, 'ok'])
    const cost = registry.counter(metrics.cost, [model, deployment])
    const tokens = (type: string) => registry.counter(metrics.tokens, [deployment, type])
    const [input, output, cached, reasoning] = [
      tokens('input'),
      tokens('output'),
      tokens('cached'),
      tokens('reasoning'),
    ]
    return (report) => {
      requests.add()
      if (report.streams) streams.add()
      if (failure !== '') failures.add()
      if (report.failure) countRefusal(report.failure)
      const { attempts, cache } = report.trace
      if (cache) registry.add(registry.place(metrics.cache, [cache]))
      const [first] = attempts
      if (attempts.length === 1 && first && isPlain(first)) {
        good.add()
        overhead.observe(Math.max(0, (report.firstMs ?? report.ms) - first.ms) / 1000)
      } else if (first) countAttempts(report.trace, model, names)
      if (report.tokens && deployment !== '') {
        input.add(report.tokens.input)
        output.add(report.tokens.output)
        if (report.tokens.cached > 0) cached.add(report.tokens.cached)
        if (report.tokens.reasoning > 0) reasoning.add(report.tokens.reasoning)
      }
      if (report.cost !== undefined) cost.add(dollarsOf(report.cost))
    }
  }

  function countRefusal(failure: GatewayError): void {
    const kind = refusalOf(failure)
    if (kind !== undefined) registry.add(registry.place(metrics.refusals, [kind, failure.limit ?? '']))
  }

  function countAttempts({ attempts, plan }: Trace, model: string, names: KnownNames): void {
    let before: AttemptRecord | undefined
    for (const attempt of attempts) {
      const deployment = names.deployment(attempt.deployment)
      const outcome = attempt.failure ?? (attempt.broke ? 'broke' : 'ok')
      registry.add(registry.place(metrics.attempts, [deployment, outcome]))
      // Beside another one, for a stream that was late, it is neither.
      const reason = before ? (before.failure ?? (before.broke ? 'broke' : undefined)) : undefined
      if (before && reason && before.deployment === attempt.deployment) {
        registry.add(registry.place(metrics.retries, [deployment]))
      } else if (before && reason) {
        registry.add(registry.place(metrics.fallbacks, [names.deployment(before.deployment), deployment, reason]))
      } else if (!before && isElsewhere(attempt)) {
        const why = plan?.failure?.kind ?? plan?.skipped[0]?.kind ?? 'named'
        registry.add(registry.place(metrics.fallbacks, [model, deployment, why]))
      }
      before = attempt
    }
  }

  return { metrics: Object.values(metrics), countFor }
}

/** Whether it needs no more than the sum of such attempts: it went where it was to go, and well. */
function isPlain(attempt: AttemptRecord): boolean {
  return attempt.failure === undefined && !attempt.broke && !isElsewhere(attempt)
}

function isElsewhere({ why }: AttemptRecord): boolean {
  return why !== undefined && why !== 'requested'
}
