import type { KnownModel } from '../core/provider.ts'
import type { Services } from '../core/services.ts'
import { slowPath } from '../core/slow-path.ts'
import { buildProvider, type Environment, type Registry } from './providers.ts'
import { noFindings } from './secrets.ts'

/** Milliseconds to wait for a server on this machine, which answers at once or isn't there. */
const patience = 800

/** Looks for local servers at their default addresses, or at those that the environment names. */
export async function findServers(
  registry: Registry,
  env: Environment,
  services: Pick<Services, 'clock' | 'fetch' | 'log'>,
): Promise<Map<string, readonly KnownModel[]>> {
  const found = new Map<string, readonly KnownModel[]>()
  const look = async ({ type, models, probe, env: brings }: Registry[string]) => {
    const baseURL = (brings?.baseURL && env[brings.baseURL]) || probe
    const provider = baseURL && models && buildProvider(type, { type, baseURL }, registry, env, noFindings())
    if (!provider) return
    const stop = new AbortController()
    const cancel = services.clock.after(patience, () => stop.abort(new Error('nobody there')))
    try {
      found.set(type, await models(provider.settings, slowPath(services, stop.signal)))
    } catch {
      // The usual case: no server there. The start text says which variable would add one.
    } finally {
      cancel()
    }
  }
  await Promise.all(
    Object.values(registry)
      .filter(({ probe }) => probe)
      .map(look),
  )
  return found
}
