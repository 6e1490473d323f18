import { operationName } from '../otlp/names.ts'
import { type Count, type Facts, modelIn } from './facts.ts'
import { allOf, type Column, genAiMetrics } from './names.ts'
import type { Registry } from './registry.ts'

const nothing = () => {}

/** Counts by OpenTelemetry's conventions for generative AI. */
export function genAiSet(registry: Registry, column: Column) {
  const metrics = genAiMetrics(column)
  const { clientDuration, serverDuration, firstToken, perToken, usage, counters } = metrics

  /** Counts tokens in the histogram of the usual names, or in the counters of the newer ones. */
  function tokensOf(call: readonly string[]): (report: Parameters<Count>[0]) => void {
    if (usage) {
      const [input, output] = ['input', 'output'].map((type) => registry.histogram(usage, [...call, type]))
      return ({ tokens }) => {
        if (!tokens) return
        input?.observe(tokens.input)
        output?.observe(tokens.output)
      }
    }
    if (!counters) return nothing
    // The modality of tokens is nothing that all APIs tell.
    const labels = [...call, 'unknown']
    const input = registry.counter(counters.input, labels)
    const output = registry.counter(counters.output, labels)
    const cached = registry.counter(counters.cached, labels)
    const reasoning = registry.counter(counters.reasoning, labels)
    return ({ tokens }) => {
      if (!tokens) return
      input.add(tokens.input)
      output.add(tokens.output)
      if (tokens.cached > 0) cached.add(tokens.cached)
      if (tokens.reasoning > 0) reasoning.add(tokens.reasoning)
    }
  }

  function countFor({ operation, provider, model, deployment, failure }: Facts): Count {
    // What is for no model, such as a list of them, is none of its operations.
    if (operation === '') return nothing
    const who = column === 'usual' ? [provider, provider] : [provider]
    const call = [operationName(operation), ...who, model, deployment && modelIn(deployment)]
    const server = registry.histogram(serverDuration, [...call, failure])
    const client = registry.histogram(clientDuration, [...call, failure])
    const first = registry.histogram(firstToken, call)
    const token = registry.histogram(perToken, call)
    const countTokens = tokensOf(call)
    return (report, times) => {
      server.observe(times.total)
      if (report.trace.attempts.length > 0) client.observe(times.upstream)
      if (times.first !== undefined) first.observe(times.first)
      if (times.perToken !== undefined) token.observe(times.perToken)
      countTokens(report)
    }
  }

  return { metrics: allOf(metrics), countFor }
}
