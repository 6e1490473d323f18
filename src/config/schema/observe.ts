import * as v from 'valibot'
import { share } from '../values.ts'

export const logging = v.strictObject({
  /** What is less grave isn't written. `info`, the default, is a line for each request; `warn` for those with trouble. */
  level: v.optional(v.picklist(['silent', 'error', 'warn', 'info', 'debug'])),
  /** `json`, the default on Workers, or `text`. */
  format: v.optional(v.picklist(['json', 'text'])),
  /** The share of the requests without trouble that are written. Default 1. */
  sample: v.optional(share),
  /** Whether what was asked and answered is written too, without what looks like a key. Default false. */
  content: v.optional(v.boolean()),
})
export const metrics = v.strictObject({ names: v.optional(v.picklist(['gen_ai', 'litellm'])) })
