import type { Tenant } from '../core/account.ts'
import type { CacheScope } from '../core/catalog.ts'

/** Whose answers are those to a request: nobody else gets them. */
export function tenantOf(scope: CacheScope, { key, project }: Tenant): string {
  if (scope === 'public') return 'public'
  return scope === 'project' && project !== undefined ? tenantOfProject(project) : tenantOfKey(key)
}

/** By its id. */
export const tenantOfKey = (key: string): string => `key:${key}`
export const tenantOfProject = (project: string): string => `project:${project}`
