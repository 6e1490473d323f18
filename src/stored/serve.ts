import type { Answer } from '../core/answer.ts'
import type { Services } from '../core/services.ts'
import type { Signal } from '../core/signal.ts'
import type { Trace } from '../core/trace.ts'
import type { Gateway } from '../gateway.ts'
import type { Guard } from '../http/access.ts'
import type { Reports } from '../http/report.ts'
import { retryHeaders } from '../http/retry-headers.ts'
import { asGatewayError, describeCause, errorEnvelope, GatewayError } from '../wire/errors.ts'
import { type HeaderReader, providerHeader, readHops, wireHeaders } from '../wire/headers.ts'
import type { JsonObject } from '../wire/json.ts'
import { decodeId, routePath } from '../wire/paths.ts'
import { chatRoutes } from './chat-routes.ts'
import { conversationRoutes } from './conversation-routes.ts'
import { ownerOf } from './keeping.ts'
import { Missing, type StoredRoute, type StoredServices } from './request.ts'
import { responseRoutes } from './response-routes.ts'

/** A request for which `isStored`. */
export interface Incoming {
  readonly id: string
  readonly method: string
  readonly url: string
  readonly header: HeaderReader
  /** Aborted when the client leaves. */
  readonly signal: Signal
  json(): Promise<JsonObject>
}

/** That it isn't served here, and what is known of its path. */
export interface Elsewhere {
  readonly known: StoredRoute['method'] | undefined
}

/** In the order of the documentation. */
export const storedRoutes: readonly StoredRoute[] = [...responseRoutes, ...chatRoutes, ...conversationRoutes]

export interface ServeOptions extends StoredServices, Pick<Services, 'transport' | 'clock' | 'log'> {
  readonly gateway: Gateway
  readonly guard: Guard
  readonly reports: Reports
}

/** Serves what is stored to those whose it is. */
export function createServe(options: ServeOptions) {
  const { gateway, guard, reports, clock, log } = options
  const { catalog } = gateway

  /** Whether what isn't known here may be known where such requests are passed on to. */
  const isPassedOn = (header: HeaderReader) =>
    catalog.passThrough ? catalog.passThrough.length > 0 : header(providerHeader) !== undefined

  async function answer(
    incoming: Incoming,
    { route, ids }: Found,
    bearer: string | undefined,
    owner: string,
  ): Promise<Answer> {
    const { url, header, signal } = incoming
    const query = new URL(url).searchParams
    const served = await route.serve({ owner, ids, query, header, json: () => incoming.json() }, options)
    if ('answer' in served) return served.answer
    if ('json' in served) return jsonAnswer(200, served.json)
    const provider = catalog.providers.get(served.provider)
    if (!provider) throw new GatewayError('network', `${served.provider}, which has it, is not configured any more.`)
    const { forward } = await import('../connect/forward.ts')
    const path = `${routePath(url)}${new URL(url).search}`
    const hops = readHops(header)
    const { method } = route
    return await forward(
      { provider, method, path, header, bearer, hops, signal, body: [], limits: catalog.limits },
      options,
    )
  }

  return async function serve(incoming: Incoming): Promise<Answer | Elsewhere> {
    const { id, method: asked, url, header, signal } = incoming
    const method = asked === 'HEAD' ? 'GET' : asked
    const there = routesAt(routePath(url))
    const found = there.find(({ route }) => route.method === method)
    if (!found) return { known: there[0]?.route.method }
    // What no id tells whose it is, its client says.
    if (found.ids.length === 0 && header(providerHeader) !== undefined && isPassedOn(header))
      return { known: undefined }
    const started = clock.now()
    const trace: Trace = { attempts: [] }
    const path = found.route.path.replaceAll('{}', '{id}')
    const record = reports({ requestId: id, method, path, header, started, trace })
    const headers = () => wireHeaders(id, clock.now() - started)
    try {
      const { bearer, key, account } = await guard(header, method === 'GET' ? 'GET' : 'POST')
      if (record) record.key = key
      const given = await answer(incoming, found, bearer, ownerOf(account, key))
      const followed = record?.follow(given, signal) ?? given
      return { ...followed, headers: { ...headers(), ...followed.headers } }
    } catch (thrown) {
      const failure = asGatewayError(thrown)
      if (failure.kind === 'internal' || failure.code === 'store_unavailable')
        log(`${id} ${describeCause(failure)}`, 'error')
      record?.failed(failure)
      if (failure instanceof Missing && isPassedOn(header)) return { known: undefined }
      const refusal = jsonAnswer(failure.status, errorEnvelope(failure))
      return { ...refusal, headers: { ...headers(), ...refusal.headers, ...retryHeaders(failure, trace) } }
    }
  }
}

interface Found {
  readonly route: StoredRoute
  readonly ids: readonly string[]
}

/** Whether there is a route for a path. */
export const isStored = (path: string): boolean => routesAt(path).length > 0

/** The routes of a path, of all methods. */
function routesAt(path: string): readonly Found[] {
  const parts = path.split('/')
  return storedRoutes.flatMap((route) => {
    const wanted = route.path.split('/')
    const fits = wanted.length === parts.length && wanted.every((part, at) => part === '{}' || part === parts[at])
    return fits ? [{ route, ids: parts.filter((_, at) => wanted[at] === '{}').map(decodeId) }] : []
  })
}

function jsonAnswer(status: number, json: JsonObject): Answer {
  const body = new TextEncoder().encode(JSON.stringify(json))
  return { status, headers: { 'content-type': 'application/json' }, body }
}
