import { createServer, type Server } from 'node:http'
import { shuttingDown } from '../core/stopping.ts'
import { asGatewayError } from '../wire/errors.ts'
import type { Random } from '../wire/ids.ts'
import { comesTooLate } from './draining.ts'
import { type Fetch, pathOf, serveRequest } from './node-listener.ts'
import { inTurn } from './node-pipeline.ts'
import { hasOddCoding, refusal, refuseBadHttp, send } from './node-refusals.ts'

/** A server for the app's `fetch`. Invalid HTTP, which never reaches the app, gets the error envelope too. */
export function createNodeServer(fetch: Fetch, random: Random): Server {
  const options = {
    // The headers of clients and proxies in between may exceed Node's 16 KB.
    maxHeaderSize: 64 * 1024,
    // Longer than the idle timeout of common proxies, so that they never reuse a connection that is being closed.
    keepAliveTimeout: 65_000,
    // How long a client that never finishes its request can hold a connection.
    headersTimeout: 60_000,
    requestTimeout: 300_000,
    requireHostHeader: false,
  }
  const server = createServer(options, (incoming, outgoing) => {
    const path = pathOf(incoming)
    if (path === undefined) send(outgoing, refusal(400, 'The request has no usable address.'), random)
    else if (hasOddCoding(incoming)) send(outgoing, refusal(400, 'The transfer-encoding can only be chunked.'), random)
    else if (comesTooLate(server, incoming, outgoing)) send(outgoing, shuttingDown(), random)
    else {
      const fail = (error: unknown) => {
        if (outgoing.headersSent) outgoing.destroy()
        else send(outgoing, asGatewayError(error), random)
      }
      inTurn(incoming, outgoing, () => serveRequest(fetch, path, { incoming, outgoing }, fail))
    }
  })
  refuseBadHttp(server, random)
  return server
}
