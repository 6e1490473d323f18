import { bearer, defineProvider } from '../src/core/provider.ts'
import { openaiOperations } from '../src/operations/index.ts'
import { continuedBy } from './continuations.ts'
import { effortsOf } from './efforts.ts'
import { endpointOperations } from './huggingface/endpoint.ts'
import { huggingfaceErrors, transformersErrors } from './huggingface/failures.ts'
import { featureExtraction, isAtRoot, routerURL } from './huggingface/features.ts'
import { media } from './huggingface/media.ts'
import { listWithProviders } from './huggingface/models.ts'
import { teiRerank } from './huggingface/rerank.ts'
import { lacking } from './lacks.ts'

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
  errors: ({ options }) =>
    options.engine === 'transformers' ? [...transformersErrors, ...huggingfaceErrors] : huggingfaceErrors,
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
