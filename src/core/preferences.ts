import type { JsonObject } from '../wire/json.ts'
import type { Deployment, Limits, RoutingStrategy } from './catalog.ts'
import type { Demand } from './operation.ts'
import type { Price } from './provider.ts'
import { areSynonyms } from './synonyms.ts'

/** What a request says of its own routing. */
export interface Preferences {
  /** Models to try when the requested one fails, instead of its configured fallbacks. */
  readonly models: readonly NamedModel[]
  /** Whether models that the request doesn't name may stand in. */
  readonly standIns: boolean
  readonly provider?: ProviderPreferences | undefined
  readonly limits?: RequestLimits | undefined
}

/** A model that the request names after the first. */
export interface NamedModel {
  readonly name: string
  /** Fields that differ for this model, and what the request requires of it with them. */
  readonly differing?: { readonly fields: JsonObject; readonly demand: Demand }
}

/** Providers go by their configured name or by their type. */
export interface ProviderPreferences {
  readonly order: readonly string[]
  readonly only: readonly string[] | undefined
  readonly ignore: readonly string[]
  readonly allowFallbacks: boolean
  /** The request's fields, all of which are to be supported. */
  readonly required: readonly string[] | undefined
  readonly sort: RoutingStrategy | undefined
  /** In US dollars per million tokens. */
  readonly maxPrice: { readonly prompt: number; readonly completion: number } | undefined
}

/** Times in milliseconds. */
export interface RequestLimits {
  readonly timeout?: number | undefined
  readonly streamTimeout?: number | undefined
  readonly retries?: number | undefined
}

/** Why a deployment doesn't fit the request's preferences. */
export type Exclusion = 'excluded' | 'over_price' | 'unsupported'

/** What is known of a deployment that preferences may be about. */
export interface Facts {
  readonly price: Price | undefined
  /** Fields that it refused before. */
  readonly refused: readonly string[]
}

/** Why a deployment must not be tried for a request; undefined if it may be, as far as is known. */
export function exclusionOf(
  { order, only, ignore, allowFallbacks, required, maxPrice }: ProviderPreferences,
  deployment: Deployment,
  facts: () => Facts,
): { readonly kind: Exclusion; readonly why: string } | undefined {
  const among = (names: readonly string[]) => rankOf(deployment, names) < names.length
  if (among(ignore)) return { kind: 'excluded', why: 'the request ignores its provider' }
  if ((only && !among(only)) || (!allowFallbacks && order.length > 0 && !among(order))) {
    return { kind: 'excluded', why: 'its provider is none of those that the request allows' }
  }
  if (!maxPrice && !required) return undefined
  const { price, refused } = facts()
  if (maxPrice && price && (price.input > maxPrice.prompt || price.output > maxPrice.completion)) {
    return { kind: 'over_price', why: `it costs $${price.input} and $${price.output} per million tokens` }
  }
  const lacking = required?.find((field) => refused.includes(field))
  return lacking === undefined ? undefined : { kind: 'unsupported', why: `it refused ${lacking} before` }
}

/** Where a deployment's provider is in `names`; their number if it isn't there. */
export function rankOf({ provider: { name, definition } }: Deployment, names: readonly string[]): number {
  const at = names.findIndex((one) => one === name || one === definition.type)
  return at < 0 ? names.length : at
}

/** A request can shorten times, since a longer one would hold sockets that the configuration doesn't want held. */
export function limitsFor(limits: Limits, { limits: own, provider }: Preferences): Limits {
  const { sort } = provider ?? {}
  return {
    ...limits,
    timeout: Math.min(limits.timeout, own?.timeout ?? limits.timeout),
    streamTimeout: Math.min(limits.streamTimeout, own?.streamTimeout ?? limits.streamTimeout),
    retries: own?.retries ?? limits.retries,
    // A session would outrank the wish.
    ...(sort && { routingStrategy: sort, sticky: false }),
  }
}

/** The deployment for a request with other fields. What the configuration overrides stays so. */
export function withFields(deployment: Deployment, fields: JsonObject): Deployment {
  const fixed = Object.keys(deployment.overrides)
  const free = Object.entries(fields).filter(([name]) => !fixed.some((one) => one === name || areSynonyms(one, name)))
  return { ...deployment, overrides: { ...Object.fromEntries(free), ...deployment.overrides } }
}
