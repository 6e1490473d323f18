import * as v from 'valibot'
import { countFromOne, seconds } from '../values.ts'

const caching = {
  /** Seconds for which an answer is kept. */
  ttl: seconds,
  /**
   * Who may get an answer that another request got: those with the same key (`key`, the default), all keys of its project,
   * or everybody.
   */
  scope: v.optional(v.picklist(['key', 'project', 'public'])),
  /** Whether answers of models that stood in are kept too, as those of their own names. Default false. */
  cacheFallbacks: v.optional(v.boolean()),
  /** Bytes of an answer; longer ones aren't kept. Default 1 MB. */
  maxEntryBytes: v.optional(countFromOne),
}
export const modelCache = v.strictObject(caching)
export const cache = v.strictObject({
  ...caching,
  /** Bytes of all kept answers in the memory of a process. Default 64 MB. Read at the start only. */
  maxBytes: v.optional(countFromOne),
  /**
   * Whether requests at once share an answer on Workers too, in Durable Objects that are bound as FLIGHTS. Default false.
   * Elsewhere they always do.
   */
  singleFlight: v.optional(v.boolean()),
})
