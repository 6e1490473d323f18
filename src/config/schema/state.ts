import * as v from 'valibot'
import { countFromOne, name } from '../values.ts'

export const state = v.strictObject({
  /** `file:samewire.db`, or `postgres://…` as `env:NAME`. `SAMEWIRE_STATE` wins. Read at the start only. */
  url: name,
  /**
   * What becomes of requests where it fails: `refuse` answers 503, `admit` lets them go on and counts them later. Default:
   * those of keys with a budget are refused, and others go on.
   */
  onStoreError: v.optional(v.picklist(['refuse', 'admit'])),
  /** Days for which each request is kept. Sums of hours are kept for ever. Default 30. */
  retention: v.optional(countFromOne),
  /** Days for which responses, chats and conversations are kept that clients have stored. Default 30. */
  objects: v.optional(
    v.strictObject({
      retention: v.optional(countFromOne),
      /** Whether the provider of a chat that is stored is asked to store it too. Default false. */
      passOn: v.optional(v.boolean()),
    }),
  ),
})
