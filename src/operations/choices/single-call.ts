import { lateValue } from '../../core/late.ts'
import type { Renewal } from '../../core/renewal.ts'
import { choicesFeatures } from './features.ts'

/** `parallel_tool_calls: false`, where the upstream doesn't know it: of several calls the first one counts. */
export const singleCall: Renewal = {
  feature: 'single_call',
  concerns: ({ outline }) => choicesFeatures.single_call.find(outline) !== undefined,
  how: lateValue(async () => (await import('./first-call.ts')).firstCall),
}
