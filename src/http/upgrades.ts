import { operationFacts } from '../operations/facts.ts'
import { GatewayError } from '../wire/errors.ts'
import { routePath } from '../wire/paths.ts'

/** Whether a WebSocket at `url` is for responses. */
export function isForResponses(url: string): boolean {
  return routePath(url) === operationFacts.responses.path
}

/**
 * What a client gets that wants a WebSocket for its responses where the runtime can't open any. Codex then sends them by
 * HTTP, and doesn't try again.
 */
export function noSocket(): GatewayError {
  return new GatewayError('bad_request', 'Responses are not created by WebSocket here: POST them to /v1/responses.', {
    status: 426,
    code: 'upgrade_required',
    headers: { upgrade: 'HTTP/1.1' },
  })
}

/** What a request for a realtime session by plain HTTP gets. */
export function upgradeRequired(): GatewayError {
  return new GatewayError('bad_request', 'Realtime sessions are opened by WebSocket: this request has no Upgrade.', {
    status: 426,
    code: 'upgrade_required',
    headers: { upgrade: 'websocket' },
  })
}
