import * as v from 'valibot'
import { count, countFromOne, fields, name, partOf, stringOr, weight } from '../values.ts'
import { dropParams, limits, perMinute } from './limits.ts'
import { price } from './price.ts'

const capabilities = {
  /** The model's context in tokens; longer requests go to another deployment. */
  contextWindow: v.optional(countFromOne),
  /** The most tokens that one of its answers may have: for the list of models, and where a request is translated. */
  maxOutput: v.optional(countFromOne),
  /** The most tokens that a picture takes, for budgets. Default: 48169, and one for each byte of its data. */
  imageTokens: v.optional(countFromOne),
  /** The most tokens that a file takes, such as a document or a video, for budgets. Default: they are refused under one. */
  fileTokens: v.optional(countFromOne),
  /** What the model can't do: `{ tools: false }`. With `dimensions: true` its vectors may be cut, and are cut here. */
  supports: v.optional(
    v.strictObject({
      tools: v.optional(v.boolean()),
      vision: v.optional(v.boolean()),
      audio: v.optional(v.boolean()),
      schema: v.optional(v.boolean()),
      dimensions: v.optional(v.boolean()),
      logprobs: v.optional(v.boolean()),
    }),
  ),
}

const deployment = v.strictObject({
  /** `provider/model`. */
  model: name,
  /** Share of the requests among the model's deployments. Default 1. */
  weight: v.optional(weight),
  /** Priority: deployments with a higher number are tried after all those with a lower one. Default 1. */
  order: v.optional(count),
  /** Requests and tokens per minute. Beyond them other deployments come first. */
  rpm: v.optional(countFromOne),
  tpm: v.optional(countFromOne),
  /** In US dollars per million tokens, or by the piece. Default: what the provider's list says. */
  price: v.optional(price),
  /** Request fields that this deployment sets if the client does not. */
  params: v.optional(fields),
  /** Request fields that this deployment sets even if the client does. */
  overrides: v.optional(fields),
  dropParams,
  ...capabilities,
})

export const model = v.strictObject({
  deployments: v.pipe(v.array(stringOr(deployment)), v.minLength(1, 'at least one deployment')),
  fallbacks: v.optional(v.array(name)),
  /** Models for requests that are too long for this one, tried before `fallbacks` then. */
  contextWindowFallbacks: v.optional(v.array(name)),
  /** Models for requests that this one refuses because of their content. Without it such a refusal is final. */
  contentPolicyFallbacks: v.optional(v.array(name)),
  /** Requests and tokens a minute for all clients together. More are refused. */
  ...perMinute,
  /** Another model that gets a copy of `percent` of the requests. Its answers are dropped. */
  shadow: v.optional(
    v.strictObject({
      model: name,
      percent: partOf(100),
    }),
  ),
  ...limits,
})
