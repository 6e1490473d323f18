import { retryHeaders } from '../http/retry-headers.ts'
import { isKept } from '../http/state-paths.ts'
import { StoreError } from '../state/database.ts'
import { asGatewayError, describeCause, errorEnvelope, GatewayError, shorten } from '../wire/errors.ts'
import { type HeaderReader, wireHeaders } from '../wire/headers.ts'
import type { JsonObject } from '../wire/json.ts'
import { decodeId, routePath } from '../wire/paths.ts'
import { type AdminAccess, adminGuard } from './guard.ts'
import { holderOf } from './holder.ts'
import type { AdminAnswer, AdminRoute, AdminScope } from './route.ts'
import { adminRoutes } from './routes.ts'

export interface AdminOptions extends AdminAccess {
  readonly scope: AdminScope
  readonly log: (message: string) => void
}

/** A request below `/admin`, for the metrics, or for what the state keeps. */
export interface Incoming {
  readonly id: string
  readonly method: string
  readonly url: string
  readonly header: HeaderReader
  /** The body, `{}` if there is none. */
  readonly json: () => Promise<JsonObject>
}

/** Answers requests to admin routes. Loaded by the first one. */
export function createAdmin(options: AdminOptions, routes: readonly AdminRoute[] = adminRoutes) {
  const guard = adminGuard(options)

  async function answer({ method: asked, url, header, json }: Incoming): Promise<AdminAnswer> {
    const method = asked === 'HEAD' ? 'GET' : asked
    const path = routePath(url)
    const there = routes.flatMap((route) => {
      const parameters = parametersOf(route.path, path)
      return parameters ? [{ route, parameters }] : []
    })
    const found = there.find(({ route }) => route.method === method)
    const holder = found?.route.forHolders ? await holderOf(header, options) : undefined
    if (!holder) guard(header, method === 'GET' ? 'GET' : 'POST', isKept(path))
    if (!found) throw unknown(asked, path, new Set(there.map(({ route }) => route.method)))
    const request = {
      parameters: found.parameters,
      query: new URL(url).searchParams,
      header,
      holder,
      json,
    }
    return await found.route.answer(request, options.scope)
  }

  return async function admin(incoming: Incoming): Promise<Response> {
    // Not for caches: it tells of the gateway's inside, and changes.
    const headers = { ...wireHeaders(incoming.id, 0), 'cache-control': 'no-store' }
    try {
      const { status = 200, headers: own, body } = await answer(incoming)
      const isText = typeof body === 'string' || body instanceof Uint8Array
      const text = isText ? body : JSON.stringify(body)
      const type = isText ? 'text/plain; charset=utf-8' : 'application/json'
      return new Response(text === '' ? null : text, { status, headers: { ...headers, 'content-type': type, ...own } })
    } catch (thrown) {
      const failure = thrown instanceof StoreError ? unavailable(thrown) : asGatewayError(thrown)
      if (failure.kind === 'internal' || thrown instanceof StoreError) options.log(describeCause(failure))
      const more = { 'content-type': 'application/json', ...retryHeaders(failure, { attempts: [] }) }
      return new Response(JSON.stringify(errorEnvelope(failure)), {
        status: failure.status,
        headers: { ...headers, ...more },
      })
    }
  }
}

/** The parameters in a path, or undefined if it isn't the route's. */
function parametersOf(pattern: string, path: string): Record<string, string> | undefined {
  const parts = path.split('/')
  const wanted = pattern.split('/')
  if (parts.length !== wanted.length) return undefined
  const parameters: Record<string, string> = {}
  for (const [at, part] of wanted.entries()) {
    const given = parts[at] ?? ''
    if (part.startsWith('{')) parameters[part.slice(1, -1)] = decodeId(given)
    else if (part !== given) return undefined
  }
  return parameters
}

function unknown(method: string, path: string, others: ReadonlySet<string>): GatewayError {
  const shown = shorten(path)
  if (others.size === 0) {
    return new GatewayError('bad_request', `Invalid URL (${method} ${shown})`, { status: 404, code: 'unknown_url' })
  }
  return new GatewayError('bad_request', `Not allowed to ${method} on ${shown}.`, {
    status: 405,
    code: 'method_not_supported',
    headers: { allow: [...others].join(', ') },
  })
}

function unavailable(cause: StoreError): GatewayError {
  const message = 'The keys and the ledger of this gateway can not be read or written now. Its log says why.'
  return new GatewayError('overloaded', message, { code: 'store_unavailable', cause })
}
