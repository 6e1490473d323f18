import { createCacheHost } from '../node/cache.ts'
import { Keeper } from '../node/keeper.ts'
import type { OpenState } from './keep.ts'

/** Opens the database that a configuration names, where there is Node. Rejects with a `ConfigError`. */
export const openState: OpenState = async (config, env, services) => {
  const keeper = new Keeper(env, services)
  await keeper.prepare(config)
  const { accounting, state, stored, database } = keeper
  const host = createCacheHost(services, database)
  return {
    parts: { accounting, state, stored, cacheHost: async () => host },
    async close() {
      await host.flush()
      await keeper.close()
    },
  }
}
