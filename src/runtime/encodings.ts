import { GatewayError } from '../wire/errors.ts'

/** Encodings on top of each other that a server may mean; more would only be work. */
const most = 2

/**
 * The codings of a `content-encoding`, in lower case and in the order in which they have to be undone. `identity` is
 * none. More than two are as good as unknown. https://www.rfc-editor.org/rfc/rfc9110#field.content-encoding
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
