import type { Answer } from '../core/answer.ts'
import type { Call } from '../core/call.ts'
import { readInBand } from '../core/failure.ts'
import type { OperationSpec } from '../core/provider.ts'
import type { Services } from '../core/services.ts'
import type { Closing, DialRequest, Message, Socket } from '../core/socket.ts'
import { GatewayError } from '../wire/errors.ts'
import { isObject, tryParse } from '../wire/json.ts'
import type { SocketRequest } from '../wire/socket-request.ts'
import { refused } from './refused.ts'
import { ownHeaders } from './request.ts'
import { passedHeaders, protocolError } from './response.ts'

/**
 * Milliseconds in which an upstream may refuse a WebSocket that it has opened. OpenAI does so for a wrong key or model:
 * an event, then a close with the error's name. Those that accept greet with an event, which ends the wait.
 */
const patience = 1_000
/** Characters of the longest first message that is read. */
const longest = 64 * 1024

/** Opens a WebSocket to the deployment of the call's target. The answer is that it is open. */
export async function dialled(
  call: Call,
  request: SocketRequest,
  spec: OperationSpec,
  services: Services,
): Promise<Answer> {
  const { provider } = call.target.deployment
  if (!services.dial) throw new GatewayError('wrong_endpoint', 'This gateway opens no WebSockets.')
  const response = await services.dial(dialOf(call, request, spec), call.signal)
  const { socket, headers } = response
  if (!socket) {
    if (response.status > 299) throw await refused(response, call, services)
    response.body.cancel('It is no WebSocket.')
    throw protocolError(provider, `answered HTTP ${response.status} instead of opening a WebSocket`)
  }
  try {
    const failure = await refusalIn(socket, call, services)
    if (failure) throw failure
  } catch (failure) {
    socket.close(1000)
    throw failure
  }
  return { status: 101, headers: passedHeaders(headers), body: new Uint8Array(), socket }
}

function dialOf(call: Call, { asked, tellsModel }: SocketRequest, spec: OperationSpec): DialRequest {
  const { provider, model } = call.target.deployment
  const { definition, settings, callersKey, name } = provider
  const path = spec.path + asked.under
  const url = new URL(definition.url?.(settings, path, model) ?? settings.baseURL + path)
  for (const [key, value] of asked.query) url.searchParams.append(key, value)
  if (tellsModel) url.searchParams.set(spec.modelIn ?? 'model', model)
  const belongings = callersKey ? asked.belongings : {}
  return {
    name,
    url: url.href,
    headers: { ...asked.headers, ...belongings, ...ownHeaders(call) },
    connectTimeout: call.target.limits.connectTimeout,
  }
}

/** The failure that the upstream's first message or its close tells; undefined if it says something else, or nothing. */
function refusalIn(socket: Socket, call: Call, { clock }: Services): Promise<GatewayError | undefined> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      cancel()
      call.signal.removeEventListener('abort', leave)
    }
    const leave = () => {
      stop()
      reject(call.signal.reason)
    }
    const cancel = clock.after(patience, () => {
      stop()
      resolve(undefined)
    })
    call.signal.addEventListener('abort', leave)
    if (call.signal.aborted) leave()
    socket.peek((first) => {
      stop()
      resolve('data' in first ? errorIn(first, call) : closedAtOnce(first, call))
    })
  })
}

function errorIn({ data, isText }: Message, call: Call): GatewayError | undefined {
  if (!isText || data.length > longest) return undefined
  const event = tryParse(typeof data === 'string' ? data : new TextDecoder().decode(data))
  return isObject(event) && event.type === 'error' ? readInBand({ error: event.error }, call) : undefined
}

/** OpenAI's reasons are an error's type and code: `invalid_request_error.invalid_api_key`. */
function closedAtOnce({ code, reason, broke }: Closing, call: Call): GatewayError {
  const { provider } = call.target.deployment
  if (broke) return new GatewayError('network', `${provider.name} broke off the connection.`)
  const [, type, error] = /^(\w+_error)\.(\w+)$/.exec(reason) ?? []
  if (type !== undefined) return readInBand({ error: { type, code: error, message: reason } }, call)
  return protocolError(provider, `closed its WebSocket (${code}) before it said anything`)
}
