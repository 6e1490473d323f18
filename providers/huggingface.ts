import { listModels, priceOf } from '../src/core/knowledge.ts'
import { fetchModelList } from '../src/core/model-list.ts'
import {
  bearer,
  defineProvider,
  type ErrorRule,
  type KnownModel,
  type OperationSpec,
  type OperationSpecs,
  type Price,
  type ProviderSettings,
} from '../src/core/provider.ts'
import { valueIn, without } from '../src/core/synonyms.ts'
import { openaiOperations } from '../src/operations/index.ts'
import { repaired } from '../src/operations/repair/index.ts'
import { GatewayError } from '../src/wire/errors.ts'
import { isObject, type JsonObject, objectAt, stringAt } from '../src/wire/json.ts'
import { continuedBy } from './continuations.ts'
import { featureExtraction, isAtRoot, routerURL } from './huggingface/features.ts'

/**
 * Hugging Face: the router over its inference providers, or one dedicated Inference Endpoint if `endpointUrl` is set. A
 * model's suffix (`:cheapest`, `:fastest`, `:groq`) is for the router and is passed on unchanged.
 */
export default defineProvider({
  type: 'huggingface',
  title: 'Hugging Face',
  baseURL: 'https://router.huggingface.co/v1',
  env: { apiKey: 'HF_TOKEN' },
  settings: { endpointUrl: 'text', billTo: 'text', engine: ['tgi', 'tei', 'vllm', 'llamacpp', 'transformers'] },
  answers: ['*/*'],
  operations: (settings) => (settings.options.endpointUrl ? endpointOperations(settings) : routerOperations),
  continues: ({ options }) => (options.endpointUrl ? continuedBy(options.engine) : {}),
  headers: (settings) => ({
    ...bearer(settings),
    ...(settings.options.billTo && { 'x-hf-bill-to': settings.options.billTo }),
  }),
  url: (settings, path, model) => {
    if (isAtRoot(path)) return routerURL(settings, path, model)
    const { baseURL, options } = settings
    return options.endpointUrl && !/\/v1$/.test(baseURL) ? `${baseURL}/v1${path}` : baseURL + path
  },
  passes: ({ baseURL, options }, path) =>
    options.endpointUrl && !/\/v1$/.test(baseURL) ? `${baseURL}/v1${path}` : baseURL + path,
  errors: ({ options }) => (options.engine === 'transformers' ? [...transformersErrors, ...errors] : errors),
  // Cerebras, behind the router, answers 400 `wrong_api_format` to fields that only OpenAI supports.
  heal: ({ code, message }) => {
    const field = /\b(store|metadata|user|service_tier|safety_identifier|prompt_cache_key|verbosity)\b/.exec(
      message,
    )?.[1]
    return code === 'wrong_api_format' && field ? { drop: [field] } : undefined
  },
  models: listWithProviders,
})

/** The router's OpenAI routes serve chat only. */
const routerOperations = { chat: openaiOperations.chat, embeddings: featureExtraction }

/** TEI's own limit, unless `--max-client-batch-size` says otherwise. */
const teiBatch = 32

function endpointOperations({ options }: ProviderSettings): OperationSpecs {
  const { chat, completions, embeddings } = openaiOperations
  if (options.engine === 'tei') return { embeddings: { ...embeddings, atOnce: { inputs: teiBatch } } }
  if (options.engine === 'vllm') return { chat, completions, embeddings }
  const encode = options.engine === 'tgi' ? forTGI : options.engine === 'transformers' ? forTransformers : undefined
  const fix = (spec: OperationSpec) => repaired(encode ? { ...spec, encode: ({ body }) => encode(body) } : spec)
  // TGI and `transformers serve` have no such route.
  return { chat: fix(chat), completions: fix(completions), ...(!encode && { embeddings }) }
}

/** TGI supports only `max_tokens` (default 1024), and accepts `n` and `logit_bias` but ignores them. */
function forTGI(body: JsonObject): JsonObject {
  refuseUnused(body, ['n', 'logit_bias'])
  return withOneName(body)
}

/** `transformers serve` answers 422 to any field that isn't OpenAI's, and ignores most of OpenAI's. */
function forTransformers(body: JsonObject): JsonObject {
  refuseUnused(body, ['n', 'response_format', 'logprobs', 'stop', 'stop_sequences'])
  const known = Object.entries(withOneName(body)).filter(([key]) => transformersFields.has(key))
  return Object.fromEntries(known)
}

const transformersFields = new Set(
  (
    'model messages prompt stream stream_options temperature top_p max_tokens seed frequency_penalty presence_penalty ' +
    'tools tool_choice user metadata n'
  ).split(' '),
)

/** Both engines know a limit as `max_tokens` and stops as `stop` only. */
function withOneName(body: JsonObject): JsonObject {
  const limit = valueIn(body, 'limit') ?? valueIn(objectAt(body, 'options'), 'limit')
  const stop = valueIn(body, 'stop') ?? valueIn(objectAt(body, 'options'), 'stop')
  return {
    ...without(body, 'limit', 'stop'),
    ...(limit !== undefined && { max_tokens: limit }),
    ...(stop !== undefined && { stop }),
  }
}

/** A parameter that changes the answer is honoured or refused, never silently dropped. */
function refuseUnused(body: JsonObject, params: readonly string[]): void {
  const param = params.find((name) => {
    const value = body[name]
    if (name === 'n') return typeof value === 'number' && value > 1
    if (name === 'response_format') return isObject(value) && value.type !== 'text'
    return isObject(value) || Array.isArray(value) ? Object.keys(value).length > 0 : Boolean(value)
  })
  if (param === undefined) return
  throw new GatewayError('incapable', `Unsupported parameter: '${param}' is not supported with this model.`, { param })
}

const errors: readonly ErrorRule[] = [
  {
    status: 400,
    match: /not supported by any provider you have enabled/i,
    kind: 'no_live_provider',
    say: (model) =>
      `No inference provider enabled on the gateway's Hugging Face account serves \`${model}\`. Enable one that does ` +
      'at https://huggingface.co/settings/inference-providers, or check the name.',
  },
  {
    status: 400,
    match: /model not supported by provider/i,
    kind: 'no_live_provider',
    say: (model) =>
      `The inference provider named in \`${model}\` does not serve this model. Leave the suffix out, or name another.`,
  },
  {
    status: 400,
    match: /endpoint is paused/i,
    kind: 'no_live_provider',
    say: (model) => `The Inference Endpoint of \`${model}\` is paused: restart it on Hugging Face.`,
  },
  { status: 402, kind: 'quota' },
  { status: 410, kind: 'retired' },
  // TGI's messages for a prompt that is too long, by itself or together with `max_tokens`.
  { status: 422, match: /inputs.{0,40}must (have less than|be <=) \d+/i, kind: 'context_length' },
  { status: 503, match: /loading|temporarily unavailable/i, kind: 'loading' },
  { match: /overloaded/i, kind: 'overloaded' },
]

/** `transformers serve` has one plain-text 500 for all errors, most often for a model that it can't find. */
const transformersErrors: readonly ErrorRule[] = [
  { status: 400, match: /server is pinned to/i, kind: 'not_found' },
  { status: 500, match: /^\s*internal server error\s*$/i, kind: 'not_found' },
]

/** Lists the router's models. A model can do what at least one of its live providers can do. */
async function listWithProviders(settings: ProviderSettings, tools: Parameters<typeof listModels>[1]) {
  if (settings.options.endpointUrl) {
    const baseURL = /\/v1$/.test(settings.baseURL) ? settings.baseURL : `${settings.baseURL}/v1`
    return listModels({ ...settings, baseURL }, tools)
  }
  const list = await fetchModelList(`${settings.baseURL}/models`, { ...bearer(settings), ...settings.headers }, tools)
  return list.map(
    ({ id, fields }): KnownModel => ({
      id,
      ownedBy: stringAt(fields, 'owned_by') ?? 'huggingface',
      ...liveAbilities(fields),
    }),
  )
}

function liveAbilities(entry: JsonObject): Omit<KnownModel, 'id'> {
  const all = Array.isArray(entry.providers) ? entry.providers.filter(isObject) : []
  const live = all.filter(({ status }) => status === 'live')
  const windows = live.map(({ context_length: length }) => length).filter((length) => typeof length === 'number')
  const lacks = (key: string) => live.length > 0 && live.every((provider) => provider[key] === false)
  const prices = live.map(({ pricing }) => priceOf(pricing).price).filter((price) => price !== undefined)
  const architecture = isObject(entry.architecture) ? entry.architecture.input_modalities : undefined
  return {
    ...(windows.length > 0 && { contextWindow: Math.max(...windows) }),
    // The router decides which provider answers, and none costs more than this.
    ...(prices.length > 0 && {
      price: { input: highest(prices, 'input'), output: highest(prices, 'output') },
    }),
    supports: {
      ...(lacks('supports_tools') && { tools: false }),
      ...(lacks('supports_structured_output') && { schema: false }),
      ...(Array.isArray(architecture) && { vision: architecture.includes('image') }),
    },
  }
}

function highest(prices: readonly Price[], side: keyof Price): number {
  return Math.max(...prices.map((price) => price[side]))
}
