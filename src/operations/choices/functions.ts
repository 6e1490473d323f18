import { lateValue } from '../../core/late.ts'
import type { Renewal } from '../../core/renewal.ts'
import { isOfFunctions, usesFunctions } from './functions-in.ts'
import { messagesOf } from './messages.ts'

/** `functions` and `function_call`, which `tools` and `tool_choice` replaced in November 2023. */
export const renewingFunctions: Renewal = {
  feature: 'functions',
  concerns: ({ outline }) => usesFunctions(outline) || messagesOf(outline).some(isOfFunctions),
  how: lateValue(async () => (await import('./functions-as-tools.ts')).asTools),
}
