import { describe, invalid, RequestBody } from '../wire/body.ts'
import { asGatewayError } from '../wire/errors.ts'
import type { HeaderReader } from '../wire/headers.ts'
import { isObject, type JsonObject } from '../wire/json.ts'
import { textLength } from '../wire/outline.ts'
import type { RoutingStrategy } from './catalog.ts'
import { gatewayModelsIn, gatewayOptionsIn, optionsField } from './gateway-options.ts'
import type { Operation } from './operation.ts'
import type { NamedModel, Preferences, ProviderPreferences, RequestLimits } from './preferences.ts'

/** The fields of a request that are about its routing. */
export const routingFields: ReadonlySet<string> = new Set(['models', 'fallbacks', 'provider', 'disable_fallbacks'])

export function hasRouting(outline: JsonObject): boolean {
  const { models, fallbacks, provider, disable_fallbacks: disabled } = outline
  if (models !== undefined || fallbacks !== undefined || provider !== undefined || disabled !== undefined) return true
  return gatewayOptionsIn(outline) !== undefined
}

/** Whether a request has wishes that only who reads them can keep to. */
export function hasDemands(outline: JsonObject): boolean {
  const { provider, disable_fallbacks: disabled } = outline
  return provider !== undefined || disabled === true || gatewayOptionsIn(outline) !== undefined
}

/** The most that a request may name. */
const mostModels = 20
const mostProviders = 50
const longestName = 512
const mostRetries = 10
const mostSeconds = 2_000_000

/** The names of models in a request's `models` and `fallbacks`, as far as they can be read. */
export function namedIn(outline: JsonObject): string[] {
  const all = [outline.models, gatewayModelsIn(outline), outline.fallbacks].flatMap((list) =>
    Array.isArray(list) ? list : [],
  )
  return all.map((entry) => (isObject(entry) ? entry.model : entry)).filter((name) => typeof name === 'string')
}

/** Reads what a body says of its routing. Throws a 400 that names the parameter. */
export function readPreferences(
  body: RequestBody,
  operation: Operation,
  limits: RequestLimits | undefined,
): Preferences & { readonly model: string | undefined } {
  const { outline } = body
  const models = [
    ...namesIn(outline.models, 'models', mostModels),
    ...namesIn(gatewayModelsIn(outline), `${vercel.path}.models`, mostModels),
  ]
  const fallbacks = listOf(outline.fallbacks, 'fallbacks', mostModels)
  // Objects may hold long texts, which the outline lacks.
  const whole = fallbacks.some(isObject) ? (body.json.fallbacks as unknown[]) : fallbacks
  const others = whole.map((entry, at) => fallbackIn(entry, `fallbacks[${at}]`, body, operation))
  const disabled = flagIn(outline, 'disable_fallbacks', '') ?? false
  const provider = providerIn(outline)
  const [first, ...rest] = models
  const named = (body.model === undefined ? rest : models).map((name) => ({ name }))
  return {
    model: body.model ?? first,
    models: disabled ? [] : [...named, ...others],
    standIns: !disabled && provider?.allowFallbacks !== false,
    provider,
    limits,
  }
}

function fallbackIn(entry: unknown, param: string, body: RequestBody, operation: Operation): NamedModel {
  if (!isObject(entry)) return { name: nameIn(entry, param) }
  const { model, ...fields } = entry
  if (model === undefined) {
    const missing = `${param}.model`
    throw invalid(`Missing required parameter: '${missing}'.`, missing, 'missing_required_parameter')
  }
  const name = nameIn(model, `${param}.model`)
  if (Object.keys(fields).length === 0) return { name }
  const fixed = Object.keys(fields).find(
    (field) => field === 'stream' || field === optionsField || routingFields.has(field),
  )
  if (fixed !== undefined) throw wrong(`${param}.${fixed}`, 'it is the same for all models of a request')
  const asked = new RequestBody(body.bytes, { ...body.outline, ...fields }, name)
  try {
    operation.check(asked)
  } catch (thrown) {
    const { message, param: inner, code } = asGatewayError(thrown)
    throw invalid(`Invalid '${param}': ${message}`, inner === null ? param : `${param}.${inner}`, code)
  }
  return { name, differing: { fields, demand: operation.query(asked) } }
}

/** How the wishes about providers are worded. */
interface Wording {
  /** Where they stand in the request, for `param` in errors. */
  readonly path: string
  readonly fields: readonly string[]
  readonly sorts: Readonly<Record<string, RoutingStrategy>>
}

const openRouter: Wording = {
  path: 'provider',
  fields: ['order', 'only', 'ignore', 'allow_fallbacks', 'require_parameters', 'sort', 'max_price'],
  sorts: {
    price: 'cost-based',
    latency: 'latency-based',
    // What is idle writes fastest. The speed itself isn't measured.
    throughput: 'least-busy',
  },
}

const vercel: Wording = {
  path: `${optionsField}.gateway`,
  // The last three are for its reports and for how a provider's cache is used.
  fields: ['order', 'only', 'sort', 'models', 'user', 'tags', 'caching'],
  sorts: { cost: 'cost-based', ttft: 'latency-based', tps: 'least-busy' },
}

function providerIn(outline: JsonObject): ProviderPreferences | undefined {
  const own = outline.provider ?? undefined
  const options = gatewayOptionsIn(outline)
  if (own !== undefined && options !== undefined) throw wrong('provider', `there is '${vercel.path}' as well`)
  const given = own ?? options
  if (given === undefined) return undefined
  const wording = own === undefined ? vercel : openRouter
  const { path } = wording
  if (!isObject(given)) throw wrongType(path, 'an object', given)
  // Others are demands too, such as that nothing is stored: one that the gateway can't meet must not be dropped.
  const isNone = (value: unknown) => value === null || (value === false && wording === vercel)
  const unknown = Object.keys(given).find((key) => !wording.fields.includes(key) && !isNone(given[key]))
  if (unknown !== undefined) {
    throw invalid(`Unknown parameter: '${path}.${unknown}'.`, `${path}.${unknown}`, 'unknown_parameter')
  }
  const names = (key: 'order' | 'only' | 'ignore') => namesIn(given[key], `${path}.${key}`, mostProviders)
  const only = names('only')
  return {
    order: names('order'),
    only: only.length > 0 ? only : undefined,
    ignore: names('ignore'),
    allowFallbacks: flagIn(given, 'allow_fallbacks', `${path}.`) ?? true,
    required: flagIn(given, 'require_parameters', `${path}.`) ? Object.keys(outline) : undefined,
    sort: sortIn(given.sort ?? undefined, wording),
    maxPrice: maxPriceIn(given.max_price ?? undefined),
  }
}

/** A word, or an object with it, as OpenRouter has both. */
function sortIn(given: unknown, { path, sorts }: Wording): RoutingStrategy | undefined {
  if (given === undefined) return undefined
  const word = isObject(given) ? given.by : given
  const strategy = typeof word === 'string' && Object.hasOwn(sorts, word) ? sorts[word] : undefined
  if (!strategy) throw wrong(`${path}.sort`, `expected one of ${Object.keys(sorts).join(', ')}`)
  return strategy
}

function maxPriceIn(given: unknown): ProviderPreferences['maxPrice'] {
  if (given === undefined) return undefined
  if (!isObject(given)) throw wrongType('provider.max_price', 'an object', given)
  for (const [key, value] of Object.entries(given)) {
    const param = `provider.max_price.${key}`
    if (key !== 'prompt' && key !== 'completion')
      throw invalid(`Unknown parameter: '${param}'.`, param, 'unknown_parameter')
    if (typeof value !== 'number') throw wrongType(param, 'a decimal', value)
    if (value < 0) throw wrong(param, 'expected dollars per million tokens, from 0')
  }
  const { prompt = Number.POSITIVE_INFINITY, completion = Number.POSITIVE_INFINITY } = given
  return { prompt: prompt as number, completion: completion as number }
}

const timeoutNames = ['x-samewire-timeout', 'x-litellm-timeout'] as const
const streamTimeoutNames = ['x-samewire-stream-timeout', 'x-litellm-stream-timeout'] as const
const retryNames = ['x-samewire-num-retries', 'x-litellm-num-retries'] as const

/** Limits in a request's headers; undefined if there are none. Throws a 400 that names the header. */
export function readLimits(header: HeaderReader): RequestLimits | undefined {
  const timeout = numberIn(header, timeoutNames, isTime, 'a number of seconds above 0')
  const streamTimeout = numberIn(header, streamTimeoutNames, isTime, 'a number of seconds above 0')
  const retries = numberIn(header, retryNames, isCount, `a whole number from 0 to ${mostRetries}`)
  if (timeout === undefined && streamTimeout === undefined && retries === undefined) return undefined
  const ms = (seconds: number | undefined) => (seconds === undefined ? undefined : seconds * 1000)
  return { timeout: ms(timeout), streamTimeout: ms(streamTimeout), retries }
}

const isTime = (seconds: number) => seconds > 0 && seconds <= mostSeconds
const isCount = (count: number) => Number.isInteger(count) && count <= mostRetries

function numberIn(
  header: HeaderReader,
  names: readonly string[],
  fits: (value: number) => boolean,
  expected: string,
): number | undefined {
  for (const name of names) {
    const text = header(name)
    if (text === undefined) continue
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
    if (fits(value)) return value
    throw wrong(name, `expected ${expected}`)
  }
  return undefined
}

function listOf(given: unknown, param: string, most: number): readonly unknown[] {
  if (given === undefined || given === null) return []
  if (!Array.isArray(given)) throw wrongType(param, 'an array', given)
  if (given.length <= most) return given
  const message = `Invalid '${param}': array too long. Expected an array with maximum length ${most}, but got an array with length ${given.length} instead.`
  throw invalid(message, param, 'array_above_max_length')
}

function namesIn(given: unknown, param: string, most: number): string[] {
  return listOf(given, param, most).map((name, at) => nameIn(name, `${param}[${at}]`))
}

function nameIn(given: unknown, param: string): string {
  if (typeof given !== 'string') throw wrongType(param, 'a string', given)
  if (given !== '' && textLength(given) <= longestName) return given
  throw wrong(param, `expected a name of 1 to ${longestName} characters`)
}

function flagIn(given: JsonObject, key: string, path: string): boolean | undefined {
  const value = given[key] ?? undefined
  if (value === undefined || typeof value === 'boolean') return value
  throw wrongType(path + key, 'a boolean', value)
}

function wrong(param: string, why: string) {
  return invalid(`Invalid value for '${param}': ${why}.`, param, 'invalid_value')
}

function wrongType(param: string, expected: string, value: unknown) {
  const message = `Invalid type for '${param}': expected ${expected}, but got ${describe(value)} instead.`
  return invalid(message, param, 'invalid_type')
}
