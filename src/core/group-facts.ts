import type { ModelFacts, Price } from '../wire/model-facts.ts'
import type { Deployment, Known } from './catalog.ts'
import { entryOf } from './listed.ts'

/**
 * Sizes are those that every deployment keeps, as far as they are known, so that all of them stay of use; an ability is
 * there if one has it, because requests that need it go to that one; none costs more than the price.
 */
export function factsOfAll(deployments: readonly Deployment[], lists: Known): ModelFacts {
  const usable = deployments.filter(({ provider }) => !provider.unavailable)
  const all = (usable.length > 0 ? usable : deployments).map((deployment) => factsOf(deployment, lists))
  const [only] = all
  return all.length === 1 && only ? only : shared(all)
}

function factsOf({ known, provider, model }: Deployment, lists: Known): ModelFacts {
  const { supports, ...entry } = entryOf(model, lists.get(provider.name)) ?? { id: model }
  const both = { ...supports, ...known.supports }
  return { ...entry, ...known, ...(Object.keys(both).length > 0 && { supports: both }) }
}

function shared(all: readonly ModelFacts[]): ModelFacts {
  const contextWindow = least(all.map((facts) => facts.contextWindow))
  const maxOutput = least(all.map((facts) => facts.maxOutput))
  const inputs = union(all.map((facts) => facts.inputs))
  const outputs = union(all.map((facts) => facts.outputs))
  const parameters = union(all.map((facts) => facts.parameters))
  const reasons = some(all.map((facts) => facts.reasons))
  const price = highest(all.map((facts) => facts.price))
  return {
    ...(contextWindow !== undefined && { contextWindow }),
    ...(maxOutput !== undefined && { maxOutput }),
    ...(inputs && { inputs }),
    ...(outputs && { outputs }),
    ...(parameters && { parameters }),
    ...(reasons !== undefined && { reasons }),
    ...(price && { price }),
    supports: supportsOf(all),
  }
}

function supportsOf(all: readonly ModelFacts[]): NonNullable<ModelFacts['supports']> {
  const names = ['tools', 'vision', 'audio', 'schema', 'dimensions', 'logprobs'] as const
  const told = names.map((name) => [name, some(all.map(({ supports }) => supports?.[name]))] as const)
  return Object.fromEntries(told.filter(([, value]) => value !== undefined))
}

/** False only where all say so: one that is silent may be able to. */
function some(flags: readonly (boolean | undefined)[]): boolean | undefined {
  if (flags.includes(true)) return true
  return flags.includes(undefined) ? undefined : false
}

function least(numbers: readonly (number | undefined)[]): number | undefined {
  const known = numbers.filter((number) => number !== undefined)
  return known.length > 0 ? Math.min(...known) : undefined
}

function union(lists: readonly (readonly string[] | undefined)[]): readonly string[] | undefined {
  const all = new Set(lists.flatMap((list) => list ?? []))
  return all.size > 0 ? [...all] : undefined
}

/** Undefined if one of the prices isn't known: that one may be higher. */
function highest(prices: readonly (Price | undefined)[]): Price | undefined {
  const known = prices.filter((price) => price !== undefined)
  if (known.length < prices.length) return undefined
  const most = (side: 'input' | 'output') => Math.max(...known.map((price) => price[side]))
  return { input: most('input'), output: most('output') }
}
