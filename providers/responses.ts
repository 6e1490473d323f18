import type { OperationSpecs } from '../src/core/provider.ts'

/** A provider's setting that says whether its server makes responses itself, or they are made of its chat. */
export const responsesSetting = ['native', 'translated'] as const

/**
 * How a provider serves responses, where that is a choice. `path`: where its server would have them; `tools`: the kinds
 * of tools that this is known to take, for where nothing is chosen.
 */
export function responsesBy(
  setting: string | undefined,
  usual: (typeof responsesSetting)[number],
  { path = '/responses', tools }: { readonly path?: string; readonly tools?: RegExp } = {},
): OperationSpecs {
  // What another server has compacted only that one reads.
  if ((setting ?? usual) === 'translated') return { responses: undefined, compaction: undefined }
  return { responses: { path, ...(setting === undefined && tools && { tools }) } }
}
