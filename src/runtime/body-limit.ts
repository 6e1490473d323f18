import { translated } from '../core/stages.ts'
import type { Stage } from '../core/stream.ts'
import type { Rest } from '../core/transport.ts'
import { GatewayError } from '../wire/errors.ts'

export function tooLarge(limit: number): GatewayError {
  return new GatewayError('bad_request', `The request body is larger than ${limit} bytes.`, {
    status: 413,
    code: 'request_too_large',
  })
}

/**
 * The same body, which fails with a 413 as soon as more than `limit` bytes have arrived. Throws it for one that is
 * declared to be larger; the runtimes see to it that no body is larger than declared.
 */
export function limited({ source, length }: Rest, limit: number): Rest {
  if (length === undefined) return { source: translated(source, counting(limit)) }
  if (length <= limit) return { source, length }
  source.cancel('It is too large.')
  throw tooLarge(limit)
}

function counting(limit: number): Stage {
  let size = 0
  return {
    chunk(bytes, emit) {
      size += bytes.length
      if (size > limit) throw tooLarge(limit)
      emit(bytes)
    },
  }
}
