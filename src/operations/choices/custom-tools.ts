import { lateValue } from '../../core/late.ts'
import type { Renewal } from '../../core/renewal.ts'
import { customNames, hasCustomCalls } from './custom-tools-in.ts'
import { messagesOf } from './messages.ts'

/** Custom tools, which take text of any form, where the upstream knows functions only. */
export const renewingCustomTools: Renewal = {
  feature: 'custom_tools',
  concerns: ({ outline }) => customNames(outline).size > 0 || messagesOf(outline).some(hasCustomCalls),
  how: lateValue(async () => (await import('./custom-tools-as-functions.ts')).asFunctions),
}
