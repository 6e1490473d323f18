import * as v from 'valibot'
import { countFromOne, dollars, name, named, names } from '../values.ts'
import { perMinute } from './limits.ts'

export const key = v.strictObject({
  /** `env:NAME`. */
  key: name,
  /** By which logs and metrics know it. Default: the name of the variable. */
  name: v.optional(name),
  /** The models that it may ask for, by the names that clients use. `*` is any text without a slash. Default: all. */
  models: v.optional(names),
  /** Requests a minute, and tokens of prompts and answers. More are refused. */
  ...perMinute,
  /** The same for single models. */
  modelLimits: v.optional(named(v.strictObject(perMinute))),
  /** The same for each `user` that the client names. */
  userLimits: v.optional(v.strictObject(perMinute)),
  /** Requests at once. */
  parallel: v.optional(countFromOne),
  /** In US dollars, for each day, week or month by `budgetReset`, or for ever. Needs `state`. */
  budget: v.optional(dollars),
  budgetReset: v.optional(v.picklist(['daily', 'weekly', 'monthly'])),
  /**
   * `exact`, the default: a request reserves the most that it may cost. `estimate`: it reserves what it is likely to, so
   * that the budget may be exceeded by a little.
   */
  budgetMode: v.optional(v.picklist(['exact', 'estimate'])),
  /** Whether it may ask for what has no bound, such as a provider's own tools, although it has a budget. Default false. */
  allowUnbounded: v.optional(v.boolean()),
  /** What becomes of its requests where `state` fails: as in `state.onStoreError`, which is the default. */
  onStoreError: v.optional(v.picklist(['refuse', 'admit'])),
  /** `false`: it gets no answer that was kept, and none of its own is. */
  cache: v.optional(v.boolean()),
})
