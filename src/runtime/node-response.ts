import type { Dispatcher } from 'undici'
import { Pump } from '../core/pump.ts'
import type { Signal } from '../core/signal.ts'
import type { UpstreamRequest, UpstreamResponse } from '../core/transport.ts'
import { decoded } from './node-decoding.ts'
import { asError, brokenOff, unreachable } from './node-failures.ts'

export interface Exchange {
  readonly request: UpstreamRequest
  readonly signal: Signal
}

/**
 * Turns undici's events for one request into a response and its stream. A plain object of functions: with a class here,
 * every request stayed in memory until the next full collection.
 */
export function respondTo(
  resolve: (response: UpstreamResponse) => void,
  reject: (error: unknown) => void,
  { request, signal }: Exchange,
): Dispatcher.DispatchHandler {
  let controller: Dispatcher.DispatchController | undefined
  let pump: Pump | undefined
  /** The first byte of the answer has arrived. */
  let begun = false
  /** Reports the abort at once, even without a socket; undici's own event comes later or not at all. */
  const abort = () => {
    const { reason } = signal
    if (pump) pump.break(reason)
    else reject(reason)
    controller?.abort(asError(reason))
  }
  signal.addEventListener('abort', abort, { once: true })
  return {
    onRequestStart(started) {
      controller = started
      if (signal.aborted) abort()
    },
    onResponseStarted() {
      begun = true
    },
    onResponseStart(started, status, headers) {
      if (status < 200) return
      pump = new Pump({
        pause: () => started.pause(),
        resume: () => started.resume(),
        cancel: (reason) => started.abort(asError(reason)),
      })
      const flat = flatten(headers)
      resolve({ status, headers: flat, body: decoded(pump, flat['content-encoding']) })
    },
    onResponseData(_, chunk) {
      pump?.push(chunk)
    },
    onResponseEnd() {
      signal.removeEventListener('abort', abort)
      pump?.finish()
    },
    onResponseError(_, error) {
      signal.removeEventListener('abort', abort)
      const reason = signal.aborted ? signal.reason : error
      if (pump) pump.break(signal.aborted ? reason : brokenOff(error))
      else reject(begun ? unreachable(reason, request) : reason)
    },
  }
}

function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const flat: Record<string, string> = {}
  for (const name in headers) {
    const value = headers[name]
    if (value !== undefined) flat[name] = typeof value === 'string' ? value : value.join(', ')
  }
  return flat
}
