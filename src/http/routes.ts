import type { DialectRoute, LateRoute } from '../dialects/dialect.ts'
import type { HeaderReader } from '../wire/headers.ts'
import { decodeId } from '../wire/paths.ts'

export type AnyRoute = DialectRoute | LateRoute

/** Routes that share a path of the HTTP router: those of one path without a model in it, or all with the same prefix. */
export interface Mount {
  readonly method: AnyRoute['method']
  readonly path: string
  readonly routes: readonly AnyRoute[]
}

/** A route and the model in the path, undefined if the route has none. */
export interface Routed {
  readonly route: AnyRoute
  readonly model: string | undefined
}

const parameter = '{model}'

/** The paths for the HTTP router. Model names may contain slashes, so `findRoute` handles paths with one. */
export function mountsOf(routes: readonly AnyRoute[]): readonly Mount[] {
  const fixed = routes.filter(({ path }) => !path.includes(parameter))
  const open = routes.filter(({ path }) => path.includes(parameter))
  const paths = new Set(fixed.map(({ method, path }) => `${method} ${path}`))
  const wildcards = new Set(open.map((route) => `${route.method} ${prefixOf(route)}*`))
  return [
    ...[...paths].map((key) => {
      const [method, path] = key.split(' ') as [Mount['method'], string]
      return { method, path, routes: fixed.filter((route) => route.method === method && route.path === path) }
    }),
    ...[...wildcards].map((key) => {
      const [method, path] = key.split(' ') as [Mount['method'], string]
      // Routes of all methods, so that a path with the wrong method is not mistaken for an unknown path.
      return { method, path, routes: open.filter((route) => `${prefixOf(route)}*` === path) }
    }),
  ]
}

/** The route for a path without a model: the one that claims the request, else the one that claims none. */
export function claimedRoute(routes: readonly AnyRoute[], header: HeaderReader): Routed | undefined {
  const route = routes.find(({ claims }) => claims?.(header)) ?? routes.find(({ claims }) => !claims)
  return route && { route, model: undefined }
}

/** The most specific route for `path`, and the model in it. Of two that are alike, the later one that is not another's. */
export function findRoute(routes: readonly AnyRoute[], path: string, header: HeaderReader): Routed | undefined {
  let best: Routed | undefined
  for (const route of routes) {
    if (route.claims?.(header) === false) continue
    const prefix = prefixOf(route)
    const suffix = route.path.slice(prefix.length + parameter.length)
    const fits = path.length > prefix.length + suffix.length && path.startsWith(prefix) && path.endsWith(suffix)
    if (!fits || (best && best.route.path.length > route.path.length)) continue
    best = { route, model: decodeId(path.slice(prefix.length, path.length - suffix.length)) }
  }
  return best
}

/**
 * A route of the dialect that a path is of, if it is none of theirs: one that begins alike, else one that claims the
 * request. Undefined if it could be anybody's.
 */
export function kindredRoute(routes: readonly AnyRoute[], path: string, header: HeaderReader): AnyRoute | undefined {
  const alike = routes.filter((route) => firstSegment(route.path) === firstSegment(path))
  return claimedRoute(alike, header)?.route ?? routes.find(({ claims }) => claims?.(header))
}

function firstSegment(path: string): string {
  return path.split('/', 2).join('/')
}

function prefixOf({ path }: AnyRoute): string {
  return path.slice(0, path.indexOf(parameter))
}
