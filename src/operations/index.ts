import type { Operation } from '../core/operation.ts'
import type { OperationSpec } from '../core/provider.ts'
import { chat } from './chat.ts'
import { completions } from './completions.ts'

/** Every operation. One line here is all that a new file needs. */
export const operations = { chat, completions } satisfies Record<string, Operation>

export type OperationName = keyof typeof operations

/** OpenAI's way of speaking each operation: at its own path, with nothing to translate. */
export const openaiOperations = Object.fromEntries(
  Object.values(operations).map(({ name, path }) => [name, { path }]),
) as Record<OperationName, OperationSpec>
