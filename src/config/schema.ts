import * as v from 'valibot'
import type { MissingKind } from '../wire/errors.ts'

const name = v.pipe(v.string(), v.nonEmpty('a name that is not empty'))
/** Over 23 days. Runtimes count in 31 bits of milliseconds: Node lets a longer timer run out at once. */
const mostSeconds = 2_000_000
const seconds = v.pipe(
  v.number('a number of seconds'),
  v.gtValue(0, 'a number of seconds above 0'),
  v.maxValue(mostSeconds, 'a number of seconds up to 2,000,000'),
)
const count = v.pipe(v.number('a whole number'), v.integer('a whole number'), v.minValue(0, 'a whole number from 0'))
// Bounded, so that weights can be added.
const weight = v.pipe(
  v.number('a number'),
  v.minValue(0, 'a number from 0'),
  v.maxValue(1_000_000, 'a number up to 1,000,000'),
)
const text = v.string('text')
const fields = v.record(v.string(), v.custom<unknown>(isSendable, 'a value that JSON can carry'))
const policy = v.picklist(['fallback', 'error'])

/** Whether JSON has a word for a value. Without a value the key is not sent. */
function isSendable(value: unknown): boolean {
  if (value === undefined) return true
  try {
    return JSON.stringify(value) !== undefined
  } catch {
    return false
  }
}

const limits = {
  /** Seconds for making a connection, TLS included. Default 10. Workers can't limit it apart from the rest. */
  connectTimeout: v.optional(seconds),
  /** Seconds for a whole answer, or until the first content of a stream. Default 600. */
  timeout: v.optional(seconds),
  /** Seconds until the first content of a stream, cold loads included. Default 120. */
  streamTimeout: v.optional(seconds),
  /** Seconds between two chunks of a stream. Default 120. */
  idleTimeout: v.optional(seconds),
  /** How often to retry on the same deployment. Default 2. */
  retries: v.optional(count),
  /**
   * How closely a Worker checks the streams that it passes on untranslated. `checked`: it checks every event before
   * sending it. `observed`: the runtime pipes the stream, for a fraction of the CPU, and the gateway checks it with a
   * delay. `untouched`: no check after the first content. Default: `observed` if the provider is known to end its
   * streams correctly, else `checked`. On Node, and where a stream is translated, every event is checked regardless.
   */
  streams: v.optional(v.picklist(['observed', 'checked', 'untouched'])),
}

const capabilities = {
  /** The model's context in tokens; longer requests go to another deployment. */
  contextWindow: v.optional(v.pipe(count, v.minValue(1, 'a whole number from 1'))),
  /** What the model can't do: `{ tools: false }`. */
  supports: v.optional(
    v.strictObject({
      tools: v.optional(v.boolean()),
      vision: v.optional(v.boolean()),
      schema: v.optional(v.boolean()),
    }),
  ),
}

const deployment = v.strictObject({
  /** `provider/model`. */
  model: name,
  /** Share of the requests among the model's deployments. Default 1. */
  weight: v.optional(weight),
  /** Request fields that this deployment sets if the client does not. */
  params: v.optional(fields),
  /** Request fields that this deployment sets even if the client does. */
  overrides: v.optional(fields),
  ...capabilities,
})

/** A string or an object. Chosen by type, so that a mistake inside the object is reported at its own place. */
function stringOr<const T extends v.GenericSchema>(object: T) {
  return v.lazy((input) => (typeof input === 'string' ? name : object)) as v.GenericSchema<
    string | v.InferInput<T>,
    string | v.InferOutput<T>
  >
}

/** An object of names and values. Rejects an array, whose indices would pass for names. */
function named<const T extends v.GenericSchema>(value: T) {
  const names = v.record(name, value)
  const list = v.never('names with what they stand for, not a list')
  return v.lazy((input) => (Array.isArray(input) ? list : names)) as unknown as typeof names
}

const notPulledPolicy = v.picklist(['fallback', 'error', 'pull'])
/** The models that may be pulled, by the provider's names. `*` is any text without a slash: `hf.co/my-org/*`. */
const pullable = v.strictObject({ pull: v.array(name) })

/** Chosen by type, so that a mistake inside the object is reported at its own place. */
const notPulled = v.lazy((input) =>
  typeof input === 'object' && input !== null ? pullable : notPulledPolicy,
) as v.GenericSchema<v.InferInput<typeof pullable | typeof notPulledPolicy>>

const model = v.strictObject({
  deployments: v.pipe(v.array(stringOr(deployment)), v.minLength(1, 'at least one deployment')),
  fallbacks: v.optional(v.array(name)),
  ...limits,
})

const provider = v.looseObject({
  type: name,
  /** `env:NAME`, or `client` to send the caller's own key. */
  apiKey: v.optional(text),
  baseURL: v.optional(text),
  headers: v.optional(v.record(v.string(), text)),
})

/** The configuration as the user writes it. A provider's own settings are in its definition. */
export const configSchema = v.strictObject({
  providers: v.optional(named(provider)),
  models: v.optional(named(stringOr(model))),
  /** The model that answers when the requested one is missing. */
  fallback: v.optional(name),
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
  /** Keys that clients can use, each as `env:NAME`. */
  keys: v.optional(v.array(name)),
  /** Allowed values of `Host`, besides loopback names, for a gateway without a key: `samewire.lan`. */
  allowedHosts: v.optional(v.array(v.pipe(text, v.regex(/^[^/\s]+$/, 'a host, such as "samewire.lan"')))),
  /** Allowed origins of web pages, besides loopback, for a gateway without a key: `https://app.example`, or `*`. */
  allowedOrigins: v.optional(
    v.array(
      v.pipe(text, v.regex(/^([a-z][a-z\d+.-]*:\/\/[^/\s]+|\*|null)$/i, 'an origin, such as "https://app.example"')),
    ),
  ),
  /** Seconds of silence after which a stream starts with a comment. Default 10. */
  keepAlive: v.optional(seconds),
  /** Seconds after which a client that reads nothing of its answer is disconnected. Default 60. */
  writeTimeout: v.optional(seconds),
  /** Maximum size of a request body in bytes. Default 20 MB. */
  bodyLimit: v.optional(v.pipe(count, v.minValue(1, 'a whole number from 1'))),
  ...limits,
})

export type Config = v.InferInput<typeof configSchema>
export type ProviderConfig = NonNullable<Config['providers']>[string]
export type ModelConfig = NonNullable<Config['models']>[string]

/** Gives a configuration file its type. The values are checked when the gateway starts. */
export function defineConfig(config: Config): Config {
  return config
}
