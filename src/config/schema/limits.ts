import * as v from 'valibot'
import { routingStrategies } from '../../core/catalog.ts'
import { chosen, count, countFromOne, names, orFalse, seconds, yesOrNoOr } from '../values.ts'
import { modelCache } from './cache.ts'

/** In a minute: requests, and tokens of prompts and of answers. */
export const perMinute = { rpm: v.optional(countFromOne), tpm: v.optional(countFromOne) }

const anyField = v.literal(true, 'true, or a list of request fields')

/**
 * Request fields that change an answer and may be left out where the upstream doesn't support them: `['logprobs']`, or
 * `true` for any. Default: none, such a request is refused. The header `x-samewire-dropped` tells what was left out.
 */
export const dropParams = v.optional(chosen([anyField, names], (input) => (Array.isArray(input) ? names : anyField)))

const hedging = v.strictObject({ after: v.optional(seconds) })

export const limits = {
  /**
   * Seconds for making a connection, with TLS and a WebSocket's handshake. Default 10. Workers can't limit it apart from
   * the rest, except for a WebSocket.
   */
  connectTimeout: v.optional(seconds),
  /**
   * Seconds for a whole answer, or until the first content of a stream. The rest of a stream has no limit of its own:
   * `idleTimeout` ends a silence in it, and after `requestTimeout` no further attempt begins. Default 600.
   */
  timeout: v.optional(seconds),
  /** Seconds until the first content of a stream, cold loads included. Default 120. */
  streamTimeout: v.optional(seconds),
  /** Seconds between two events of a stream with content, a finish or usage. Default 120. */
  idleTimeout: v.optional(seconds),
  /** How often to retry on the same deployment, up to 20 times, which takes over a minute. Default 2. */
  retries: v.optional(v.pipe(count, v.maxValue(20, 'a whole number up to 20'))),
  /**
   * How closely a Worker checks the streams that it passes on untranslated. `checked`: it checks every event before
   * sending it. `observed`: the runtime pipes the stream, for a fraction of the CPU, and the gateway checks it with a
   * delay. `untouched`: no check after the first content. Default: `observed` if the provider is known to end its
   * streams correctly, else `checked`. On Node, and where a stream is translated, every event is checked regardless.
   */
  streams: v.optional(v.picklist(['observed', 'checked', 'untouched'])),
  /**
   * Sends a stream's request a second time if its first content is late: later than 95 % of the deployment's latest
   * streams, or than `after` seconds. Costs up to a twentieth more requests. Default: false.
   */
  hedge: v.optional(yesOrNoOr(hedging)),
  /**
   * Which of a model's deployments is tried first. `simple-shuffle` (the default): chance, by weight. `least-busy`: the
   * one with the fewest requests in progress. `latency-based`: of two, the one that answers sooner. `cost-based`: the
   * cheapest. `usage-based`: the one with the most of its `rpm` and `tpm` left.
   */
  routingStrategy: v.optional(v.picklist(routingStrategies)),
  /**
   * Whether requests with the same header `x-session-id` or `prompt_cache_key` go to the same deployment, so that its
   * cached prompts are of use. Default: they do. With `true` also those with the same `user`.
   */
  sticky: v.optional(v.boolean()),
  /**
   * Whether a stream that breaks off after its first content is continued by a deployment that can go on with a text.
   * Default false. Such a stream is always `checked`.
   */
  resume: v.optional(v.boolean()),
  /** Keeps answers for the same request of the same client. `false`: not those of this model. Default: none is kept. */
  cache: v.optional(orFalse(modelCache)),
  dropParams,
  /**
   * Whether reasoning that a model writes as `<think>…</think>` at the start of its text becomes `reasoning_content`.
   * `implied`: also where its prompt has ended with `<think>`, so that only `</think>` comes. Default: true, and `implied`
   * for models that are known by name to be so.
   */
  thinkTags: v.optional(v.union([v.boolean(), v.literal('implied')], 'true, false or "implied"')),
  /** Whether tool calls that a model writes into its text become `tool_calls`. Default true. */
  textualCalls: v.optional(v.boolean()),
}
