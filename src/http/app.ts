import type { Context } from 'hono'
import { HonoBase } from 'hono/hono-base'
import type { AdminOptions } from '../admin/admin.ts'
import type { Clock } from '../core/clock.ts'
import { late } from '../core/late.ts'
import type { Log } from '../core/log.ts'
import type { Phase } from '../core/readiness.ts'
import type { Services } from '../core/services.ts'
import { isRefused, type Sockets } from '../core/upgrade.ts'
import type { DialectRoute } from '../dialects/dialect.ts'
import { dialects } from '../dialects/index.ts'
import type { Gateway } from '../gateway.ts'
import { realtimePaths } from '../operations/facts.ts'
import type { Edge } from '../runtime/edge.ts'
import type { Stored } from '../stored/host.ts'
import { asGatewayError, describeCause, errorEnvelope } from '../wire/errors.ts'
import { type HeaderReader, preflightHeaders, wireHeaders } from '../wire/headers.ts'
import { requestIds } from '../wire/ids.ts'
import { routePath } from '../wire/paths.ts'
import type { Access, Guard } from './access.ts'
import { createInference } from './inference.ts'
import { createLookUp } from './look-up.ts'
import type { Reports } from './report.ts'
import { retryHeaders } from './retry-headers.ts'
import { FixedPathsFirst } from './router.ts'
import { claimedRoute, findRoute, mountsOf, type Routed } from './routes.ts'
import { isForResponses, noSocket, upgradeRequired } from './upgrades.ts'

export interface AppOptions<Bindings extends object> {
  readonly gateway: Gateway
  readonly edge: Edge<Bindings>
  readonly transport: Services['transport']
  readonly sockets: Sockets
  readonly access: Access
  readonly guard: Guard
  readonly admin: Pick<AdminOptions, 'adminKey' | 'scope'>
  readonly clock: Clock
  readonly random: () => number
  /** Bytes. */
  readonly bodyLimit: number
  readonly log: Log
  readonly reports: Reports
  readonly phase: () => Phase
  /** Absent: nothing is stored. */
  readonly stored?: Stored | undefined
}

/** The HTTP layer of a gateway: the routes of all dialects, with common headers and error formats on every response. */
export function createApp<Bindings extends object>(options: AppOptions<Bindings>) {
  type AppContext = Context<{ Bindings: Bindings }>
  const { gateway, edge, guard, log } = options
  const nextId = requestIds(options.random, () => options.clock.now())
  const infer = createInference({ ...options, nextId })
  const lookUp = createLookUp({ ...options, nextId })
  /** For what no route serves. */
  const elsewhere = late(async () => {
    const { createElsewhere } = await import('./elsewhere.ts')
    const allows = (method: string, path: string) => app.router.match(method, path)[0].length > 0
    return createElsewhere({ ...options, nextId, routes: all, fail, allows })
  })
  const app = new HonoBase<{ Bindings: Bindings }>({
    router: new FixedPathsFirst(),
    getPath: (request) => routePath(request.url),
  })

  /** Creates a small JSON response, for routes without streams. */
  function json(status: number, body: unknown, extra: Record<string, string> = {}): Response {
    const headers = { ...wireHeaders(nextId(), 0), 'content-type': 'application/json', ...extra }
    return new Response(JSON.stringify(body), { status, headers })
  }

  function fail(thrown: unknown): Response {
    const failure = asGatewayError(thrown)
    if (failure.kind === 'internal') log(describeCause(failure), 'error')
    return json(failure.status, errorEnvelope(failure), retryHeaders(failure, { attempts: [] }))
  }

  /** Names are only for those to whom the list of models tells them. */
  async function hasAccess(context: AppContext): Promise<boolean> {
    try {
      await guard(edge.headers(context), 'GET')
      return true
    } catch {
      return false
    }
  }

  async function openSocket(context: AppContext): Promise<Response> {
    const header = edge.headers(context)
    if (!edge.accept || !wantsSocket(header)) return fail(upgradeRequired())
    const outcome = await options.sockets({ url: context.req.url, header, signal: edge.watch(context) })
    return isRefused(outcome) ? new Response(outcome.body, outcome) : edge.accept(outcome)
  }

  /**
   * Serves the route that was found for a path; `routed` is undefined if there is none. `nested`: there are others behind
   * the model in the path, of which one may have been meant.
   */
  function serve(context: AppContext, routed: Routed | undefined, nested = false): Response | Promise<Response> {
    const { method: asked } = context.req
    const method = asked === 'POST' || asked === 'DELETE' ? asked : 'GET'
    if (!routed) return elsewhere(context)
    const { route, model } = routed
    if (nested && method !== 'GET' && route.method === 'GET') return elsewhere(context, 'nothing')
    if (route.method !== method) return elsewhere(context, route.method)
    return 'load' in route ? route.load().then((loaded) => run(context, loaded, model)) : run(context, route, model)
  }

  function run(context: AppContext, route: DialectRoute, model: string | undefined): Promise<Response> {
    return 'request' in route ? infer(context, route, model) : lookUp(context, route, model)
  }

  app.options('*', (context) => {
    const asked = preflightHeaders(context.req.header('access-control-request-headers'))
    return new Response(null, { status: 204, headers: { ...wireHeaders(nextId(), 0), ...asked } })
  })
  const all = dialects.flatMap((dialect) => dialect.routes)
  const lastOnes = all.filter(({ last }) => last)
  for (const { method, path, routes } of mountsOf(all.filter(({ last }) => !last))) {
    const [route, ...others] = routes
    const goesOn = (separator: string) =>
      routes.some((one) => one.method !== 'GET' && one.path.includes(`{model}${separator}`))
    const [nested, hasMethods] = [goesOn('/'), goesOn(':')]
    const only = route && others.length === 0 && !path.includes('*') ? { route, model: undefined } : undefined
    app.on(method, path, (context) => {
      if (only) return serve(context, only)
      const header = edge.headers(context)
      const found = path.includes('*')
        ? findRoute(routes, routePath(context.req.url), header)
        : claimedRoute(routes, header)
      return serve(context, found, nested || (hasMethods && found?.model?.includes(':')))
    })
  }
  for (const path of realtimePaths) app.get(path, openSocket)
  for (const path of ['/health/live', '/health']) app.get(path, () => json(200, { status: 'ok' }))
  for (const path of ['/health/ready', '/health/readiness'])
    app.get(path, async (context) => {
      const { ready, total, providers } = gateway.readiness()
      const phase = options.phase()
      const status = phase === 'serving' ? (ready ? 'ready' : 'unavailable') : phase
      return json(status === 'ready' ? 200 : 503, {
        status,
        ...total,
        ...((await hasAccess(context)) && { providers }),
      })
    })
  app.get('/', () => json(200, { name: 'samewire', status: 'ok', models: '/v1/models' }))
  // Separate routes would cost more: if two routes match a path, every request to it runs a chain of handlers.
  app.notFound((context) => {
    // Without its upgrade it would be another request: one for a list.
    const { url } = context.req
    const header = edge.headers(context)
    if (isForResponses(url) && wantsSocket(header)) return edge.accept ? openSocket(context) : fail(noSocket())
    return serve(context, findRoute(lastOnes, routePath(url), header))
  })
  app.onError((error) => fail(error))
  return app
}

function wantsSocket(header: HeaderReader): boolean {
  return header('upgrade')?.toLowerCase() === 'websocket'
}
