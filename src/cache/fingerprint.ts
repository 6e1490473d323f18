import type { Deployment, ModelGroup } from '../core/catalog.ts'
import type { Provider } from '../core/provider.ts'

const ofProviders = new WeakMap<Provider, string>()
const ofGroups = new WeakMap<ModelGroup, string>()

/**
 * What of the configuration decides what a model answers. Holds the keys of providers: only a digest of it may be kept.
 * Groups that are made for each request are told anew each time.
 */
export function fingerprintOf(group: ModelGroup): string {
  const known = ofGroups.get(group)
  if (known !== undefined) return known
  const { deployments, limits } = group
  const { dropParams, thinkTags, textualCalls, resume } = limits
  const text = JSON.stringify([deployments.map(deploymentText), dropParams, thinkTags, textualCalls, resume])
  ofGroups.set(group, text)
  return text
}

function deploymentText({ provider, label, defaults, overrides, dropParams, known }: Deployment): unknown {
  return [providerText(provider), label, defaults, overrides, dropParams, known.supports]
}

function providerText(provider: Provider): string {
  const known = ofProviders.get(provider)
  if (known !== undefined) return known
  const { definition, settings, callersKey, routes } = provider
  const text = JSON.stringify([definition.type, settings, callersKey, routes])
  ofProviders.set(provider, text)
  return text
}
