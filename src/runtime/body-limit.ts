import { GatewayError } from '../wire/errors.ts'

export function tooLarge(limit: number): GatewayError {
  return new GatewayError('bad_request', `The request body is larger than ${limit} bytes.`, {
    status: 413,
    code: 'request_too_large',
  })
}
