import { readLimits } from '../core/read-preferences.ts'
import type { Sockets } from '../core/upgrade.ts'
import { asGatewayError, errorEnvelope } from '../wire/errors.ts'
import { type HeaderReader, readHops, wireHeaders } from '../wire/headers.ts'
import { chosenProtocol, socketHeaders } from '../wire/socket-reading.ts'
import type { Guard } from './access.ts'
import { ResponsesSession, type SessionOptions } from './responses-session.ts'

/** Opens WebSockets over which clients create responses. Each message is a request like one by HTTP. */
export function createResponsesSocket(guard: Guard, options: SessionOptions): Sockets {
  const { services, nextId } = options
  const { clock } = services
  return async function open({ url, header: given }) {
    const started = clock.now()
    const headers = () => wireHeaders(nextId(), clock.now() - started)
    try {
      const header = socketHeaders(given, new URL(url))
      const own = await guard(header, 'GET')
      const caller = {
        ...{ ...own, hops: readHops(header), session: header('x-session-id'), limits: readLimits(header) },
        header: traceOf(header),
      }
      return {
        protocol: chosenProtocol(given),
        headers: headers(),
        join: (client) => new ResponsesSession(client, caller, options),
        drop() {},
      }
    } catch (thrown) {
      const failure = asGatewayError(thrown)
      return {
        status: failure.status,
        headers: { ...headers(), 'content-type': 'application/json', ...failure.headers },
        body: JSON.stringify(errorEnvelope(failure)),
      }
    }
  }
}

/** What is said of a trace, for when the request itself is over. */
function traceOf(header: HeaderReader): HeaderReader {
  const kept: Readonly<Record<string, string | undefined>> = {
    traceparent: header('traceparent'),
    tracestate: header('tracestate'),
  }
  return (name) => kept[name]
}
