import * as v from 'valibot'
import { name, text } from '../values.ts'

export const provider = v.looseObject({
  type: name,
  /** `env:NAME`, or `client` to send the caller's own key. */
  apiKey: v.optional(text),
  baseURL: v.optional(text),
  headers: v.optional(v.record(v.string(), text)),
  /** Whether it routes by `models`, `fallbacks` and `provider` of a request itself. Default: only OpenRouter does. */
  routes: v.optional(v.boolean()),
  /**
   * Whether it is told to which trace a request belongs, by `traceparent`. Default false: it would learn which requests
   * belong together.
   */
  trace: v.optional(v.boolean()),
})
