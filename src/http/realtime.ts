import { disclosure } from '../core/disclosure.ts'
import { join } from '../core/join.ts'
import { readLimits } from '../core/read-preferences.ts'
import type { Services } from '../core/services.ts'
import { type Closing, largestMessage } from '../core/socket.ts'
import type { Trace } from '../core/trace.ts'
import type { Sockets } from '../core/upgrade.ts'
import type { Gateway } from '../gateway.ts'
import { errorEvent, realtime, usualRealtimeModel } from '../operations/realtime.ts'
import { asGatewayError, describeCause, errorEnvelope } from '../wire/errors.ts'
import { providerHeader, readHops, wireHeaders } from '../wire/headers.ts'
import { chosenProtocol, readSocketRequest, socketHeaders } from '../wire/socket-reading.ts'
import type { SocketRequest } from '../wire/socket-request.ts'
import type { Guard } from './access.ts'
import type { Reports } from './report.ts'
import { retryHeaders } from './retry-headers.ts'

export interface RealtimeOptions {
  readonly gateway: Gateway
  readonly guard: Guard
  readonly services: Pick<Services, 'clock' | 'random' | 'log'>
  readonly nextId: () => string
  readonly reports: Reports
}

export function createRealtime({ gateway, guard, services, nextId, reports }: RealtimeOptions): Sockets {
  const { clock, log, random } = services

  /** The request, with a model to route it by. */
  function routed(asked: SocketRequest, provider: string | undefined): SocketRequest {
    if (asked.model !== undefined || !asked.asked.query.some(([name]) => name === 'intent' || name === 'call_id'))
      return asked
    const name = provider ?? gateway.catalog.passThrough?.[0]
    return asked.named(name === undefined ? usualRealtimeModel : `${name}/${usualRealtimeModel}`)
  }

  function lastWords({ code }: Closing): string {
    const [what, wrong] =
      code === 1009
        ? [`sent a message of more than ${largestMessage / 1024 / 1024} MB`, 'upstream_invalid_response']
        : ['broke off the connection', 'upstream_stream_truncated']
    return errorEvent(`The upstream ${what}.`, wrong, random)
  }

  return async function open({ url, header: given, signal }) {
    const requestId = nextId()
    const started = clock.now()
    const trace: Trace = { attempts: [] }
    const headers = () => ({ ...wireHeaders(requestId, clock.now() - started), ...disclosure(trace) })
    const record = reports({ requestId, method: 'GET', path: realtime.path, header: given, started, trace })
    if (record) record.operation = realtime
    try {
      const address = new URL(url)
      const header = socketHeaders(given, address)
      const { bearer, key, account } = await guard(header, 'GET')
      if (record) record.key = key
      trace.account = account
      const { socket: upstream, headers: told } = await gateway.answer({
        ...{ operation: realtime, body: routed(readSocketRequest(address, header), header(providerHeader)) },
        ...{ signal, bearer, requestId, hops: readHops(header), trace },
        ...{ session: header('x-session-id'), limits: readLimits(header) },
      })
      if (!upstream) throw new Error('a request for a WebSocket was answered without one')
      upstream.whenOver(({ broke }) => record?.ended(101, broke ? 'cut' : 'done'))
      return {
        protocol: chosenProtocol(given),
        headers: { ...headers(), ...told },
        join: (client) => join(client, upstream, { clock, lastWords }),
        drop: () => upstream.close(1001, 'The client left.'),
      }
    } catch (thrown) {
      const failure = asGatewayError(thrown)
      if (failure.kind === 'internal') log(`${requestId} ${describeCause(failure)}`, 'error')
      record?.failed(failure)
      return {
        status: failure.status,
        headers: { ...headers(), 'content-type': 'application/json', ...retryHeaders(failure, trace) },
        body: JSON.stringify(errorEnvelope(failure)),
      }
    }
  }
}
