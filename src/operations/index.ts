import type { Operation } from '../core/operation.ts'
import type { OperationSpec } from '../core/provider.ts'
import { chat } from './chat.ts'
import { completions } from './completions.ts'

/** All operations. A new file needs only a line here. */
export const operations = { chat, completions } satisfies Record<string, Operation>

export type OperationName = keyof typeof operations

/** Each operation as OpenAI serves it: at its own path, without translation. */
export const openaiOperations = Object.fromEntries(
  Object.values(operations).map(({ name, path }) => [name, { path }]),
) as Record<OperationName, OperationSpec>
