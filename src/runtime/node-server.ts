import { createServer, type Server } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import type { Random } from '../wire/ids.ts'
import { dropLeftover } from './node-leftover.ts'
import { answerOf, hasOddCoding, refusal, refuseBadHttp, send } from './node-refusals.ts'

type Fetch = Parameters<typeof getRequestListener>[0]

/** A server for the app's `fetch`. What never reaches the app, since it is no HTTP that makes sense, gets the envelope too. */
export function createNodeServer(fetch: Fetch, random: Random): Server {
  const errorHandler = () => {
    const { status, headers, body } = answerOf(refusal(400, 'The request has no usable address.'), random)
    return new Response(body, { status, headers })
  }
  const options = {
    // Headers of clients and proxies in between add up to more than Node's 16 KB.
    maxHeaderSize: 64 * 1024,
    // Longer than the idle time of usual proxies: whoever closes first must not be the one that is being asked.
    keepAliveTimeout: 65_000,
    // A client that never finishes its request holds a connection for this long.
    headersTimeout: 60_000,
    requestTimeout: 300_000,
    requireHostHeader: false,
  }
  const serve = getRequestListener(fetch, { hostname: 'localhost', errorHandler, autoCleanupIncoming: false })
  const server = createServer(options, (request, response) => {
    if (request.method !== 'GET') dropLeftover(request, response)
    if (hasOddCoding(request)) send(response, refusal(400, 'The transfer-encoding can only be chunked.'), random)
    else void serve(request, response)
  })
  refuseBadHttp(server, random)
  return server
}
