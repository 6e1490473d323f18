import * as v from 'valibot'
import { chosen, countFromOne, dollars, factor, named } from '../values.ts'

const maybeDollars = v.optional(dollars)

/** In US dollars per million tokens. */
const rates = {
  input: dollars,
  output: dollars,
  /** Input that is read from a cache. Default: as `input`, and so for the others. */
  cachedInput: maybeDollars,
  /** Input that is written to a cache. */
  cacheWrite: maybeDollars,
  /** Input that is written to a cache for an hour. Default: as `cacheWrite`. */
  cacheWrite1h: maybeDollars,
  audioInput: maybeDollars,
  cachedAudioInput: maybeDollars,
  imageInput: maybeDollars,
  cachedImageInput: maybeDollars,
  audioOutput: maybeDollars,
  imageOutput: maybeDollars,
  /** In US dollars for a picture that is made. */
  image: maybeDollars,
  /** In US dollars for a minute of audio that is heard. */
  minute: maybeDollars,
  /** In US dollars for a million characters of text that are spoken. */
  characters: maybeDollars,
  /** In US dollars for a request. */
  request: maybeDollars,
  /** In US dollars for a search of the web by the provider. */
  search: maybeDollars,
}

const otherPrice = v.strictObject(rates)

export const price = v.strictObject({
  ...rates,
  /** Other prices for all of a request whose input is longer than `above` tokens. */
  tiers: v.optional(v.array(v.strictObject({ above: countFromOne, ...rates }))),
  /** By name, such as `flex` or `priority`: a multiple of the price, or one of its own. */
  serviceTiers: v.optional(
    named(chosen([factor, otherPrice], (input) => (typeof input === 'object' ? otherPrice : factor))),
  ),
})
