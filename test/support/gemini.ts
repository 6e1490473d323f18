import { serveBoth } from './both.ts'

export const geminiKey = 'AIza-of-the-gateway'

/** Serves Gemini on both runtimes, in front of an upstream that may be any of its parts, and of another provider. */
export function serveGemini(name: string) {
  return serveBoth(
    name,
    (url) => ({
      providers: {
        up: { type: 'gemini', baseURL: url, apiKey: 'env:KEY' },
        compat: { type: 'gemini', baseURL: `${url}/v1beta`, api: 'openai', apiKey: 'env:KEY' },
        backup: { type: 'openai-compatible', baseURL: `${url}/backup` },
      },
      models: {
        safe: { deployments: ['up/gemini-3-flash'], fallbacks: ['backup/m'] },
        lenient: { deployments: [{ model: 'up/gemini-3-flash', dropParams: true }] },
      },
      retries: 0,
      cooldown: false,
    }),
    { env: { KEY: geminiKey } },
  )
}

/** https://ai.google.dev/api/generate-content#UsageMetadata */
export const usageMetadata = {
  ...{ promptTokenCount: 29, candidatesTokenCount: 15, thoughtsTokenCount: 800, totalTokenCount: 844 },
  cachedContentTokenCount: 20,
}
export const head = { modelVersion: 'gemini-3-flash-preview', responseId: 'r1' }

export type Part = Record<string, unknown>

const candidate = (parts: readonly Part[], more: object = {}) => ({
  content: { parts, role: 'model' },
  index: 0,
  ...more,
})

/** A whole answer, or the last event of a stream. */
export const said = (parts: readonly Part[], finishReason = 'STOP', more: object = {}) => ({
  candidates: [candidate(parts, { finishReason, ...more })],
  usageMetadata,
  ...head,
})

/** Any other event of a stream. */
export const piece = (...parts: Part[]) => ({ candidates: [candidate(parts)], usageMetadata, ...head })

export const events = (...all: unknown[]) => all.map((one) => `data: ${JSON.stringify(one)}\r\n\r\n`)

export const failed = (code: number, status: string, message: string, details: readonly object[] = []) => ({
  error: { code, message, status, details },
})
