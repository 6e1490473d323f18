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

/** The same body, which fails with a 413 as soon as more than `limit` bytes have arrived. */
export function limited({ source, length }: Rest, limit: number): Rest {
  if ((length ?? 0) > limit) {
    source.cancel('It is too large.')
    throw tooLarge(limit)
  }
  let size = 0
  const count: Stage = {
    chunk(bytes, emit) {
      size += bytes.length
      if (size > limit) throw tooLarge(limit)
      emit(bytes)
    },
  }
  return { source: translated(source, count), length }
}
