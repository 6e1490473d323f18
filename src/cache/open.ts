import { type CacheHost, plainHost } from './host.ts'
import { type Cache, type CacheOptions, createCache } from './layer.ts'

type Given = Omit<CacheOptions, 'answers' | 'flies' | 'digest'>

/** The cache of a gateway. `maxBytes`: of memory; `load`: what its runtime has for keeping answers. */
export async function openCache(given: Given, maxBytes: number, load?: () => Promise<CacheHost>): Promise<Cache> {
  const host = load ? await load() : plainHost(given.clock)
  const { digest, flies } = host
  return createCache({ ...given, digest, flies, answers: host.answers(maxBytes) })
}
