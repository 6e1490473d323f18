import * as v from 'valibot'
import type { MissingKind } from '../wire/errors.ts'
import { cache } from './schema/cache.ts'
import { cooldown } from './schema/cooldown.ts'
import { imageHosts } from './schema/images.ts'
import { key } from './schema/keys.ts'
import { limits } from './schema/limits.ts'
import { notPulled, policy } from './schema/missing.ts'
import { model } from './schema/models.ts'
import { logging, metrics } from './schema/observe.ts'
import { provider } from './schema/provider.ts'
import { state } from './schema/state.ts'
import {
  chosen,
  countFromOne,
  host,
  name,
  named,
  names,
  never,
  orFalse,
  origin,
  seconds,
  stringOr,
  yesOrNoOr,
} from './values.ts'

/** The configuration as the user writes it. A provider's own settings are in its definition. */
export const configSchema = v.strictObject({
  providers: v.optional(named(provider)),
  models: v.optional(named(stringOr(model))),
  /** The model that answers when the requested one is missing. */
  fallback: v.optional(name),
  /**
   * The provider that gets the rest of OpenAI's API, untouched: files, batches, fine-tuning, assistants and so on. With
   * several the first is the default, and requests choose by the header `x-samewire-provider`. `false`: none ever does.
   * Default: the one that the header names, if a request has it.
   */
  passThrough: v.optional(
    chosen([name, names, never], (input) => (input === false ? never : Array.isArray(input) ? names : name)),
  ),
  /** What to do about a missing model, by the reason. Default: the fallback. */
  missing: v.optional(
    v.strictObject({
      absent: v.optional(policy),
      unknown: v.optional(policy),
      not_found: v.optional(policy),
      retired: v.optional(policy),
      no_live_provider: v.optional(policy),
      not_pulled: v.optional(notPulled),
    } satisfies Record<MissingKind, v.GenericSchema>),
  ),
  /** When a deployment that fails is left alone for a while. `false`: never. */
  cooldown: v.optional(orFalse(cooldown)),
  /**
   * What happens to a request for which only deployments in cooldown are left: `least_bad` (the default) tries the one
   * that is due first, `reject` answers 503 with `retry-after`.
   */
  onExhausted: v.optional(v.picklist(['least_bad', 'reject'])),
  /** Attempts per request, on all deployments and fallbacks together. Default 12. */
  maxAttempts: v.optional(countFromOne),
  /** Seconds after a request's arrival from which on no further attempt begins. Default 1200. */
  requestTimeout: v.optional(seconds),
  /** Keys that clients can use, each as `env:NAME`, or with what it may do. */
  keys: v.optional(v.array(stringOr(key))),
  /**
   * Where keys, budgets and a row for each request are kept. Default: nowhere. Then there are only the keys of the
   * configuration, and no budgets.
   */
  state: v.optional(state),
  /** Allowed values of `Host`, besides loopback names, for a gateway without a key: `samewire.lan`. */
  allowedHosts: v.optional(v.array(host)),
  /** Allowed origins of web pages, besides loopback, for a gateway without a key: `https://app.example`, or `*`. */
  allowedOrigins: v.optional(v.array(origin)),
  /** Seconds of silence after which a stream starts with a comment. Default 10. */
  keepAlive: v.optional(seconds),
  /** Seconds after which a client that reads nothing of its answer is disconnected. Default 60. */
  writeTimeout: v.optional(seconds),
  /**
   * Whether images that a request gives by address are downloaded for providers that take them only as data. `hosts` may
   * be private ones: `images.lan`, `10.0.0.7:9000`. Default: true, from public addresses only.
   */
  fetchImages: v.optional(yesOrNoOr(imageHosts)),
  /** What the gateway writes about its work. `LOG_LEVEL` and `LOG_FORMAT` win over `level` and `format`. */
  log: v.optional(logging),
  /**
   * Whether the gateway counts requests for Prometheus, at `GET /metrics` on Node. `names`: those of OpenTelemetry
   * (`gen_ai`, the default) or of LiteLLM's proxy. `SAMEWIRE_METRICS` wins. Default: false.
   */
  metrics: v.optional(yesOrNoOr(metrics)),
  /** Maximum size of a request body in bytes. Default 20 MB. */
  bodyLimit: v.optional(countFromOne),
  ...limits,
  /** Keeps answers for the same request of the same client. Default: none is kept. */
  cache: v.optional(orFalse(cache)),
})

export type Config = v.InferInput<typeof configSchema>
export type ProviderConfig = NonNullable<Config['providers']>[string]
export type ModelConfig = NonNullable<Config['models']>[string]

/** Gives a configuration file its type. The values are checked when the gateway starts. */
export function defineConfig(config: Config): Config {
  return config
}
