import type { Context } from 'hono'
import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import { refusedModel } from '../core/plan-failure.ts'
import type { LookUpRoute, TaskRoute } from '../dialects/dialect.ts'
import type { Gateway } from '../gateway.ts'
import type { Edge } from '../runtime/edge.ts'
import { asGatewayError, describeCause } from '../wire/errors.ts'
import { wireHeaders } from '../wire/headers.ts'
import type { JsonObject } from '../wire/json.ts'
import type { Guard } from './access.ts'
import { readJson, withKeyIn } from './reading.ts'
import type { Reports } from './report.ts'
import { retryHeaders } from './retry-headers.ts'

export interface LookUpOptions<Bindings extends object> {
  readonly gateway: Gateway
  readonly edge: Edge<Bindings>
  readonly guard: Guard
  readonly nextId: () => string
  /** Bytes. */
  readonly bodyLimit: number
  readonly log: Log
  readonly clock: Clock
  readonly reports: Reports
}

/** Answers what no model is asked for, such as lists of models. */
export function createLookUp<Bindings extends object>(options: LookUpOptions<Bindings>) {
  const { gateway, edge, guard, nextId, bodyLimit, log, clock, reports } = options
  return async function lookUp(
    context: Context<{ Bindings: Bindings }>,
    route: LookUpRoute | TaskRoute,
    model: string | undefined,
  ): Promise<Response> {
    const id = nextId()
    const { keyParameter, method, anyType } = route
    const { url } = context.req
    const header = edge.headers(context)
    const arrival = { requestId: id, method, path: route.path, header, started: clock.now(), trace: { attempts: [] } }
    const record = reports(arrival)
    record?.outlasting((work) => edge.afterwards(context, work))
    const headers = { ...wireHeaders(id, 0, route.headers), 'content-type': 'application/json' }
    const answer = (status: number, body: JsonObject, more = {}) =>
      new Response(JSON.stringify(body), { status, headers: { ...headers, ...more } })
    try {
      const posted = method !== 'GET'
      const { key, account } = await guard(
        keyParameter === undefined ? header : withKeyIn(keyParameter, url, header),
        posted ? 'POST' : 'GET',
        anyType,
      )
      if (record) record.key = key
      const isRead = posted && !('unread' in route && route.unread)
      const body = isRead ? (await readJson(edge, context, bodyLimit)).json : {}
      const asked = { model, parameters: new URL(url).searchParams, body }
      if ('look' in route) {
        const found = answer(
          200,
          await route.look(account?.allows ? narrowed(gateway, account.allows) : gateway, asked),
        )
        record?.ended(200)
        return found
      }
      if (account?.allows && model !== undefined && !account.allows(model)) throw refusedModel(model)
      const signal = edge.watch(context)
      const performance = await route.perform(gateway, { ...asked, signal })
      const performed = record?.follow(performance, signal) ?? performance
      return edge.send(context, { ...performed, headers: { ...headers, ...performed.headers } }, signal)
    } catch (thrown) {
      const failure = asGatewayError(thrown)
      if (failure.kind === 'internal') log(describeCause(failure), 'error')
      const status = route.status?.(failure) ?? failure.status
      record?.failed(failure, status)
      return answer(status, route.refuse(failure, id), retryHeaders(failure, { attempts: [] }))
    }
  }
}

/** A gateway of which only some models are seen. */
function narrowed(gateway: Gateway, allows: (model: string) => boolean): Gateway {
  return {
    ...gateway,
    models: async () => (await gateway.models()).filter(({ id }) => allows(id)),
    model: async (id) => (allows(id) ? await gateway.model(id) : undefined),
  }
}
