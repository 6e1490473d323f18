import { anthropic } from './anthropic.ts'
import type { Dialect } from './dialect.ts'
import { gemini } from './gemini.ts'
import { ollama } from './ollama.ts'

/** The APIs besides OpenAI's that the gateway's clients may speak. */
export const dialects: readonly Dialect[] = [anthropic, gemini, ollama]

/** Their routes that are asked nothing here, and why. */
export const unasked: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['create', 'copy', 'push', 'delete', 'blobs/{model}'].map((name) => [
      `/api/${name}`,
      'the gateway keeps no models, and says so',
    ]),
  ),
  '/api/pull': 'only an Ollama pulls',
  ...Object.fromEntries(
    ['generateContent', 'countTokens'].map((method) => [
      `/v1beta/tunedModels/{model}:${method}`,
      'another name for that of models',
    ]),
  ),
  ...Object.fromEntries(
    ['generateContent', 'countTokens', 'embedContent', 'batchEmbedContents'].map((method) => [
      `/v1beta/{model}:${method}`,
      'the same as under models, for clients that leave that out',
    ]),
  ),
}
