import { once } from '../core/late.ts'
import { Catalogue } from './catalogue.ts'

/** Reads the prices that come with the gateway. Whoever doesn't count money never does. */
export const loadPrices: () => Promise<Catalogue> = once(async () => {
  const { default: file } = await import('./catalogue.json', { with: { type: 'json' } })
  return new Catalogue(file as unknown as ConstructorParameters<typeof Catalogue>[0])
})
