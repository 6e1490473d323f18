import { headerValue } from '../wire/headers.ts'
import type { Trace } from './call.ts'

/** The headers that say who answered, after how many attempts, and why not the one that was asked. */
export function disclosure({ attempts, reason }: Trace): Record<string, string> {
  const served = attempts.at(-1)
  const headers: Record<string, string> = { 'x-samewire-attempts': String(attempts.length) }
  if (served && !served.failure) headers['x-samewire-model'] = headerValue(served.deployment)
  const told = reason ?? attempts.find(({ failure }) => failure)?.reason
  if (told) headers['x-samewire-reason'] = headerValue(told)
  return headers
}
