import { Bill } from './bill.ts'
import { hasTokenRates, serviceTariff } from './cost.ts'
import type { Money } from './money.ts'
import type { Rates, Tariff, Tariffs } from './rates.ts'
import type { Pieces } from './usage.ts'

/** What tokens may be, which is billed apart. */
export type TokenKind = 'cacheWrite' | 'cacheWrite1h' | 'audioInput' | 'imageInput' | 'audioOutput' | 'imageOutput'

/** The most that a request can use. */
export interface Bound extends Pieces {
  /** In tokens, whatever they are: text, audio, pictures. */
  readonly input: number
  /** In tokens, reasoning included. */
  readonly output: number
  /** The service tier that it asks for. Undefined: it leaves the choice to the provider. */
  readonly service?: string | undefined
  /** What it can't have, such as audio in a request that is only text. Absent: it may have anything. */
  readonly without?: ReadonlySet<TokenKind> | undefined
}

/**
 * The most that a request can cost: at the dearest of the rates, tiers and service tiers that it can reach, with nothing
 * from a cache. `costOf` is never more for a usage within the bound. Undefined: that can't be told.
 */
export function worstCost(tariffs: Tariffs, bound: Bound): Money | undefined {
  const reachable = reachableTariffs(tariffs, bound.service)
  let worst: Money | undefined
  for (const { rates, tiers } of reachable ?? []) {
    const all = [rates, ...tiers.filter(({ above }) => bound.input > above).map((tier) => tier.rates)]
    for (const one of all) {
      const most = mostAt(one, bound)
      if (most === undefined) return undefined
      worst = Math.max(worst ?? 0, most)
    }
  }
  return worst
}

/** A provider may serve a request at its standard tier, whatever is asked for; at a better one only if it may choose. */
function reachableTariffs(tariffs: Tariffs, service: string | undefined): readonly Tariff[] | undefined {
  if (service === undefined || service === 'auto') return [tariffs, ...tariffs.services.values()]
  const asked = serviceTariff(tariffs, service)
  return asked && [tariffs, asked]
}

function mostAt(rates: Rates, bound: Bound): Money | undefined {
  const bill = new Bill()
  if (hasTokenRates(rates)) {
    bill.add(bound.input, dearest(rates.input, dearInputs, rates, bound))
    bill.add(bound.output, dearest(rates.output, dearOutputs, rates, bound))
  }
  bill.addPieces(rates, bound)
  return bill.total
}

const dearInputs = [
  ['cachedInput', undefined],
  ['cacheWrite', 'cacheWrite'],
  ['cacheWrite1h', 'cacheWrite1h'],
  ['audioInput', 'audioInput'],
  ['cachedAudioInput', 'audioInput'],
  ['imageInput', 'imageInput'],
  ['cachedImageInput', 'imageInput'],
] as const

const dearOutputs = [
  ['audioOutput', 'audioOutput'],
  ['imageOutput', 'imageOutput'],
] as const

/** Undefined: tokens of the plain kind, which there may always be, have no rate. */
function dearest(
  plain: number | undefined,
  others: typeof dearInputs | typeof dearOutputs,
  rates: Rates,
  { without }: Bound,
): number | undefined {
  if (plain === undefined) return undefined
  return others.reduce((most, [name, part]) => {
    const reached = part === undefined || !without?.has(part)
    return reached ? Math.max(most, rates[name] ?? 0) : most
  }, plain)
}
