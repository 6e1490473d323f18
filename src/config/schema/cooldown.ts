import * as v from 'valibot'
import { countFromOne, partOf, seconds } from '../values.ts'

/** Times in seconds. */
export const cooldown = v.strictObject({
  /** Failures in a row after which a deployment is left alone. Default 5. */
  allowedFails: v.optional(countFromOne),
  /** The share of failures after which it is, from `minRequests` in the last `window` on. Default 0.5. */
  failureRate: v.optional(partOf(1)),
  /** Default 20. */
  minRequests: v.optional(countFromOne),
  /** Default 30. */
  window: v.optional(seconds),
  /** How long, at first. It doubles each time, up to `maxCooldownTime`. Default 5. */
  cooldownTime: v.optional(seconds),
  /** Default 120. */
  maxCooldownTime: v.optional(seconds),
})
