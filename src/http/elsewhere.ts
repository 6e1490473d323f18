import type { Context } from 'hono'
import { noState } from '../admin/state.ts'
import type { Catalog } from '../core/catalog.ts'
import type { Services } from '../core/services.ts'
import { notStored } from '../dialects/openai/stored.ts'
import type { Stored } from '../stored/host.ts'
import { GatewayError, shorten } from '../wire/errors.ts'
import { wireHeaders } from '../wire/headers.ts'
import { routePath } from '../wire/paths.ts'
import { type AdministeredOptions, createAdministered } from './administered.ts'
import { createPassThrough, hintFor, type PassThroughOptions } from './pass-through.ts'
import { readJson } from './reading.ts'
import { retryHeaders } from './retry-headers.ts'
import { type AnyRoute, kindredRoute } from './routes.ts'
import { isKept } from './state-paths.ts'

/** What is known of a path that no route serves: nothing serves it, or a route of another method does. */
type Known = 'nothing' | 'GET' | 'POST' | 'DELETE'

export interface ElsewhereOptions<Bindings extends object>
  extends Omit<PassThroughOptions<Bindings>, 'services'>,
    AdministeredOptions<Bindings>,
    Pick<Services, 'transport' | 'clock' | 'log'> {
  /** Absent: nothing is stored. */
  readonly stored?: Stored | undefined
  /** Of all dialects. */
  readonly routes: readonly AnyRoute[]
  fail(failure: GatewayError): Response
  /** Whether there is a route of this method. */
  allows(method: string, path: string): boolean
}

/** Answers what the gateway doesn't serve itself: it goes to the provider that is named for it, or is refused. */
export function createElsewhere<Bindings extends object>(options: ElsewhereOptions<Bindings>) {
  const { gateway, edge, nextId, routes, fail, allows } = options
  const { catalog } = gateway
  const administered = createAdministered(options)
  const passThrough = createPassThrough({ ...options, services: options })

  function refusal(context: Context, known: Known | undefined): GatewayError {
    if (known === 'nothing') return noRoute(context, catalog)
    if (known !== undefined) return wrongMethod(context, catalog, known)
    const { method, url } = context.req
    const path = routePath(url)
    const others = (['GET', 'POST'] as const).filter((other) => other !== method)
    const allowed = others.find((other) => allows(other, path))
    if (allowed) return wrongMethod(context, catalog, allowed)
    return notStored(method, path) ?? noRoute(context, catalog)
  }

  /** In the words of the dialect whose path it would be: its clients read no others. */
  async function refuse(context: Context<{ Bindings: Bindings }>, failure: GatewayError): Promise<Response> {
    const kindred = kindredRoute(routes, routePath(context.req.url), edge.headers(context))
    if (!kindred) return fail(failure)
    const route = 'load' in kindred ? await kindred.load() : kindred
    const id = nextId()
    const own = { ...wireHeaders(id, 0, route.headers), ...retryHeaders(failure, { attempts: [] }) }
    const status = route.status?.(failure) ?? failure.status
    const headers = { ...own, 'content-type': 'application/json' }
    return new Response(JSON.stringify(route.refuse(failure, id)), { status, headers })
  }

  async function fromStore(context: Context<{ Bindings: Bindings }>, stored: Stored): Promise<Response> {
    const { method, url } = context.req
    const signal = edge.watch(context)
    const json = () => readJson(edge, context, options.bodyLimit).then((body) => body.json)
    const served = await stored.serve({ id: nextId(), method, url, header: edge.headers(context), signal, json })
    return 'known' in served ? otherwise(context, served.known) : edge.send(context, served, signal)
  }

  function otherwise(context: Context<{ Bindings: Bindings }>, known?: Known): Response | Promise<Response> {
    return passThrough(context) ?? refuse(context, refusal(context, known))
  }

  return function elsewhere(context: Context<{ Bindings: Bindings }>, known?: Known): Response | Promise<Response> {
    const { stored } = options
    if (stored?.has(routePath(context.req.url))) return fromStore(context, stored)
    return administered(context) ?? otherwise(context, known)
  }
}

function noRoute(context: Context, catalog: Catalog): GatewayError {
  const { method, url } = context.req
  // Where something is kept, these never come here.
  const hint = isKept(routePath(url)) ? `. ${noState}` : hintFor(method, url, catalog)
  return new GatewayError('bad_request', `Invalid URL (${method} ${shorten(pathOf(url))})${hint}`, {
    status: 404,
    code: 'unknown_url',
  })
}

function wrongMethod(context: Context, catalog: Catalog, allowed: string): GatewayError {
  const { method, url } = context.req
  const more = hintFor(method, url, catalog)
  if (more !== '' && allowed === 'GET') return noRoute(context, catalog)
  const hint = `(HINT: Perhaps you meant to use a different HTTP method?)${more}`
  return new GatewayError('bad_request', `Not allowed to ${method} on ${shorten(pathOf(url))}. ${hint}`, {
    status: 405,
    code: 'method_not_supported',
    headers: { allow: allowed === 'GET' ? 'GET, HEAD, OPTIONS' : `${allowed}, OPTIONS` },
  })
}

function pathOf(url: string): string {
  return new URL(url).pathname.slice(0, 200)
}
