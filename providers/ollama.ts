import { late } from '../src/core/late.ts'
import { defineProvider, type OperationSpec, type ProviderSettings } from '../src/core/provider.ts'
import { lacking, openaiOnly, toolChoices } from './lacks.ts'
import { ollamaURL } from './ollama/address.ts'
import { ollamaErrors, refusesMostThinking, refusesThinking } from './ollama/failures.ts'
import { isWithoutHost } from './ollama/hosts.ts'
import { responsesBy, responsesSetting } from './responses.ts'

/**
 * Ollama through its native API, where the context size, `keep_alive` and `think` can be set, limits are respected, and
 * a model that fails in the middle of a stream reports it. `api: 'openai'` uses Ollama's own `/v1` instead.
 */
export default defineProvider({
  type: 'ollama',
  title: 'Ollama',
  baseURL: 'http://127.0.0.1:11434',
  keyless: true,
  // Its cloud is not, whether asked directly or through a server of one's own, by the tag.
  free: ({ baseURL }, model) => !/\/\/([^/]+\.)?ollama\.com\b/.test(ollamaURL(baseURL)) && !/[:-]cloud$/.test(model),
  env: { baseURL: 'OLLAMA_HOST', apiKey: 'OLLAMA_API_KEY' },
  probe: 'http://127.0.0.1:11434',
  settings: { api: ['native', 'openai'], continues: ['chat'], responses: responsesSetting },
  // Whether it goes on with a last message of the assistant depends on the model's template, and nothing tells.
  continues: ({ options }) => (options.continues ? { chat: { trims: true } } : {}),
  operations: ({ options }: ProviderSettings) => ({
    ...(options.api === 'openai' ? openaiOperations : nativeOperations),
    ...responsesBy(options.responses, 'translated', { path: '/v1/responses' }),
  }),
  url: ({ baseURL }, path) => ollamaURL(baseURL) + path,
  passes: ({ baseURL }, path) => `${ollamaURL(baseURL)}/v1${path}`,
  errors: ollamaErrors,
  // A model that can't think rejects the parameter; it answers without it.
  heal: (error) =>
    refusesMostThinking(error)
      ? { efforts: ['low', 'medium', 'high'] }
      : refusesThinking(error)
        ? { drop: ['think', 'reasoning_effort', 'reasoning'] }
        : undefined,
  models: late(async () => (await import('./ollama/library.ts')).listLibrary),
  pull: late(async () => (await import('./ollama/library.ts')).pullModel),
  mayPull: isWithoutHost,
})

/** Measured with 0.32.15: all of this is ignored on both of its APIs, except that neither knows files. */
const lacksInChat = [
  ...openaiOnly.filter((feature) => feature !== 'functions'),
  'n',
  'logit_bias',
  ...toolChoices,
  'files',
] as const

const lacksInCompletions = [...lacksInChat, 'best_of', 'echo', 'logprobs'] as const

// A chat model that hears is asked to write down what it hears: forms of up to 25 MB.
const transcriptions = { path: '/v1/audio/transcriptions' }

const own = {
  load: async () => (await import('./ollama/wire.ts')).native.own,
  streamType: 'application/x-ndjson',
} as const

const nativeOperations = {
  transcriptions,
  chat: {
    lacks: lacksInChat,
    path: '/api/chat',
    images: 'data',
    load: async () => (await import('./ollama/wire.ts')).native.chat,
    streamType: 'application/x-ndjson',
  },
  completions: {
    lacks: lacksInCompletions,
    path: '/api/generate',
    load: async () => (await import('./ollama/wire.ts')).native.completions,
    streamType: 'application/x-ndjson',
  },
  embeddings: { path: '/api/embed', load: async () => (await import('./ollama/wire.ts')).native.embeddings },
  // For clients of this API: bytes go and come as they are, but for the frame of each line on its way.
  ollamaChat: { path: '/api/chat', ...own },
  ollamaGenerate: { path: '/api/generate', ...own },
  ollamaEmbed: { path: '/api/embed' },
  ollamaEmbeddings: { path: '/api/embeddings' },
} satisfies Record<string, OperationSpec>

const openaiOperations = {
  transcriptions,
  chat: lacking(
    { path: '/v1/chat/completions', load: async () => (await import('./ollama/wire.ts')).openai.chat, images: 'data' },
    ...lacksInChat,
    'functions',
  ),
  completions: {
    path: '/v1/completions',
    load: async () => (await import('./ollama/wire.ts')).openai.completions,
    lacks: [...lacksInCompletions, 'raw'],
  },
  embeddings: { path: '/v1/embeddings', load: async () => (await import('./ollama/wire.ts')).openai.embeddings },
} satisfies Record<string, OperationSpec>
