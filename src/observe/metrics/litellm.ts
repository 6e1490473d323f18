import type { RequestReport } from '../../core/report.ts'
import { dollarsOf } from '../../prices/money.ts'
import { reactions } from '../../wire/errors.ts'
import { type Count, type Facts, modelIn } from './facts.ts'
import type { KnownNames } from './known-names.ts'
import type { Metric } from './metric.ts'
import { liteLlmMetrics } from './names.ts'
import type { Registry } from './registry.ts'

const metrics = liteLlmMetrics()

/** Counts as LiteLLM's proxy does. */
export function liteLlmSet(registry: Registry) {
  function countFor(facts: Facts, names: KnownNames): Count {
    const { model, deployment, provider, key, status, failure } = facts
    const answered = [model, deployment && modelIn(deployment), provider, key]
    const requests = registry.counter(metrics.requests, [model, key, status])
    const failed = registry.counter(metrics.failed, [model, key, status, exceptionOf(Number(status))])
    const total = registry.histogram(metrics.total, answered)
    const upstream = registry.histogram(metrics.upstream, answered)
    const first = registry.histogram(metrics.firstToken, answered)
    const input = registry.counter(metrics.input, answered)
    const output = registry.counter(metrics.output, answered)
    const spend = registry.counter(metrics.spend, answered)
    return (report, times) => {
      const { tokens, cost, trace } = report
      requests.add()
      if (failure !== '') failed.add()
      total.observe(times.total)
      if (trace.attempts.length > 0) upstream.observe(times.upstream)
      if (times.first !== undefined) first.observe(times.first)
      if (tokens) {
        input.add(tokens.input)
        output.add(tokens.output)
      }
      if (cost !== undefined) spend.add(dollarsOf(cost))
      if (trace.attempts.length > 1) countFallbacks(report, facts, names)
    }
  }

  function countFallbacks({ trace }: RequestReport, { model }: Facts, names: KnownNames): void {
    for (const [at, { deployment, failure }] of trace.attempts.entries()) {
      const before = trace.attempts[at - 1]
      if (!before?.failure || before.deployment === deployment) continue
      const metric = failure ? metrics.failedFallbacks : metrics.fallbacks
      const to = modelIn(names.deployment(deployment))
      registry.add(registry.place(metric, [model, to, classOf[before.failure] ?? 'APIError']))
    }
  }

  return { metrics: Object.values(metrics) as readonly Metric[], countFor }
}

/** Names of the classes of errors in OpenAI's and LiteLLM's clients. */
const classes: Readonly<Record<number, string>> = {
  400: 'BadRequestError',
  401: 'AuthenticationError',
  403: 'PermissionDeniedError',
  404: 'NotFoundError',
  408: 'Timeout',
  429: 'RateLimitError',
  500: 'InternalServerError',
  502: 'BadGatewayError',
  503: 'ServiceUnavailableError',
  504: 'Timeout',
}

function exceptionOf(status: number): string {
  return classes[status] ?? 'APIError'
}

/** By the kind of failure. */
const classOf: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(reactions).map(([kind, { status }]) => [kind, exceptionOf(status)]),
)
