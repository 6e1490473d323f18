import { listModels } from '../src/core/knowledge.ts'
import { fetchModelList } from '../src/core/model-list.ts'
import {
  bearer,
  defineProvider,
  type ErrorRule,
  type KnownModel,
  type OperationSpecs,
  type Price,
  type ProviderSettings,
} from '../src/core/provider.ts'
import { valueIn, without } from '../src/core/synonyms.ts'
import { openaiOperations } from '../src/operations/index.ts'
import { repaired } from '../src/operations/repair/index.ts'
import { isObject, type JsonObject, objectAt, stringAt } from '../src/wire/json.ts'
import { modalitiesOf, priceIn } from '../src/wire/model-facts.ts'
import { continuedBy } from './continuations.ts'
import { effortsOf } from './efforts.ts'
import { featureExtraction, isAtRoot, routerURL } from './huggingface/features.ts'
import { media } from './huggingface/media.ts'
import { teiRerank } from './huggingface/rerank.ts'
import { lacking, openaiOnly } from './lacks.ts'
import { llamacppOperations } from './llamacpp.ts'
import { vllmOperations } from './vllm.ts'

/**
 * Hugging Face: the router over its inference providers, or one dedicated Inference Endpoint if `endpointUrl` is set. A
 * model's suffix (`:cheapest`, `:fastest`, `:groq`) is for the router and is passed on unchanged.
 */
export default defineProvider({
  type: 'huggingface',
  title: 'Hugging Face',
  baseURL: 'https://router.huggingface.co/v1',
  env: { apiKey: 'HF_TOKEN' },
  settings: {
    endpointUrl: 'text',
    billTo: 'text',
    engine: ['tgi', 'tei', 'vllm', 'llamacpp', 'transformers', 'toolkit'],
    hubUrl: 'text',
  },
  answers: ['*/*'],
  operations: (settings) => (settings.options.endpointUrl ? endpointOperations(settings) : routerOperations),
  continues: ({ options }) => (options.endpointUrl ? continuedBy(options.engine) : {}),
  efforts: ({ options }) => effortsOf(options.endpointUrl && options.engine),
  headers: (settings) => ({
    ...bearer(settings),
    ...(settings.options.billTo && { 'x-hf-bill-to': settings.options.billTo }),
  }),
  url: (settings, path, model) => {
    if (isAtRoot(path)) return routerURL(settings, path, model)
    const { baseURL, options } = settings
    if (path === teiRerank.path) return baseURL.replace(/\/v1$/, '') + path.slice(1)
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

/** The router's OpenAI routes serve chat only. Its documentation has neither, and its providers differ. */
const routerOperations = {
  chat: lacking(openaiOperations.chat, 'n', 'functions'),
  embeddings: featureExtraction,
  ...media,
}

/** TEI's own limit, unless `--max-client-batch-size` says otherwise. */
const teiBatch = 32

function endpointOperations({ options }: ProviderSettings): OperationSpecs {
  const { chat, completions, embeddings, transcriptions, rerank } = openaiOperations
  switch (options.engine) {
    case 'tei':
      return { embeddings: { ...embeddings, atOnce: { inputs: teiBatch } }, rerank: teiRerank }
    case 'toolkit':
      return media
    case 'vllm':
      return vllmOperations
    case 'llamacpp':
      return { ...llamacppOperations, chat: repaired(llamacppOperations.chat) }
    case 'tgi':
      return {
        chat: repaired({ ...lacking(chat, ...lacksInTGI), encode: ({ body }) => withOneName(body) }),
        completions: repaired({
          ...lacking(completions, ...lacksInTGI, 'best_of', 'echo', 'logprobs', 'presence_penalty'),
          encode: ({ body }) => withOneName(body),
        }),
      }
    case 'transformers':
      return {
        chat: repaired({ ...lacking(chat, ...lacksInTransformers), encode: ({ body }) => forTransformers(body) }),
        completions: repaired({
          ...lacking(completions, ...lacksInTransformers, 'best_of', 'echo', 'suffix'),
          encode: ({ body }) => forTransformers(body),
        }),
        transcriptions,
      }
    default:
      return {
        // Whichever it is, it takes tools.
        chat: repaired(lacking(chat, 'functions')),
        completions: repaired(completions),
        embeddings,
        transcriptions,
        rerank,
      }
  }
}

/** Its schema says of the first two that they are unused, and doesn't know the others. */
const lacksInTGI = ['n', 'logit_bias', 'single_call', ...openaiOnly] as const

/**
 * `transformers serve` names most of these itself in `UNUSED_CHAT_COMPLETION_FIELDS` (cli/serving/utils.py); that it
 * ignores `response_format` and `logprobs` and leaves a stop in the text was measured with 5.12.1.
 */
const lacksInTransformers = [
  ...openaiOnly,
  'n',
  'logprobs',
  'logit_bias',
  'stop',
  'presence_penalty',
  'json_object',
  'json_schema',
  'tool_required',
  'tool_named',
  'tools_allowed',
  'custom_tools',
  'single_call',
  'files',
] as const

/**
 * `transformers serve` answers 422 to any field that isn't OpenAI's, and ignores most of OpenAI's. It would offer the
 * tools whatever the choice.
 */
function forTransformers(body: JsonObject): JsonObject {
  const { tools: _, ...toolless } = body
  const known = Object.entries(withOneName(body.tool_choice === 'none' ? toolless : body))
  return Object.fromEntries(known.filter(([key]) => transformersFields.has(key)))
}

const transformersFields = new Set(
  (
    'model messages prompt stream stream_options temperature top_p max_tokens seed frequency_penalty presence_penalty ' +
    'tools user metadata n'
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
  const prices = live.map(({ pricing }) => priceIn(pricing).price).filter((price) => price !== undefined)
  const has = (key: string) => live.some((provider) => provider[key] === true)
  const modalities = modalitiesOf(entry)
  return {
    ...(windows.length > 0 && { contextWindow: Math.max(...windows) }),
    // The router decides which provider answers, and none costs more than this.
    ...(prices.length > 0 && {
      price: { input: highest(prices, 'input'), output: highest(prices, 'output') },
    }),
    ...modalities,
    supports: {
      ...((has('supports_tools') || lacks('supports_tools')) && { tools: has('supports_tools') }),
      ...((has('supports_structured_output') || lacks('supports_structured_output')) && {
        schema: has('supports_structured_output'),
      }),
      ...(modalities.inputs && { vision: modalities.inputs.includes('image') }),
    },
  }
}

function highest(prices: readonly Price[], side: keyof Price): number {
  return Math.max(...prices.map((price) => price[side]))
}
