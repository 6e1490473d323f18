import { operations } from '../../operations/all.ts'
import type { Dialect, DialectRoute } from '../dialect.ts'
import { explainRoute } from './explain.ts'
import { routesOf } from './operation-routes.ts'

/** What is loaded by the first request that is none for a chat. */
export const rest: Dialect<DialectRoute> = {
  routes: [...Object.values(operations).flatMap(routesOf), explainRoute],
}
