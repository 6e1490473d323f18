import type { Attributes } from './attributes.ts'

/** Of an HTTP request. */
export interface Route {
  readonly method: string
  /** As clients know it. */
  readonly route: string
}

/** By path, then by method: a key of both would have to be made for each request. */
const routes = new Map<string, Map<string, Route>>()
/** What is passed on has the names of objects in its path: those need not be remembered. */
const mostRoutes = 200

export function routeOf(method: string, path: string): Route {
  const found = routes.get(path)?.get(method)
  if (found) return found
  // Most routes are below `/v1`; those of other APIs that aren't say so.
  const route = /^\/(api|v1beta|openai|admin)\//.test(path) ? path : `/v1${path}`
  const made = { method, route }
  const alike = routes.get(path) ?? new Map<string, Route>()
  if (routes.size < mostRoutes) routes.set(path, alike.set(method, made))
  return made
}

export function addRoute(attributes: Attributes, { method, route }: Route): void {
  attributes
    .text('http.request.method', method)
    .text('http.route', route)
    .text('url.path', /[{*]/.test(route) ? undefined : route)
}
