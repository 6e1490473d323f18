import type { ProviderSettings } from '../../src/core/provider.ts'

/** The address without the `/v1` that clients of OpenAI's API are used to end it with. */
export function anthropicURL({ baseURL }: ProviderSettings): string {
  return baseURL.replace(/\/v1$/, '')
}

/** https://platform.claude.com/docs/en/api/overview */
export function anthropicHeaders({ apiKey }: ProviderSettings): Record<string, string> {
  return { 'anthropic-version': '2023-06-01', ...(apiKey && { 'x-api-key': apiKey }) }
}

export const countPath = '/v1/messages/count_tokens'
