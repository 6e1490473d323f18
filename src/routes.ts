import type { DialectRoute } from './dialects/dialect.ts'
import { decodeId } from './wire/paths.ts'

/** Routes that share a path of the HTTP router: one route without a model in its path, or all with the same prefix. */
export interface Mount {
  readonly method: DialectRoute['method']
  readonly path: string
  readonly routes: readonly DialectRoute[]
}

/** A route and the model in the path, undefined if the route has none. */
export interface Routed {
  readonly route: DialectRoute
  readonly model: string | undefined
}

const parameter = '{model}'

/** The paths for the HTTP router. Model names may contain slashes, so `findRoute` handles paths with one. */
export function mountsOf(routes: readonly DialectRoute[]): readonly Mount[] {
  const fixed = routes.filter(({ path }) => !path.includes(parameter))
  const open = routes.filter(({ path }) => path.includes(parameter))
  const wildcards = new Set(open.map((route) => `${route.method} ${prefixOf(route)}*`))
  return [
    ...fixed.map((route) => ({ method: route.method, path: route.path, routes: [route] })),
    ...[...wildcards].map((key) => {
      const [method, path] = key.split(' ') as [Mount['method'], string]
      // Routes of all methods, so that a path with the wrong method is not mistaken for an unknown path.
      return { method, path, routes: open.filter((route) => `${prefixOf(route)}*` === path) }
    }),
  ]
}

/** The most specific route for `path`, and the model in it. */
export function findRoute(routes: readonly DialectRoute[], path: string): Routed | undefined {
  let best: Routed | undefined
  for (const route of routes) {
    const prefix = prefixOf(route)
    const suffix = route.path.slice(prefix.length + parameter.length)
    const fits = path.length > prefix.length + suffix.length && path.startsWith(prefix) && path.endsWith(suffix)
    if (!fits || (best && best.route.path.length > route.path.length)) continue
    best = { route, model: decodeId(path.slice(prefix.length, path.length - suffix.length)) }
  }
  return best
}

function prefixOf({ path }: DialectRoute): string {
  return path.slice(0, path.indexOf(parameter))
}
