import type { CacheHost } from '../../src/cache/host.ts'
import { systemClock } from '../../src/core/clock.ts'
import { createCacheHost } from '../../src/node/cache.ts'
import { until } from './ask.ts'

export interface CountingHost {
  readonly cacheHost: () => Promise<CacheHost>
  /** Resolves once so many requests have looked for an answer, and wait for one that is under way. */
  arrived(requests: number): Promise<void>
}

/** Keeps answers as on Node, and knows how many requests have looked for one. */
export function countingHost(): CountingHost {
  const host = createCacheHost({ clock: systemClock, log() {} })
  let looked = 0
  const digest: CacheHost['digest'] = (bytes) => {
    looked++
    return host.digest(bytes)
  }
  const turn = () => new Promise((next) => setImmediate(next))
  return {
    cacheHost: async () => ({ ...host, digest }),
    async arrived(requests) {
      await until(() => looked >= requests)
      // What follows the look happens at once.
      await turn()
    },
  }
}
