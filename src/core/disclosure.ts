import { headerValue } from '../wire/headers.ts'
import type { Trace } from './call.ts'

/** Headers that say who answered, after how many attempts, and why it wasn't the requested model at first. */
export function disclosure({ attempts, reason }: Trace): Record<string, string> {
  const served = attempts.findLast(({ failure }) => !failure)
  const headers: Record<string, string> = { 'x-samewire-attempts': String(attempts.length) }
  if (served) headers['x-samewire-model'] = headerValue(served.deployment)
  const told = reason ?? attempts.find(({ failure }) => failure)?.reason
  if (told) headers['x-samewire-reason'] = headerValue(told)
  return headers
}
