import { Bill } from './bill.ts'
import { hasTokenRates, serviceTariff } from './cost.ts'
import type { Money } from './money.ts'
import type { Rates, Tariff, Tariffs } from './rates.ts'
import type { Pieces } from './usage.ts'

/** What tokens may be, which is billed apart. */
export type TokenKind = 'cacheWrite' | 'cacheWrite1h' | 'audioInput' | 'imageInput' | 'audioOutput' | 'imageOutput'

/** The most that a request can use. */
export interface Bound {
  /** In tokens, whatever they are: text, audio, pictures. */
  readonly input: number
  /** In tokens, reasoning included. */
  readonly output: number
  /** What it can't have, such as audio in a request that is only text. Absent: it may have anything. */
  readonly without?: ReadonlySet<TokenKind> | undefined
  /** What is billed by the piece. Absent: nothing is. */
  readonly pieces?: Pieces | undefined
  /** In tokens: of pictures, where they have a rate, and as far as that is more than all of the output. Absent: none. */
  readonly drawn?: number | undefined
}

/**
 * The most that a request can cost: at the dearest of the rates, tiers and service tiers that it can reach, with nothing
 * from a cache. `costOf` is never more for a usage within the bound. Undefined: that can't be told.
 *
 * `service`: the service tier that it asks for; undefined: it leaves the choice to the provider. That may serve it at its
 * standard tier, whatever is asked for; at a better one only if it may choose.
 */
export function worstCost(tariffs: Tariffs, bound: Bound, service?: string): Money | undefined {
  if (service === undefined || service === 'auto') {
    let worst = dearestOf(tariffs, bound)
    for (const one of tariffs.services.values()) worst = larger(worst, dearestOf(one, bound))
    return worst
  }
  const asked = serviceTariff(tariffs, service)
  const standard = asked && dearestOf(tariffs, bound)
  return asked === tariffs ? standard : asked && larger(standard, dearestOf(asked, bound))
}

function dearestOf({ rates, tiers }: Tariff, bound: Bound): Money | undefined {
  let worst = mostAt(rates, bound)
  for (const tier of tiers) if (bound.input > tier.above) worst = larger(worst, mostAt(tier.rates, bound))
  return worst
}

/** Undefined if either can't be told. */
function larger(one: Money | undefined, other: Money | undefined): Money | undefined {
  return one === undefined || other === undefined ? undefined : Math.max(one, other)
}

function mostAt(rates: Rates, { input, output, without, pieces = noPieces, drawn = 0 }: Bound): Money | undefined {
  const bill = new Bill()
  if (hasTokenRates(rates)) {
    const dearest = dearestIn(rates, without)
    bill.add(input, dearest.input)
    bill.add(rates.imageOutput === undefined ? output : Math.max(output, drawn), dearest.output)
  }
  bill.addPieces(rates, pieces)
  return bill.total
}

const noPieces: Pieces = {}

/** The dearest rates of what a token may be. Undefined: one of the plain kind, which there may always be, has none. */
interface Dearest {
  readonly without: ReadonlySet<TokenKind> | undefined
  readonly input: number | undefined
  readonly output: number | undefined
}

/** Of each rates the last: almost all requests lack the same. */
const known = new WeakMap<Rates, Dearest>()

function dearestIn(rates: Rates, without: ReadonlySet<TokenKind> | undefined): Dearest {
  const found = known.get(rates)
  if (found && found.without === without) return found
  const made = {
    without,
    input: dearest(rates.input, dearInputs, rates, without),
    output: dearest(rates.output, dearOutputs, rates, without),
  }
  known.set(rates, made)
  return made
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

function dearest(
  plain: number | undefined,
  others: typeof dearInputs | typeof dearOutputs,
  rates: Rates,
  without: Bound['without'],
): number | undefined {
  if (plain === undefined) return undefined
  return others.reduce((most, [name, part]) => {
    const reached = part === undefined || !without?.has(part)
    return reached ? Math.max(most, rates[name] ?? 0) : most
  }, plain)
}
