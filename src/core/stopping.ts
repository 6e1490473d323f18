import { GatewayError } from '../wire/errors.ts'

/** For requests that come while the gateway shuts down, or are not answered by then. Another one may be there soon. */
export function shuttingDown(): GatewayError {
  return new GatewayError('stopping', 'The gateway is shutting down. Please try again.', {
    headers: { 'retry-after': '1', 'retry-after-ms': '1000' },
  })
}

/** For answers that have begun. */
export function brokenOff(): GatewayError {
  return new GatewayError('stopping', 'The gateway was stopped before the end of the answer.', {
    code: 'upstream_stream_truncated',
    reason: 'shutting_down',
  })
}
