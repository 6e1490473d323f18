import type { Admittance } from '../core/account.ts'
import { askedFields } from '../core/asked.ts'
import type { Unbounded } from '../core/bounding.ts'
import type { Deployment } from '../core/catalog.ts'
import type { Plan, Target } from '../core/plan.ts'
import type { Priced } from '../prices/book.ts'
import type { RequestBody } from '../wire/body.ts'
import { stringAt } from '../wire/json.ts'
import { inTier, unpriced } from './refusals.ts'

/** The plan of what has a price. Throws if nothing of it has. `whose`: who pays, in words. */
export function payablePlan(plan: Plan, whose: string, priceOf: (deployment: Deployment) => Priced | undefined): Plan {
  const unknown = plan.targets.filter(({ deployment }) => !priceOf(deployment))
  return unknown.length === 0 ? plan : without(plan, unknown, whose)
}

/**
 * The plan without those of whom nobody can tell what a request costs; absent: what any costs. Throws if that is all.
 * `whose`: who pays, in words.
 */
export function without(plan: Plan, unknown: readonly Target[], whose: string, body?: RequestBody): Plan {
  const tierOf = (target: Target | undefined) => target && body && serviceOf(target, body)
  const targets = plan.targets.filter((target) => !unknown.includes(target))
  if (targets.length === 0) throw unpriced(whose, plan.requested, tierOf(unknown[0]))
  const skipped = unknown.map((target) => {
    const what = body ? inTier(tierOf(target)) || ' for such a request' : ''
    const why = `its price${what} isn't known, and the ${whose} has a budget`
    return { name: target.deployment.label, kind: 'unpriced' as const, why }
  })
  return { ...plan, targets, skipped: [...plan.skipped, ...skipped] }
}

/** The service tier that a target is asked for. */
export function serviceOf(target: Target, body: RequestBody): string | undefined {
  return stringAt(askedFields({ target, body }), 'service_tier')
}

const choices = ['models', 'fallbacks', 'provider', 'providerOptions']

/** What a router is to choose: only the price of the first model is known, at its usual servers. */
export function choiceOf({ routed, plan }: Admittance): Unbounded | undefined {
  const param = routed && choices.find((name) => (routed.outline[name] ?? null) !== null)
  if (param !== undefined) return { what: 'a router chooses', param }
  const searches = plan.targets.some(({ deployment: { provider, model } }) => provider.routes && /:online$/.test(model))
  return searches ? { what: 'a web search', param: 'model' } : undefined
}

/** Whether a server may give one answer at once: of others than the format's own, only their answers tell. */
export function mayGiveOne({ deployment: { provider } }: Target): boolean {
  return !provider.definition.keepsFormat?.(provider.settings)
}
