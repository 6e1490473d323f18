import type { Provider } from '../core/provider.ts'
import { GatewayError } from '../wire/errors.ts'

/** What an upstream's headers tell the client about its own limits and processing; nothing else comes through. */
export function passedHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const told: Record<string, string> = {}
  for (const name in headers) {
    const value = headers[name]
    if (value === undefined) continue
    if (name.startsWith('x-ratelimit-') || name === 'openai-organization') told[name] = value
    else if (name === 'x-request-id') told['x-samewire-upstream-request-id'] = value
  }
  return told
}

export function protocolError({ name }: Provider, what: string): GatewayError {
  return new GatewayError('protocol', `${name} ${what}.`)
}
