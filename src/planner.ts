import type { Account } from './core/account.ts'
import { type Catalog, findGroup } from './core/catalog.ts'
import { withoutRouting } from './core/gateway-options.ts'
import type { Knowledge } from './core/knowledge.ts'
import type { Operation } from './core/operation.ts'
import type { Circumstances, Plan, Query, Target } from './core/plan.ts'
import type { Preferences, RequestLimits } from './core/preferences.ts'
import { hasDemands, hasRouting, namedIn, readPreferences, routingFields } from './core/read-preferences.ts'
import { resolve } from './core/resolve.ts'
import { type RequestBody, renamed } from './wire/body.ts'

/** What a plan needs of a request. */
export interface Asked {
  readonly operation: Operation
  readonly body: RequestBody
  /** The session that the client named beside the body. */
  readonly session: string | undefined
  /** Limits that the client named beside the body. */
  readonly limits?: RequestLimits | undefined
  /** Who asks. Absent: somebody who may ask for all models. */
  readonly account?: Pick<Account, 'allows'> | undefined
}

/** What a request says of its own routing. */
interface Routing {
  /** The request without that. */
  readonly body: RequestBody
  /** The whole request, for routers. */
  readonly routed?: RequestBody
  readonly preferences: Preferences | undefined
}

/** A request as its plan needs it, and as its targets do. */
export interface Reading {
  readonly query: Query
  readonly body: RequestBody
  /** For routers. */
  readonly routed: RequestBody | undefined
}

export interface Planner {
  read(asked: Asked): Reading
  /** The plan by what is known. Asks nobody. */
  planNow(query: Query): Plan
  /** The plan, for which providers are asked for their lists where these may change it. */
  plan(query: Query): Promise<Plan>
}

/** Milliseconds after which the lists are fetched again for a name that isn't on them. */
const soon = 5_000

export function createPlanner(catalog: Catalog, knowledge: Knowledge, circumstances: Circumstances): Planner {
  const planNow = (query: Query) => resolve(query, catalog, circumstances)

  /** Reads what a request says of its routing; undefined if that is nothing, as in most requests. */
  function routingOf({ operation, body, limits }: Asked): Routing | undefined {
    if (!hasRouting(body.outline)) return limits && { body, preferences: { models: [], standIns: true, limits } }
    const names = [body.model ?? [], namedIn(body.outline)].flat()
    const deployments = names.flatMap((name) => findGroup(catalog, name, knowledge.known)?.deployments ?? [])
    // A request to routers only is for them to read. Its other models need not even be known here.
    if (deployments.length > 0 && deployments.every(({ provider }) => provider.routes)) {
      const own = body.model === undefined && names[0] !== undefined ? renamed(body, names[0]) : body
      // Nobody else can keep to what the router is told.
      const standIns = !hasDemands(body.outline)
      const preferences = limits || !standIns ? { models: [], standIns, limits } : undefined
      return { body: withoutRouting(own, routingFields), routed: own, preferences }
    }
    const { model, ...preferences } = readPreferences(body, operation, limits)
    const kept = withoutRouting(body, routingFields)
    return { body: model === undefined ? kept : renamed(kept, model), preferences }
  }

  const needsList = ({ deployment: { provider, model, known }, limits }: Target, pricesMatter: boolean) =>
    !knowledge.known.has(provider.name) &&
    (provider.definition.answersAnyName === true ||
      // Only the list says whether that is part of the name.
      model.endsWith(':latest') ||
      ((pricesMatter || limits.routingStrategy === 'cost-based') && !known.price))

  return {
    planNow,
    read(asked) {
      const { operation, session, account } = asked
      const routing = routingOf(asked)
      const body = routing?.body ?? asked.body
      const query = queryOf({ operation, body, session, account }, routing?.preferences)
      return { query, body, routed: routing?.routed }
    },
    async plan(query) {
      const first = planNow(query)
      const unlisted =
        first.failure?.kind === 'unknown' ||
        first.skipped.some(({ kind }) => kind === 'not_found' || kind === 'unknown')
      const pricesMatter = query.preferences?.provider?.maxPrice !== undefined
      if (!unlisted && !first.targets.some((target) => needsList(target, pricesMatter))) return first
      // The provider may list an unknown name by now, and a server that answers to any name must be asked what it has:
      // refresh the lists before the client gets an error or the wrong model.
      await knowledge.refresh(unlisted ? soon : undefined)
      return planNow(query)
    },
  }
}

export function queryOf({ operation, body, session, account }: Asked, preferences?: Preferences): Query {
  const query = {
    model: body.model,
    operation: operation.name,
    over: operation.over?.operation.name,
    path: operation.path,
    ...operation.query(body),
    preferences,
    ...(account?.allows && { allows: account.allows }),
  }
  return session ? { ...query, session } : query
}
