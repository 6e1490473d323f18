import type { Target } from './plan.ts'
import type { Services } from './services.ts'
import type { TranslationContext } from './translation.ts'

/** What a translation for a target has access to. */
export function contextFor(target: Target, services: Pick<Services, 'clock' | 'random'>): TranslationContext {
  const { deployment, contextWindow, maxOutput } = target
  const { reasoning = [], cacheControl = false } = deployment.provider.definition
  return { ...services, model: deployment.label, reads: reasoning, cacheControl, contextWindow, maxOutput }
}
