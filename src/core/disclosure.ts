import { headerValue } from '../wire/headers.ts'
import type { Trace } from './call.ts'
import { traceText } from './trace-text.ts'

/** Headers that say who answered, after how many attempts, and why it wasn't the requested model at first. */
export function disclosure(trace: Trace): Record<string, string> {
  const { attempts, reason, dropped } = trace
  const served = attempts.findLast(({ failure }) => !failure)
  const headers: Record<string, string> = { 'x-samewire-attempts': String(attempts.length) }
  if (served) headers['x-samewire-model'] = headerValue(served.deployment)
  const told = reason ?? attempts.find(({ failure }) => failure)?.reason
  if (told) headers['x-samewire-reason'] = headerValue(told)
  if (dropped && dropped.length > 0) headers['x-samewire-dropped'] = headerValue(dropped.join(', '))
  if (trace.asked) headers['x-samewire-trace'] = traceText(trace)
  return headers
}
