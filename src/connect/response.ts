import type { Provider } from '../core/provider.ts'
import { GatewayError } from '../wire/errors.ts'

/**
 * Matches `x-ratelimit-remaining-tokens`, Anthropic's `anthropic-ratelimit-tokens-remaining` and similar headers, and
 * their values: numbers, durations and times.
 */
const limitName =
  /^(x-ratelimit-(limit|remaining|reset)(-[a-z\d-]{1,32})?|anthropic-ratelimit-[a-z\d-]{1,32}-(limit|remaining|reset))$/
const limitValue = /^-?\d[\w.:+ -]{0,40}$/
const mostLimits = 16
const organization = /^[\w.-]{1,64}$/
const requestId = /^[\w.:/+=-]{1,128}$/

/**
 * The upstream headers about its own limits and processing that are passed to the client. No others are, and none whose
 * value isn't of the expected form: it might be a megabyte long, or contain a key.
 */
export function passedHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const told: Record<string, string> = {}
  let limits = 0
  for (const name in headers) {
    const value = headers[name]
    if (value === undefined) continue
    if (name.startsWith('x-ratelimit-') || name.startsWith('anthropic-ratelimit-')) {
      if (limits < mostLimits && limitName.test(name) && limitValue.test(value)) {
        told[name] = value
        limits++
      }
    } else if (name === 'openai-organization') {
      if (organization.test(value)) told[name] = value
    } else if ((name === 'x-request-id' || name === 'request-id') && requestId.test(value))
      told['x-samewire-upstream-request-id'] = value
  }
  return told
}

export function protocolError({ name }: Provider, what: string): GatewayError {
  return new GatewayError('protocol', `${name} ${what}.`)
}
