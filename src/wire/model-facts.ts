import type { Capability } from './errors.ts'
import { isObject, type JsonObject, stringAt } from './json.ts'

/** What is known of a model. Absent means unknown. */
export interface ModelFacts {
  /** Seconds since 1970. */
  readonly created?: number
  readonly ownedBy?: string
  /** In tokens. */
  readonly contextWindow?: number
  /** In tokens: the most that one answer may have. */
  readonly maxOutput?: number
  /** What it takes and gives, in OpenRouter's words: `text`, `image`, `audio`, `file`, `embeddings`. */
  readonly inputs?: readonly string[]
  readonly outputs?: readonly string[]
  /**
   * Only an explicit `false` keeps requests away. An explicit `true` for `dimensions` says that vectors may be cut here.
   */
  readonly supports?: Readonly<Partial<Record<Capability, boolean>>>
  /** Whether it can think before it answers. */
  readonly reasons?: boolean
  /** The request fields that it takes, as its provider lists them. */
  readonly parameters?: readonly string[]
  readonly price?: Price
  readonly weights?: Weights
}

/** What runs, in Ollama's words: `gguf`, `llama`, `8.0B`, `Q4_K_M`. */
export interface Weights {
  readonly format?: string
  readonly family?: string
  readonly size?: string
  readonly quantization?: string
}

/** In US dollars per million tokens. What is absent isn't billed apart. */
export interface TokenPrice {
  readonly input: number
  readonly output: number
  /** Input that is read from a cache, and that is written to one; `1h`: to be kept for an hour. */
  readonly cachedInput?: number | undefined
  readonly cacheWrite?: number | undefined
  readonly cacheWrite1h?: number | undefined
  readonly audioInput?: number | undefined
  readonly cachedAudioInput?: number | undefined
  readonly imageInput?: number | undefined
  readonly cachedImageInput?: number | undefined
  readonly audioOutput?: number | undefined
  readonly imageOutput?: number | undefined
}

/** What is billed by the piece, in US dollars. */
export interface PiecePrice {
  /** One that is made. */
  readonly image?: number | undefined
  /** Of audio that is heard. */
  readonly minute?: number | undefined
  /** A million of them that are spoken. */
  readonly characters?: number | undefined
  readonly request?: number | undefined
  /** A search of the web by the provider. */
  readonly search?: number | undefined
}

/** Another price for the whole of a request. Pieces of which it says nothing cost the same. */
export interface OtherPrice extends TokenPrice, PiecePrice {}

export interface Price extends TokenPrice, PiecePrice {
  /** For requests whose input is longer than `above` tokens. */
  readonly tiers?: readonly (OtherPrice & { readonly above: number })[] | undefined
  /** By the names of the tiers, as requests have them: a multiple of the price, or one of their own. */
  readonly serviceTiers?: Readonly<Record<string, number | OtherPrice>> | undefined
}

/** What a server's list says of a model, in whatever words; nothing is guessed. */
export function factsOf(fields: JsonObject): ModelFacts {
  const { created } = fields
  const ownedBy = stringAt(fields, 'owned_by') ?? stringAt(fields, 'organization')
  const contextWindow = windowOf(fields)
  const maxOutput = maxOutputOf(fields)
  return {
    ...(typeof created === 'number' && { created }),
    ...(ownedBy !== undefined && { ownedBy }),
    ...(contextWindow !== undefined && { contextWindow }),
    ...(maxOutput !== undefined && { maxOutput }),
    ...modalitiesOf(fields),
    ...abilitiesOf(fields),
    ...priceIn(fields.pricing),
    ...weightsIn(fields),
  }
}

/** By llama.cpp's `meta`, and the names of LM Studio. */
function weightsIn(fields: JsonObject): Pick<ModelFacts, 'weights'> {
  const meta = isObject(fields.meta) ? fields.meta : {}
  const { n_params: count, ftype } = meta
  return weightsOf({
    format: stringAt(fields, 'compatibility_type') ?? (ftype === undefined ? undefined : 'gguf'),
    family: stringAt(fields, 'arch'),
    size: typeof count === 'number' ? readableCount(count) : undefined,
    quantization: stringAt(fields, 'quantization') ?? ftype,
  })
}

/** Those of them that say something. */
export function weightsOf(told: Readonly<Record<keyof Weights, unknown>>): Pick<ModelFacts, 'weights'> {
  const known = Object.entries(told).filter(([, text]) => typeof text === 'string' && text !== '')
  return known.length > 0 ? { weights: Object.fromEntries(known) } : {}
}

/** As Ollama writes a number of parameters. */
function readableCount(count: number): string {
  if (count >= 1e9) return `${(count / 1e9).toFixed(count % 1e9 === 0 ? 0 : 1)}B`
  return `${(count / 1e6).toFixed(count % 1e6 === 0 ? 0 : 2)}M`
}

/** The price, as Together (`input`, per million tokens) and OpenRouter (`prompt`, as text, per token) list it. */
export function priceIn(pricing: unknown): { price?: Price } {
  if (!isObject(pricing)) return {}
  const { input, output, prompt, completion } = pricing
  const price = isPrice(input) ? { input, output } : { input: perMillion(prompt), output: perMillion(completion) }
  return isPrice(price.input) && isPrice(price.output) ? { price: { ...price, ...extrasIn(pricing) } as Price } : {}
}

/** What OpenRouter lists beside it for a token, as text. A zero may only mean that it isn't known. */
const perToken = {
  ...{ input_cache_read: 'cachedInput', input_cache_write: 'cacheWrite', input_cache_write_1h: 'cacheWrite1h' },
  ...{ audio: 'audioInput', input_audio_cache: 'cachedAudioInput', audio_output: 'audioOutput' },
  image_output: 'imageOutput',
} as const satisfies Record<string, keyof TokenPrice>

function extrasIn(pricing: JsonObject): Partial<Price> {
  const told = [
    ...Object.entries(perToken).map(([theirs, ours]) => [ours, perMillion(pricing[theirs])] as const),
    ['request', perMillion(pricing.request) / 1e6] as const,
    ['search', perMillion(pricing.web_search) / 1e6] as const,
  ]
  return Object.fromEntries(told.filter(([, price]) => isPrice(price) && price > 0))
}

function perMillion(price: unknown): number {
  return typeof price === 'string' ? Number.parseFloat(price) * 1e6 : Number.NaN
}

/** OpenRouter's prices of routers, which depend on the request, are -1. */
function isPrice(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY
}

/**
 * In tokens, under the names of vLLM, OpenRouter, Groq, LM Studio (what is loaded comes before what could be), Mistral,
 * and llama.cpp, which has a `n_ctx` for a running model and a `n_ctx_train` for any.
 */
function windowOf(fields: JsonObject): number | undefined {
  const meta = isObject(fields.meta) ? fields.meta : {}
  return firstCount([
    fields.max_model_len,
    fields.context_length,
    fields.context_window,
    fields.loaded_context_length,
    fields.max_context_length,
    meta.n_ctx,
    meta.n_ctx_train,
  ])
}

/** In tokens, under the names of OpenRouter, Groq and others. */
function maxOutputOf(fields: JsonObject): number | undefined {
  const top = isObject(fields.top_provider) ? fields.top_provider.max_completion_tokens : undefined
  return firstCount([top, fields.max_completion_tokens, fields.max_output_tokens])
}

function firstCount(values: readonly unknown[]): number | undefined {
  return values.find((value): value is number => Number.isSafeInteger(value) && (value as number) > 0)
}

/**
 * In OpenRouter's words, which Hugging Face and llama.cpp use too; else by the `type` of Together and LM Studio, whose
 * others don't say enough.
 */
export function modalitiesOf({ architecture, type }: JsonObject): Pick<ModelFacts, 'inputs' | 'outputs'> {
  const told = isObject(architecture) ? architecture : {}
  const inputs = textsIn(told.input_modalities)
  const outputs = textsIn(told.output_modalities)
  if (inputs.length > 0 || outputs.length > 0)
    return { ...(inputs.length > 0 && { inputs }), ...(outputs.length > 0 && { outputs }) }
  if (type === 'embedding' || type === 'embeddings') return { outputs: ['embeddings'] }
  return type === 'vlm' ? { inputs: ['text', 'image'] } : {}
}

/** From OpenRouter's `supported_parameters`, Mistral's object of capabilities, and LM Studio's list of them. */
function abilitiesOf(fields: JsonObject): Pick<ModelFacts, 'supports' | 'reasons' | 'parameters'> {
  const parameters = textsIn(fields.supported_parameters)
  const { inputs } = modalitiesOf(fields)
  const told = isObject(fields.capabilities) ? fields.capabilities : {}
  const tools = parameters.length > 0 ? parameters.includes('tools') : toolsIn(fields.capabilities)
  const vision = inputs ? inputs.includes('image') : flag(told.vision)
  const reasons = parameters.length > 0 ? parameters.includes('reasoning') : flag(told.reasoning)
  const supports = {
    ...(tools !== undefined && { tools }),
    ...(vision !== undefined && { vision }),
    ...(parameters.includes('structured_outputs') && { schema: true }),
  }
  return {
    ...(Object.keys(supports).length > 0 && { supports }),
    ...(reasons !== undefined && { reasons }),
    ...(parameters.length > 0 && { parameters }),
  }
}

function toolsIn(capabilities: unknown): boolean | undefined {
  if (Array.isArray(capabilities)) return capabilities.includes('tool_use') || undefined
  return isObject(capabilities) ? flag(capabilities.function_calling) : undefined
}

function flag(value: unknown): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined
}

function textsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((text) => typeof text === 'string') : []
}
