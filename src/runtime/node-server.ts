import { createServer, type Server } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import type { Random } from '../wire/ids.ts'
import { comesTooLate } from './draining.ts'
import { dropLeftover } from './node-leftover.ts'
import { inTurn } from './node-pipeline.ts'
import { answerOf, hasOddCoding, refusal, refuseBadHttp, send } from './node-refusals.ts'
import { shuttingDown } from './running.ts'

type Fetch = Parameters<typeof getRequestListener>[0]

/** A server for the app's `fetch`. Invalid HTTP, which never reaches the app, gets the error envelope too. */
export function createNodeServer(fetch: Fetch, random: Random): Server {
  const errorHandler = () => {
    const { status, headers, body } = answerOf(refusal(400, 'The request has no usable address.'), random)
    return new Response(body, { status, headers })
  }
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
  const serve = getRequestListener(fetch, { hostname: 'localhost', errorHandler, autoCleanupIncoming: false })
  const server = createServer(options, (request, response) => {
    if (request.method !== 'GET') dropLeftover(request, response)
    if (hasOddCoding(request)) send(response, refusal(400, 'The transfer-encoding can only be chunked.'), random)
    else if (comesTooLate(server, request, response)) send(response, shuttingDown(), random)
    else inTurn(request, response, () => void serve(request, response))
  })
  refuseBadHttp(server, random)
  return server
}
