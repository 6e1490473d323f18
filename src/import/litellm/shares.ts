import type { Draft } from '../draft.ts'
import type { Item } from '../notes.ts'

/** The largest weight that there may be. */
const most = 1_000_000

/**
 * LiteLLM's shuffle draws by `weight`, or else by `rpm`, or else by `tpm`; a deployment without the one that counts is never
 * drawn. https://docs.litellm.ai/docs/routing
 */
export function shareByRate(root: Item, router: Item, draft: Draft): void {
  const strategy = router.fields.routing_strategy ?? 'simple-shuffle'
  if (strategy !== 'simple-shuffle') return
  for (const [name, { deployments }] of draft.models) {
    if (deployments.length < 2) continue
    const metric = (['weight', 'rpm', 'tpm'] as const).find((key) =>
      deployments.some(({ fields }) => (fields[key] ?? 0) > 0),
    )
    if (metric === undefined) continue
    const shares = deployments.map(({ fields }) => fields[metric] ?? 0)
    const missing = deployments.some(({ fields }) => fields[metric] === undefined)
    const weights = metric === 'weight' ? shares : scaled(shares)
    const same = weights.every((weight) => weight === weights[0])
    for (const [at, deployment] of deployments.entries()) {
      if (metric === 'weight' || !same) Object.assign(deployment.fields, { weight: weights[at] })
    }
    if ((metric !== 'weight' && !same) || missing) {
      const why = missing
        ? `of ${JSON.stringify(name)}, deployments without ${metric} are last, since LiteLLM draws by ${metric}`
        : `the share of the requests too, as weight, since LiteLLM draws by ${metric}`
      root.notes.changed(root.at('model_list'), why, () => ['models', name])
    }
  }
}

/** The same shares in small whole numbers. */
function scaled(shares: readonly number[]): number[] {
  const divisor = shares.reduce(greatestCommon, 0) || 1
  const small = shares.map((share) => share / divisor)
  const largest = Math.max(...small)
  return largest <= most ? small : small.map((share) => Math.round((share / largest) * most))
}

function greatestCommon(one: number, other: number): number {
  return other === 0 ? one : greatestCommon(other, one % other)
}
