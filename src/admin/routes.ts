import { cacheRoutes } from './cache.ts'
import { configRoutes } from './config.ts'
import { keyRoutes } from './keys.ts'
import { metricsRoutes } from './metrics.ts'
import { projectRoutes } from './projects.ts'
import { requestRoutes } from './requests.ts'
import type { AdminRoute } from './route.ts'
import { usageRoutes } from './usage.ts'

/** All admin routes. */
export const adminRoutes: readonly AdminRoute[] = [
  ...configRoutes,
  ...cacheRoutes,
  ...metricsRoutes,
  ...keyRoutes,
  ...projectRoutes,
  ...usageRoutes,
  ...requestRoutes,
]
