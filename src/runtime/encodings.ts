import { GatewayError } from '../wire/errors.ts'
import { headerValue } from '../wire/headers.ts'

/** Maximum number of stacked encodings. Servers never need more; decoding them would only waste CPU. */
const most = 2

/**
 * The codings in a `content-encoding` header, in lower case and in the order in which to decode them, without
 * `identity`. More than two count as unknown. https://www.rfc-editor.org/rfc/rfc9110#field.content-encoding
 */
export function codingsOf(header: string | undefined | null): readonly string[] {
  if (!header) return []
  const names = header.split(',', most + 2).map((name) => name.trim().toLowerCase())
  const codings = names.filter((name) => name !== '' && name !== 'identity').reverse()
  return codings.length > most ? ['too many'] : codings
}

/** The error for a request whose body is in a coding that this runtime doesn't know. */
export function unreadable(header: string, known: Iterable<string>): GatewayError {
  const message = `Invalid Content-Encoding header (${headerValue(header).slice(0, 100)}), expected one of ${[...known].join(', ')}.`
  return new GatewayError('bad_request', message, { status: 415, code: 'unsupported_content_encoding' })
}

export function corrupt(cause: unknown): GatewayError {
  return new GatewayError('bad_request', 'We could not decompress the body of your request.', { cause })
}

export function unknownCoding(): GatewayError {
  return new GatewayError('protocol', 'The upstream answered in an encoding that nobody asked for.')
}
