import type { buildConnector as Connect } from 'undici'
import type { UpstreamRequest } from '../core/transport.ts'
import { GatewayError } from '../wire/errors.ts'
import { buildConnector } from './undici.ts'

/**
 * Whether a connection that was kept died under a request before a byte of the answer: all that was ever read from it
 * belongs to earlier ones.
 */
export function isDeadSocket(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code, socket } = error as Error & { code?: string; socket?: { bytesRead?: number } }
  return ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'].includes(code ?? '') && (socket?.bytesRead ?? 0) > 0
}

/** Why there is no answer: a failure of the connection, or an answer that isn't HTTP. */
export function unreachable(
  error: unknown,
  { name, connectTimeout }: Pick<UpstreamRequest, 'name' | 'connectTimeout'>,
): unknown {
  if (error instanceof GatewayError) return error
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (code === 'UND_ERR_CONNECT_TIMEOUT') {
    const message = `${name} did not accept a connection within ${connectTimeout / 1000} seconds.`
    return new GatewayError('network', message, { cause: error })
  }
  // Errors of undici's parser and its header limits: there was an answer, but not valid HTTP.
  if (
    /^(HPE_|UND_ERR_HEADERS|UND_ERR_RES|ERR_ASSERTION)/.test(code) ||
    (error instanceof Error && error.name === 'HTTPParserError')
  ) {
    return new GatewayError('protocol', `${name} did not answer in valid HTTP.`, { cause: error })
  }
  return new GatewayError('network', `${name} can't be reached (${code || 'no connection'}).`, {
    cause: error,
  })
}

/** Why an answer that has begun has no end. */
export function brokenOff(error: Error & { code?: unknown }): GatewayError {
  const stopped = error.code === 'UND_ERR_DESTROYED'
  const message = stopped ? 'The gateway was stopped.' : 'The connection to the upstream broke.'
  return new GatewayError('network', message, { cause: error, code: 'upstream_stream_truncated' })
}

export function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason))
}

/** Adds the socket's byte counts to the error of a reset connection; undici does so for closed ones only. */
export function tellingConnector(timeout: number): Connect.connector {
  const connect = buildConnector({ timeout })
  return (options, callback) =>
    connect(options, (...outcome) => {
      const socket = outcome[1]
      socket?.on('error', (error) => {
        Object.assign(error, { socket: { bytesRead: socket.bytesRead, bytesWritten: socket.bytesWritten } })
      })
      callback(...outcome)
    })
}
