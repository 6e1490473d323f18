import { configRoutes } from './config.ts'
import { metricsRoutes } from './metrics.ts'
import type { AdminRoute } from './route.ts'

/** All admin routes. */
export const adminRoutes: readonly AdminRoute[] = [...configRoutes, ...metricsRoutes]
