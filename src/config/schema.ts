import * as v from 'valibot'
import { routingStrategies } from '../core/catalog.ts'
import type { MissingKind } from '../wire/errors.ts'
import {
  chosen,
  count,
  countFromOne,
  dollars,
  factor,
  fields,
  host,
  name,
  named,
  origin,
  partOf,
  seconds,
  share,
  stringOr,
  text,
  weight,
} from './values.ts'

const policy = v.picklist(['fallback', 'error'])

const names = v.array(name)
const never = v.literal(false)
const yesOrNo = v.boolean()

const anyField = v.literal(true, 'true, or a list of request fields')

/**
 * Request fields that change an answer and may be left out where the upstream doesn't support them: `['logprobs']`, or
 * `true` for any. Default: none, such a request is refused. The header `x-samewire-dropped` tells what was left out.
 */
const dropParams = v.optional(chosen([anyField, names], (input) => (Array.isArray(input) ? names : anyField)))

const hedging = v.strictObject({ after: v.optional(seconds) })

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
const modelCache = v.strictObject(caching)
const cache = v.strictObject({
  ...caching,
  /** Bytes of all kept answers in the memory of a process. Default 64 MB. Read at the start only. */
  maxBytes: v.optional(countFromOne),
})

const limits = {
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
  hedge: v.optional(chosen([yesOrNo, hedging], (input) => (typeof input === 'object' ? hedging : yesOrNo))),
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
  cache: v.optional(chosen([modelCache, never], (input) => (input === false ? never : modelCache))),
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

/** Times in seconds. */
const cooldown = v.strictObject({
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

const capabilities = {
  /** The model's context in tokens; longer requests go to another deployment. */
  contextWindow: v.optional(countFromOne),
  /** The most tokens that one of its answers may have: for the list of models, and where a request is translated. */
  maxOutput: v.optional(countFromOne),
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

const maybeDollars = v.optional(dollars)

/** In US dollars per million tokens. */
const rates = {
  input: dollars,
  output: dollars,
  /** Input that is read from a cache. Default: as `input`, and so for the others. */
  cachedInput: maybeDollars,
  /** Input that is written to a cache. */
  cacheWrite: maybeDollars,
  /** Input that is written to a cache for an hour. Default: as `cacheWrite`. */
  cacheWrite1h: maybeDollars,
  audioInput: maybeDollars,
  cachedAudioInput: maybeDollars,
  imageInput: maybeDollars,
  cachedImageInput: maybeDollars,
  audioOutput: maybeDollars,
  imageOutput: maybeDollars,
  /** In US dollars for a picture that is made. */
  image: maybeDollars,
  /** In US dollars for a minute of audio that is heard. */
  minute: maybeDollars,
  /** In US dollars for a million characters of text that are spoken. */
  characters: maybeDollars,
  /** In US dollars for a request. */
  request: maybeDollars,
  /** In US dollars for a search of the web by the provider. */
  search: maybeDollars,
}

const otherPrice = v.strictObject(rates)

const price = v.strictObject({
  ...rates,
  /** Other prices for all of a request whose input is longer than `above` tokens. */
  tiers: v.optional(v.array(v.strictObject({ above: countFromOne, ...rates }))),
  /** By name, such as `flex` or `priority`: a multiple of the price, or one of its own. */
  serviceTiers: v.optional(
    named(chosen([factor, otherPrice], (input) => (typeof input === 'object' ? otherPrice : factor))),
  ),
})

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

/** In a minute: requests, and tokens of prompts and of answers. */
const perMinute = { rpm: v.optional(countFromOne), tpm: v.optional(countFromOne) }

const key = v.strictObject({
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
  /** `false`: it gets no answer that was kept, and none of its own is. */
  cache: v.optional(v.boolean()),
})

const state = v.strictObject({
  /** `file:samewire.db`, or `postgres://…` as `env:NAME`. `SAMEWIRE_STATE` wins. Read at the start only. */
  url: name,
  /** Days for which each request is kept. Sums of hours are kept for ever. Default 30. */
  retention: v.optional(countFromOne),
  /** Days for which responses, chats and conversations are kept that clients have stored. Default 30. */
  objects: v.optional(v.strictObject({ retention: v.optional(countFromOne) })),
})

const notPulledPolicy = v.picklist(['fallback', 'error', 'pull'])
/** The models that may be pulled, by the provider's names. `*` is any text without a slash: `hf.co/my-org/*`. */
const pullable = v.strictObject({ pull: v.array(name) })

const notPulled = chosen([notPulledPolicy, pullable], (input) =>
  typeof input === 'object' && input !== null ? pullable : notPulledPolicy,
)

const model = v.strictObject({
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

const provider = v.looseObject({
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

const imageHosts = v.strictObject({
  hosts: v.optional(v.array(v.pipe(text, v.regex(/^[^/\s]+$/, 'a host, such as "images.lan"')))),
})

const logging = v.strictObject({
  /** What is less grave isn't written. `info`, the default, is a line for each request; `warn` for those with trouble. */
  level: v.optional(v.picklist(['silent', 'error', 'warn', 'info', 'debug'])),
  /** `json`, the default on Workers, or `text`. */
  format: v.optional(v.picklist(['json', 'text'])),
  /** The share of the requests without trouble that are written. Default 1. */
  sample: v.optional(share),
  /** Whether what was asked and answered is written too, without what looks like a key. Default false. */
  content: v.optional(v.boolean()),
})
const metrics = v.strictObject({ names: v.optional(v.picklist(['gen_ai', 'litellm'])) })

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
  cooldown: v.optional(chosen([cooldown, never], (input) => (input === false ? never : cooldown))),
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
  fetchImages: v.optional(chosen([yesOrNo, imageHosts], (input) => (typeof input === 'object' ? imageHosts : yesOrNo))),
  /** What the gateway writes about its work. `LOG_LEVEL` and `LOG_FORMAT` win over `level` and `format`. */
  log: v.optional(logging),
  /**
   * Whether the gateway counts requests for Prometheus, at `GET /metrics` on Node. `names`: those of OpenTelemetry
   * (`gen_ai`, the default) or of LiteLLM's proxy. `SAMEWIRE_METRICS` wins. Default: false.
   */
  metrics: v.optional(chosen([yesOrNo, metrics], (input) => (typeof input === 'object' ? metrics : yesOrNo))),
  /** Maximum size of a request body in bytes. Default 20 MB. */
  bodyLimit: v.optional(countFromOne),
  ...limits,
  /** Keeps answers for the same request of the same client. Default: none is kept. */
  cache: v.optional(chosen([cache, never], (input) => (input === false ? never : cache))),
})

export type Config = v.InferInput<typeof configSchema>
export type ProviderConfig = NonNullable<Config['providers']>[string]
export type ModelConfig = NonNullable<Config['models']>[string]

/** Gives a configuration file its type. The values are checked when the gateway starts. */
export function defineConfig(config: Config): Config {
  return config
}
