import type { RequestReport } from '../core/report.ts'
import { withoutSecrets } from '../core/secrets.ts'

/** Characters of a request or an answer that are written. */
const longest = 64 * 1024

/** Texts that look like keys, whoever's they are. */
const keys =
  /\b(?:sk|pk|rk|hf|ghp|gho|xai|gsk|glpat|xox[abps])[-_][\w-]{12,}|\bAIza[\w-]{20,}|\bAKIA[0-9A-Z]{12,}|\beyJ[\w-]+\.[\w-]+\.[\w-]+|\bBearer\s+[\w.~+/=-]{12,}/gi

/**
 * What a client sent and got, as members of a line of JSON. `secrets`: those of the gateway, which are left out as
 * whatever looks like a key is.
 */
export function contentOf(secrets: readonly string[]): (report: RequestReport) => string {
  const worded = (bytes: Uint8Array) => {
    const text = new TextDecoder().decode(bytes.subarray(0, longest))
    return JSON.stringify(withoutSecrets(text, secrets).replace(keys, '***'))
  }
  return ({ content }) => {
    const { request, answer } = content ?? {}
    return `${request ? `,"request":${worded(request)}` : ''}${answer ? `,"answer":${worded(answer)}` : ''}`
  }
}
