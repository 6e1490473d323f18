import { headerValue } from '../wire/headers.ts'
import { comment } from '../wire/sse.ts'
import type { Trace } from './trace.ts'
import { traceText } from './trace-text.ts'

/** Characters of a header that lists what clients name: HTTP stacks refuse long ones. */
const mostListed = 1024

/** As many names as fit, and the number of the others. */
function listed(names: readonly string[]): string {
  let text = ''
  for (const [at, name] of names.entries()) {
    const longer = headerValue(at === 0 ? name : `, ${name}`)
    if (text.length + longer.length > mostListed) return `${text}${at === 0 ? '' : ', '}${names.length - at} more`
    text += longer
  }
  return text
}

/** A comment that says what of an answer was left out, where the headers have gone out already. */
export function droppedComment(names: readonly string[]): Uint8Array {
  return comment(`x-samewire-dropped: ${listed(names)}`)
}

/**
 * Adds headers that say who answered, after how many attempts, and why it wasn't the requested model at first: to them,
 * since a second object costs more than they do.
 */
export function disclosure(trace: Trace, headers: Record<string, string> = {}): Record<string, string> {
  const { attempts, reason, dropped } = trace
  const served = attempts.findLast(({ failure }) => !failure)
  headers['x-samewire-attempts'] = String(attempts.length)
  if (served) headers['x-samewire-model'] = headerValue(served.deployment)
  const told = reason ?? attempts.find(({ failure }) => failure)?.reason
  if (told) headers['x-samewire-reason'] = headerValue(told)
  if (dropped && dropped.length > 0) headers['x-samewire-dropped'] = listed(dropped)
  trace.admission?.tell(headers)
  if (trace.cache) headers['x-samewire-cache'] = trace.cache
  if (trace.asked) headers['x-samewire-trace'] = traceText(trace)
  return headers
}
