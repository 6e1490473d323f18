import type { Cases } from '../cells.ts'
import { chatCases } from './chat.ts'
import { completionsCases } from './completions.ts'
import { modelsCases } from './models.ts'

/** What is asked on each route, by operation. One without an entry is a row of failures. */
export const cases: Readonly<Record<string, Cases>> = {
  chat: chatCases,
  completions: completionsCases,
  models: modelsCases,
}
