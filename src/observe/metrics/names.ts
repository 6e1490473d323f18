import { counter, gauge, histogram } from './kinds.ts'
import type { Metric } from './metric.ts'

/** The names of the conventions that dashboards have today, or the newer ones. */
export type Column = 'usual' | 'latest'

// Until 1.4x and since, https://github.com/open-telemetry/semantic-conventions-genai
const columns = {
  duration: { usual: 'gen_ai.client.operation.duration', latest: 'gen_ai.client.inference.duration' },
  // 1.36 has the one, later versions the other: dashboards of both are in use.
  who: { usual: ['gen_ai.provider.name', 'gen_ai.system'], latest: ['gen_ai.provider.name'] },
} as const

/** In seconds, from the conventions. */
const durations = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]
const firstTokens = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
const perToken = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5]
const tokenCounts = [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864]

/** Those of OpenTelemetry's conventions for generative AI. */
export function genAiMetrics(column: Column) {
  const call = ['gen_ai.operation.name', ...columns.who[column], 'gen_ai.request.model', 'gen_ai.response.model']
  const attributes = [...call, 'error.type']
  const counted = [...call, 'gen_ai.token.modality']
  const tokens = (which: string, help: string) =>
    counter({ name: `gen_ai.client.inference.usage.${which}_tokens`, unit: '{token}', help, attributes: counted })
  return {
    clientDuration: histogram({
      name: columns.duration[column],
      help: 'Time that the providers took for a request, retries and fallbacks included.',
      attributes,
      bounds: durations,
    }),
    serverDuration: histogram({
      name: 'gen_ai.server.request.duration',
      help: 'Time from the arrival of a request until its answer was sent, a stream to its end.',
      attributes,
      bounds: durations,
    }),
    firstToken: histogram({
      name: 'gen_ai.server.time_to_first_token',
      help: 'Time from the arrival of a request until the first content of its stream.',
      attributes: call,
      bounds: firstTokens,
    }),
    perToken: histogram({
      name: 'gen_ai.server.time_per_output_token',
      help: 'Time per token of a stream after its first content.',
      attributes: call,
      bounds: perToken,
    }),
    /** One of the two is there. */
    usage:
      column === 'usual'
        ? histogram({
            name: 'gen_ai.client.token.usage',
            prometheus: 'gen_ai_client_token_usage_token',
            unit: '{token}',
            help: 'Tokens of a request and its answer.',
            attributes: [...call, 'gen_ai.token.type'],
            bounds: tokenCounts,
          })
        : undefined,
    counters:
      column === 'latest'
        ? {
            input: tokens('input', 'Tokens of requests, those from a cache included.'),
            output: tokens('output', 'Tokens of answers, those of their reasoning included.'),
            cached: tokens('cache_read.input', 'Tokens of requests that were read from a cache.'),
            reasoning: tokens('reasoning.output', 'Tokens of reasoning in answers.'),
          }
        : undefined,
  }
}

/** All of them. */
export function allOf({ usage, counters, ...others }: ReturnType<typeof genAiMetrics>): readonly Metric[] {
  return [...Object.values(others), ...(usage ? [usage] : []), ...Object.values(counters ?? {})]
}

/** The names and labels that dashboards for LiteLLM's proxy ask for. */
export function liteLlmMetrics() {
  const asked = ['requested_model', 'api_key_alias']
  const answered = ['requested_model', 'model', 'api_provider', 'api_key_alias']
  const named = (name: string) => ({ name: `litellm.${name}`, prometheus: `litellm_${name}` })
  const total = (name: string, help: string, attributes: readonly string[], unit = '{request}') =>
    counter({ name: `litellm.${name}`, prometheus: `litellm_${name}_total`, help, attributes, unit })
  const timed = (name: string, help: string) =>
    histogram({ ...named(name), help, attributes: answered, bounds: durations })
  const left = (name: string, help: string, attributes: readonly string[]) =>
    gauge({ ...named(name), help, attributes, unit: '{USD}', shared: true })
  const [key, team] = [['api_key_alias'], ['team_alias']]
  const fallback = ['requested_model', 'fallback_model', 'exception_class']
  return {
    requests: total('proxy_total_requests_metric', 'Requests.', [...asked, 'status_code']),
    failed: total('proxy_failed_requests_metric', 'Requests that failed.', [
      ...asked,
      'status_code',
      'exception_class',
    ]),
    total: timed('request_total_latency_metric', 'Time from the arrival of a request until its answer was sent.'),
    upstream: timed('llm_api_latency_metric', 'Time that the providers took for a request.'),
    firstToken: timed('llm_api_time_to_first_token_metric', 'Time until the first content of a stream.'),
    input: total('input_tokens_metric', 'Tokens of requests.', answered, '{token}'),
    output: total('output_tokens_metric', 'Tokens of answers.', answered, '{token}'),
    spend: total('spend_metric', 'US dollars.', answered, '{USD}'),
    fallbacks: total('deployment_successful_fallbacks', 'Fallbacks that answered.', fallback),
    failedFallbacks: total('deployment_failed_fallbacks', 'Fallbacks that failed too.', fallback),
    keyBudgetLeft: left('remaining_api_key_budget_metric', "What is left of a key's budget, in US dollars.", key),
    keyBudget: left('api_key_max_budget_metric', "A key's budget, in US dollars.", key),
    teamBudgetLeft: left('remaining_team_budget_metric', "What is left of a project's budget, in US dollars.", team),
    teamBudget: left('team_max_budget_metric', "A project's budget, in US dollars.", team),
  }
}
