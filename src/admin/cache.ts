import { tenantOfKey, tenantOfProject } from '../cache/tenant.ts'
import { invalid } from '../wire/body.ts'
import { readQuery } from './query.ts'
import type { AdminRoute } from './route.ts'

export const cacheRoutes: readonly AdminRoute[] = [
  {
    method: 'DELETE',
    path: '/admin/cache',
    async answer({ query }, { gateway }) {
      const asked = readQuery(query, ['key', 'project'])
      const [key, project] = [asked.word('key'), asked.word('project')]
      if (key !== undefined && project !== undefined) throw invalid("Give 'key' or 'project', not both.", 'project')
      const tenant = key !== undefined ? tenantOfKey(key) : project !== undefined ? tenantOfProject(project) : undefined
      const cache = gateway.cache ? await gateway.cache() : (await gateway.store()).answers
      await cache.drop(tenant)
      return { body: { object: 'cache', dropped: true, ...(key && { key }), ...(project && { project }) } }
    },
  },
]
