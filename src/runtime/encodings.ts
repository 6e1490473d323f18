import { GatewayError } from '../wire/errors.ts'

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

export function unknownCoding(): GatewayError {
  return new GatewayError('protocol', 'The upstream answered in an encoding that nobody asked for.')
}
