import { Attributes, textJSON } from './attributes.ts'

export interface Route {
  /** Of a span, as JSON. */
  readonly name: string
  /** The attributes that tell of it. */
  readonly known: string
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
  const attributes = new Attributes()
    .text('http.request.method', method)
    .text('http.route', route)
    .text('url.path', /[{*]/.test(route) ? undefined : route)
  const made = { name: named(method, route), known: attributes.json }
  const alike = routes.get(path) ?? new Map<string, Route>()
  if (routes.size < mostRoutes) routes.set(path, alike.set(method, made))
  return made
}

/** A name of two parts as JSON. Texts that come again and again need no work, and the whole is made anew each time. */
export function named(what: string, of: string): string {
  return `"${what} ${textJSON(of).slice(1)}`
}
