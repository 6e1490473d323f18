import type { OperationSpec, OperationSpecs } from '../core/provider.ts'
import { completionsOver } from './choices/completions-over-chat.ts'
import { type OperationName, operationFacts } from './facts.ts'
import { boundedCount } from './responses/bounded-count.ts'

/** Each operation as OpenAI serves it: at its own path, without translation. */
export const openaiOperations = Object.fromEntries(
  Object.values(operationFacts).map(({ name, path }) => [name, { path }]),
) as Record<OperationName, OperationSpec>

/** The same for servers of which no more is known: what they may lack is better had by way of what all have. */
export const compatibleOperations: OperationSpecs = {
  ...openaiOperations,
  ...{ responses: undefined, compaction: undefined, inputTokens: undefined },
}

/** The same for servers that have only some of them. */
export function openaiRoutes(...names: readonly OperationName[]): OperationSpecs {
  return Object.fromEntries(names.map((name) => [name, openaiOperations[name]]))
}

/**
 * What a provider serves: what it says, and if it chats, legacy completions through its chat where it says nothing of
 * them, and for the length of a prompt a bound where it counts none.
 */
export function withDerived(specs: OperationSpecs): OperationSpecs {
  const { chat, inputTokens: count } = specs
  const counted = count && !count.serve ? { ...count, otherwise: boundedCount } : (count ?? boundedCount)
  const all = chat ? { completions: completionsOver(chat), ...specs, inputTokens: counted } : specs
  return Object.fromEntries(Object.entries(all).map(([name, spec]) => [name, spec && oneByOne(spec)]))
}

/** What ignores `n` makes one choice at once. */
function oneByOne(spec: OperationSpec): OperationSpec {
  return spec.lacks?.includes('n') ? { ...spec, atOnce: { choices: 1, ...spec.atOnce } } : spec
}
