import type { Context } from 'hono'
import type { Catalog } from './core/catalog.ts'
import type { Services } from './core/services.ts'
import { notStored } from './dialects/openai/stored.ts'
import { createPassThrough, hintFor, type PassThroughOptions } from './pass-through.ts'
import { GatewayError } from './wire/errors.ts'
import { routePath } from './wire/paths.ts'

/** What is known of a path that no route serves: nothing serves it, or a route of another method does. */
type Known = 'nothing' | 'GET' | 'POST' | 'DELETE'

export interface ElsewhereOptions<Bindings extends object>
  extends Omit<PassThroughOptions<Bindings>, 'services'>,
    Pick<Services, 'transport' | 'clock' | 'log'> {
  fail(failure: GatewayError): Response
  /** Whether there is a route of this method. */
  allows(method: string, path: string): boolean
}

/** Answers what the gateway doesn't serve itself: it goes to the provider that is named for it, or is refused. */
export function createElsewhere<Bindings extends object>(options: ElsewhereOptions<Bindings>) {
  const { gateway, fail, allows } = options
  const { catalog } = gateway
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

  return function elsewhere(context: Context<{ Bindings: Bindings }>, known?: Known): Response | Promise<Response> {
    return passThrough(context) ?? fail(refusal(context, known))
  }
}

function noRoute(context: Context, catalog: Catalog): GatewayError {
  const { method, url } = context.req
  return new GatewayError('bad_request', `Invalid URL (${method} ${pathOf(url)})${hintFor(method, url, catalog)}`, {
    status: 404,
    code: 'unknown_url',
  })
}

function wrongMethod(context: Context, catalog: Catalog, allowed: string): GatewayError {
  const { method, url } = context.req
  const more = hintFor(method, url, catalog)
  if (more !== '' && allowed === 'GET') return noRoute(context, catalog)
  const hint = `(HINT: Perhaps you meant to use a different HTTP method?)${more}`
  return new GatewayError('bad_request', `Not allowed to ${method} on ${pathOf(url)}. ${hint}`, {
    status: 405,
    code: 'method_not_supported',
    headers: { allow: allowed === 'GET' ? 'GET, HEAD, OPTIONS' : `${allowed}, OPTIONS` },
  })
}

function pathOf(url: string): string {
  return new URL(url).pathname.slice(0, 200)
}
