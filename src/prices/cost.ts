import type { Tokens } from '../core/tokens.ts'
import { Bill } from './bill.ts'
import type { Money } from './money.ts'
import type { Rates, Tariff, Tariffs } from './rates.ts'
import type { Usage } from './usage.ts'

/** Names of service tiers that never cost more than the standard one, for prices that say nothing of them. */
const notDearer: ReadonlySet<string> = new Set([
  ...['default', 'auto', 'standard', 'standard_only', 'on_demand', 'flex', 'batch', 'scale'],
])

/**
 * What a request costs. Each token counts once, at the rate of what it is; where that has none, at the one of what it is
 * a part of. Undefined: the price doesn't cover it, such as a service tier that may cost more than the standard one.
 */
export function costOf(tariffs: Tariffs, usage: Usage): Money | undefined {
  const tariff = serviceTariff(tariffs, usage.service)
  if (!tariff) return undefined
  const { tokens } = usage
  const rates = ratesFor(tariff, tokens?.input ?? 0)
  const bill = new Bill()
  // Who bills by the piece alone may count tokens all the same.
  if (tokens && hasTokenRates(rates)) {
    addInput(bill, rates, tokens)
    addOutput(bill, rates, tokens)
  } else if (!tokens && costsTokens(rates)) return undefined
  bill.addPieces(rates, usage)
  return bill.total
}

/** Undefined: it may cost more than the standard one, and nobody said how much. */
export function serviceTariff(tariffs: Tariffs, service: string | undefined): Tariff | undefined {
  if (service === undefined) return tariffs
  return tariffs.services.get(service) ?? (notDearer.has(service) ? tariffs : undefined)
}

export function hasTokenRates({ input, output }: Rates): boolean {
  return input !== undefined || output !== undefined
}

/** Whether it must be known how many there were. */
function costsTokens({ input = 0, output = 0 }: Rates): boolean {
  return input + output > 0
}

function ratesFor({ rates, tiers }: Tariff, input: number): Rates {
  for (const tier of tiers) if (input > tier.above) return tier.rates
  return rates
}

/** Parts that add up to more than there is are cut: the whole is what is billed. */
function addInput(bill: Bill, rates: Rates, { input: all, cached, parts }: Tokens): void {
  const { input, cachedInput = input } = rates
  let left = all
  const add = (count: number, rate: number | undefined) => {
    const part = Math.max(0, Math.min(count, left))
    left -= part
    bill.add(part, rate)
  }
  if (!parts) add(cached, cachedInput)
  else {
    const { cacheWrite = input, audioInput = input, imageInput = input } = rates
    const { cacheWrite1h = cacheWrite, cachedAudioInput = audioInput, cachedImageInput = imageInput } = rates
    add(parts.audioInput - parts.cachedAudioInput, audioInput)
    add(parts.imageInput - parts.cachedImageInput, imageInput)
    add(parts.cachedAudioInput, cachedAudioInput)
    add(parts.cachedImageInput, cachedImageInput)
    add(parts.cacheWrite1h, cacheWrite1h)
    add(parts.cacheWrite - parts.cacheWrite1h, cacheWrite)
    add(cached - parts.cachedAudioInput - parts.cachedImageInput, cachedInput)
  }
  bill.add(left, input)
}

function addOutput(bill: Bill, rates: Rates, { output: all, parts }: Tokens): void {
  const { output, audioOutput = output, imageOutput = output } = rates
  const audio = Math.min(parts?.audioOutput ?? 0, all)
  const images = Math.min(parts?.imageOutput ?? 0, all - audio)
  bill.add(audio, audioOutput)
  bill.add(images, imageOutput)
  bill.add(all - audio - images, output)
}
