import type { RequestReport } from '../core/report.ts'
import { withoutSecrets } from '../core/secrets.ts'
import { withoutKeys } from './keys.ts'

/** Characters of a request or an answer that are written. */
const longest = 64 * 1024

/** What nobody says of itself that it is a key: `Bearer` with a short one, keys in PEM, and passwords in addresses. */
const others =
  /(\bBearer\s+)[\w~+/=-]+(?:\.[\w~+/=-]+)+|(-----BEGIN [A-Z ]*PRIVATE KEY-----)[\s\S]*?(?:-----END|$)|(\b[a-z][a-z\d+.-]{1,20}:(?:\\?\/){2}[^\s:@/?#"'\\]*:)[^\s@/?#"'\\]+(?=@)/gi

/**
 * What a client sent and got, as members of a line of JSON. `secrets`: those of the gateway, which are left out as
 * whatever looks like a key is.
 */
export function contentOf(secrets: readonly string[]): (report: RequestReport) => string {
  const worded = (bytes: Uint8Array) => {
    const text = new TextDecoder().decode(bytes.subarray(0, longest))
    return JSON.stringify(withoutKeys(withoutSecrets(text, secrets)).replace(others, '$1$2$3***').toWellFormed())
  }
  return ({ content }) => {
    const { request, answer } = content ?? {}
    return `${request ? `,"request":${worded(request)}` : ''}${answer ? `,"answer":${worded(answer)}` : ''}`
  }
}
