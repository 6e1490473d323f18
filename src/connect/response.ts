import type { Provider } from '../core/provider.ts'
import { GatewayError } from '../wire/errors.ts'

/** `x-ratelimit-remaining-tokens` and its kin, and the numbers, durations and times that they hold. */
const limitName = /^x-ratelimit-(limit|remaining|reset)(-[a-z\d-]{1,32})?$/
const limitValue = /^-?\d[\w.:+ -]{0,40}$/
const mostLimits = 16
const organization = /^[\w.-]{1,64}$/
const requestId = /^[\w.:/+=-]{1,128}$/

/**
 * What an upstream's headers tell the client about its own limits and processing. Nothing else comes through, and
 * nothing that isn't what its name says: a value may hold a megabyte, or a key.
 */
export function passedHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const told: Record<string, string> = {}
  let limits = 0
  for (const name in headers) {
    const value = headers[name]
    if (value === undefined) continue
    if (name.startsWith('x-ratelimit-')) {
      if (limits < mostLimits && limitName.test(name) && limitValue.test(value)) {
        told[name] = value
        limits++
      }
    } else if (name === 'openai-organization') {
      if (organization.test(value)) told[name] = value
    } else if (name === 'x-request-id' && requestId.test(value)) told['x-samewire-upstream-request-id'] = value
  }
  return told
}

export function protocolError({ name }: Provider, what: string): GatewayError {
  return new GatewayError('protocol', `${name} ${what}.`)
}
