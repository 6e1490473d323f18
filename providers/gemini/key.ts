import type { ProviderSettings } from '../../src/core/provider.ts'

/** The key as Gemini's own API takes it. */
export function keyHeader({ apiKey }: ProviderSettings): Record<string, string> {
  return apiKey ? { 'x-goog-api-key': apiKey } : {}
}
