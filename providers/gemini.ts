import { late } from '../src/core/late.ts'
import {
  bearer,
  defineProvider,
  type OperationSpec,
  type OperationSpecs,
  type ProviderSettings,
} from '../src/core/provider.ts'
import { geminiRoot, geminiURL } from './gemini/address.ts'
import { withoutDetails } from './gemini/details.ts'
import { geminiErrors, healThinking } from './gemini/failures.ts'
import { keyHeader } from './gemini/key.ts'

/**
 * Google's Gemini API. Chats go over `generateContent`, which has thoughts and their signatures; `api: 'openai'` uses
 * Google's endpoint in OpenAI's format for them too. https://ai.google.dev/api
 */
export default defineProvider({
  type: 'gemini',
  telemetryName: 'gcp.gemini',
  title: 'Google Gemini',
  baseURL: 'https://generativelanguage.googleapis.com',
  env: { apiKey: 'GEMINI_API_KEY' },
  settings: { api: ['native', 'openai'] },
  answers: ['gemini-*', 'gemma-*', 'imagen-*', 'tunedModels/*'],
  operations: ({ options }) => ({
    chat: options.api === 'openai' ? openaiChat : nativeChat,
    inputTokens: { path: '', serve: late(async () => (await import('./gemini/count.ts')).countTokens) },
    embeddings: { path: '/v1beta/openai/embeddings' },
    images: { path: '/v1beta/openai/images/generations' },
    ...ownOperations,
  }),
  // Either part of the API refuses the other's form of the key.
  headers: (settings, operation) => (isNative(settings, operation) ? keyHeader(settings) : bearer(settings)),
  url: ({ baseURL }, path, model) => geminiURL(baseURL, path, model),
  passes: ({ baseURL }, path) => `${geminiRoot(baseURL)}/v1beta/openai${path}`,
  reasoning: ['google-gemini-v1'],
  errors: geminiErrors,
  heal: healThinking,
  models: late(async () => (await import('./gemini/list.ts')).listGemini),
})

const loadRenamed = async () => ({ encode: (await import('./gemini/renamed.ts')).renamedInside })

/** Requests in Gemini's own format, for programs that speak it. */
const ownOperations: OperationSpecs = {
  generateContent: {
    path: '/v1beta/{model}:generateContent',
    streamPath: '/v1beta/{model}:streamGenerateContent?alt=sse',
    unnamed: true,
  },
  countContentTokens: { path: '/v1beta/{model}:countTokens', load: loadRenamed },
  embedContent: { path: '/v1beta/{model}:embedContent', load: loadRenamed },
  batchEmbedContents: { path: '/v1beta/{model}:batchEmbedContents', load: loadRenamed },
}

function isNative({ options }: ProviderSettings, operation = ''): boolean {
  if (operation === 'chat' || operation === 'completions') return options.api !== 'openai'
  return operation === 'inputTokens' || Object.hasOwn(ownOperations, operation)
}

/** Penalties and several choices: no model since Gemini 2.5, or 3, takes them (googleapis/js-genai#1609, vercel/ai#4022). */
const nativeChat = {
  lacks: [
    ...['n', 'presence_penalty', 'frequency_penalty', 'logit_bias', 'single_call'],
    ...['functions', 'custom_tools', 'prediction', 'moderation'],
  ],
  path: '/v1beta/{model}:generateContent',
  streamPath: '/v1beta/{model}:streamGenerateContent?alt=sse',
  images: 'data',
  remedied: 'before',
  load: async () => (await import('./gemini/wire.ts')).chatWire,
} as const satisfies OperationSpec

/** What it answers 400 to need not be listed. https://ai.google.dev/gemini-api/docs/openai */
const openaiChat = {
  path: '/v1beta/openai/chat/completions',
  rephrase: withoutDetails,
  lacks: ['functions', 'custom_tools', 'audio_output', 'prediction', 'web_search', 'moderation'],
} as const satisfies OperationSpec
