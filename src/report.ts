import type { Trace } from './core/call.ts'
import type { Services } from './core/services.ts'
import { traceText } from './core/trace-text.ts'
import { asGatewayError, describeCause, type GatewayError } from './wire/errors.ts'

/** Returns what to call once a request is over. Its trace goes to the log if anything failed. */
export function createReport({ clock, log, onTrace }: Pick<Services, 'clock' | 'log' | 'onTrace'>) {
  return function report(
    requestId: string,
    started: number,
    trace: Trace,
    operation?: string,
    failure?: GatewayError,
  ): void {
    if (trace.reported) return
    trace.reported = true
    if (trace.attempts.some(({ failure: kind }) => kind !== undefined && kind !== 'gone'))
      log(`${requestId} trace ${traceText(trace)}`)
    try {
      onTrace?.({ requestId, operation, trace, failure: failure ?? trace.failure, ms: clock.now() - started })
    } catch (thrown) {
      log(`${requestId} ${describeCause(asGatewayError(thrown))}`)
    }
  }
}
