import type { Deployment } from './catalog.ts'
import { contextWindowOf, entryOf, type Listed, priceOf } from './listed.ts'
import type { Capability } from './operation.ts'
import type { Circumstances, Query, Skipped } from './plan.ts'
import { exclusionOf } from './preferences.ts'
import type { Provider } from './provider.ts'

/** Why a deployment is skipped. */
export type Reason = Omit<Skipped, 'name'>

/** Why a deployment can't serve a request, as far as is known without asking it. */
export function findObstacle(query: Query, deployment: Deployment, listed: Listed): Reason | undefined {
  const { provider } = deployment
  if (provider.unavailable) return { kind: 'no_live_provider', why: provider.unavailable }
  if (!serves(provider, query)) {
    return { kind: 'wrong_endpoint', why: `${provider.definition.title} does not serve ${query.path}` }
  }
  const entry = entryOf(deployment.model, listed)
  if (!entry && listed && listed.size > 0 && provider.definition.answersAnyName) {
    return { kind: 'not_found', why: `${provider.name} serves ${[...listed.keys()].join(', ')} only` }
  }
  for (const need of query.needs) {
    const supported = deployment.known.supports?.[need] ?? entry?.supports?.[need]
    if (supported === false) {
      return { kind: 'incapable', why: `it is not capable of ${capabilityNames[need]}`, lacks: need }
    }
  }
  const window = contextWindowOf(deployment, listed)
  if (window !== undefined && query.tokens > window) {
    return {
      kind: 'context_length',
      why:
        `This model's maximum context length is ${window} tokens. However, your messages need at least ` +
        `${query.tokens} tokens. Please reduce the length of the messages.`,
    }
  }
  return undefined
}

function serves({ operations }: Provider, { operation, over }: Query): boolean {
  return operations[operation] !== undefined || (over !== undefined && operations[over] !== undefined)
}

/** Why a request doesn't want a deployment. */
export function findExclusion(query: Query, deployment: Deployment, circumstances: Circumstances): Reason | undefined {
  const { preferences, operation } = query
  if (!preferences?.provider) return undefined
  const exclusion = exclusionOf(preferences.provider, deployment, () => ({
    price: priceOf(deployment, circumstances.known),
    refused: circumstances.refused?.(operation, deployment.label) ?? [],
  }))
  if (exclusion || !preferences.provider.required) return exclusion
  const lack = lackOf(query, deployment, circumstances)
  return lack && { kind: 'unsupported', why: lackAdmitted(lack) }
}

/** Why a deployment is left alone for now. */
export function findRest(query: Query, { label, rate }: Deployment, circumstances: Circumstances): Reason | undefined {
  const { now } = circumstances
  const health = circumstances.health?.(label)
  if (!health) return undefined
  const wait = health.breaker?.wait(now) ?? 0
  if (wait > 0) {
    return { kind: 'cooldown', why: `it is in cooldown after failures, for ${Math.ceil(wait / 1000)} s at most` }
  }
  const over = rate && health.use.over(rate, query.tokens, now)
  return over && { kind: `over_${over}`, why: `it has been asked for its ${rate[over]} ${over} of this minute` }
}

/** What a request needs that a deployment lately said it can't do. */
export function lackOf(
  { needs }: Query,
  { label }: Deployment,
  { shortcomings }: Circumstances,
): Capability | undefined {
  if (!shortcomings || needs.size === 0) return undefined
  return [...needs].find((need) => shortcomings.has(label, need))
}

export function lackAdmitted(lack: Capability): string {
  return `it said that it is not capable of ${capabilityNames[lack]}`
}

const capabilityNames: Readonly<Record<Capability, string>> = {
  tools: 'calling tools',
  vision: 'reading images',
  audio: 'listening to audio',
  schema: 'keeping to a JSON schema',
  dimensions: 'shortening its vectors',
  logprobs: 'telling log probabilities',
}
