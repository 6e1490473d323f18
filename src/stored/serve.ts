import type { Answer } from '../core/answer.ts'
import type { Services } from '../core/services.ts'
import type { Signal } from '../core/signal.ts'
import type { Trace } from '../core/trace.ts'
import type { Gateway } from '../gateway.ts'
import type { Guard } from '../http/access.ts'
import type { Reports } from '../http/report.ts'
import { retryHeaders } from '../http/retry-headers.ts'
import { asGatewayError, describeCause, errorEnvelope, GatewayError, shorten } from '../wire/errors.ts'
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

  /** Rejects with the 404 for what is somebody else's: whoever keeps it would tell it to all, by the gateway's key. */
  async function refuseOthers(url: string, owner: string, message: string): Promise<void> {
    const others = await options.keeping.ofOthers(owner, namesIn(routePath(url)))
    if (others.size > 0) throw new GatewayError('bad_request', message, { status: 404 })
  }

  async function answer(
    incoming: Incoming,
    { route, ids }: Found,
    bearer: string | undefined,
    owner: string,
  ): Promise<Answer> {
    const { url, header, signal } = incoming
    const query = new URL(url).searchParams
    const asked = { owner, ids, query, header, json: () => incoming.json() }
    const served = await route.serve(asked, options).catch(async (failure) => {
      if (failure instanceof Missing && isPassedOn(header)) await refuseOthers(url, owner, failure.message)
      throw failure
    })
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

  /** What no route serves goes on, unless it is about what is somebody else's. Rejects with what it is refused with. */
  async function goOn({ method, url, header }: Incoming): Promise<void> {
    const { key, account } = await guard(header, method === 'GET' || method === 'HEAD' ? 'GET' : 'POST')
    await refuseOthers(url, ownerOf(account, key), `Invalid URL (${method} ${shorten(new URL(url).pathname)})`)
  }

  return async function serve(incoming: Incoming): Promise<Answer | Elsewhere> {
    const { id, method: asked, url, header, signal } = incoming
    const method = asked === 'HEAD' ? 'GET' : asked
    const there = routesAt(routePath(url))
    const found = there.find(({ route }) => route.method === method)
    const known = there[0]?.route.method
    if (!found && !isPassedOn(header)) return { known }
    // What no id tells whose it is, its client says.
    if (found?.ids.length === 0 && header(providerHeader) !== undefined && isPassedOn(header))
      return { known: undefined }
    const started = clock.now()
    const trace: Trace = { attempts: [] }
    const headers = () => wireHeaders(id, clock.now() - started)
    const refusal = (failure: GatewayError): Answer => {
      const told = jsonAnswer(failure.status, errorEnvelope(failure))
      return { ...told, headers: { ...headers(), ...told.headers, ...retryHeaders(failure, trace) } }
    }
    if (!found)
      return await goOn(incoming).then(
        () => ({ known }),
        (thrown) => refusal(asGatewayError(thrown)),
      )
    const path = found.route.path.replaceAll('{}', '{id}')
    const record = reports({ requestId: id, method, path, header, started, trace })
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
      return refusal(failure)
    }
  }
}

interface Found {
  readonly route: StoredRoute
  readonly ids: readonly string[]
}

/** Below these, whatever a path leads to belongs to somebody: servers may know more routes, or read them in other ways. */
const families = /^\/(responses|conversations|chat\/completions)\/(?=.)/i

/** Whether there is a route for a path, or may be one elsewhere. */
export const isStored = (path: string): boolean => families.test(path) || routesAt(path).length > 0

/** All in a path that may be an id. */
function namesIn(path: string): readonly string[] {
  return decodeId(path.replace(families, '')).match(/[\w.:-]{1,200}/g) ?? []
}

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
