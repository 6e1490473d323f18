import type { Clock } from '../core/clock.ts'
import type { Provider } from '../core/provider.ts'
import { readSaid } from '../core/said.ts'
import { secretsAt } from '../core/secrets.ts'
import type { UpstreamResponse } from '../core/transport.ts'
import { type FailureKind, GatewayError } from '../wire/errors.ts'
import { isObject, tryParse } from '../wire/json.ts'
import { opening } from './refused.ts'

/**
 * The failure that an error response to a request reports that went on as it was: the upstream's status and, in an
 * envelope, its own words without the secrets in them. `headers`: those of the response that clients get.
 */
export async function foreignRefusal(
  { status, body }: UpstreamResponse,
  { provider, bearer }: { readonly provider: Provider; readonly bearer: string | undefined },
  headers: Readonly<Record<string, string>>,
  clock: Clock,
): Promise<GatewayError> {
  const { name, callersKey } = provider
  if ((status === 401 || status === 407) && !callersKey) {
    body.cancel('It may quote the key.')
    // Clients would take the status for their own key's.
    return new GatewayError('auth', `The gateway's credentials for ${name} were rejected (HTTP ${status}).`)
  }
  const text = await opening(body, clock)
  const said = readSaid(text, secretsAt(provider, bearer))
  const kind = kindOf(status)
  if (!isEnvelope(text)) {
    return new GatewayError(kind, `${name} failed: ${said.message || `HTTP ${status}`}`, { status, headers })
  }
  return new GatewayError(kind, said.message || `${name} failed: HTTP ${status}`, {
    ...{ status, headers },
    ...(said.type !== undefined && { type: said.type }),
    code: said.code ?? null,
    param: said.param ?? null,
  })
}

/** What a status means for a request whose meaning the gateway doesn't know. */
function kindOf(status: number): FailureKind {
  if (status === 429) return 'rate_limit'
  return status >= 500 ? 'upstream' : 'bad_request'
}

/** Whether the error is OpenAI's: `{"error": {…}}`. */
function isEnvelope(text: string): boolean {
  const parsed = tryParse(text)
  return isObject(parsed) && isObject(parsed.error)
}
