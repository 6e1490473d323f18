import type { Call } from './call.ts'
import type { Late } from './late.ts'
import type { Repair } from './repair.ts'

/** What puts the answers to a call right. Undefined where the provider is known to need no repair. */
export function repairOf({ operation, target }: Pick<Call, 'operation' | 'target'>): Late<Repair> | undefined {
  const { definition, settings } = target.deployment.provider
  return definition.keepsFormat?.(settings) ? undefined : operation.repair
}
