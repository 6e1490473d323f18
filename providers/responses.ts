import type { OperationSpecs } from '../src/core/provider.ts'

/** A provider's setting that says whether its server makes responses itself, or they are made of its chat. */
export const responsesSetting = ['native', 'translated'] as const

/** How a provider serves responses, where that is a choice. `path`: where its server would have them. */
export function responsesBy(
  setting: string | undefined,
  usual: (typeof responsesSetting)[number],
  path = '/responses',
): OperationSpecs {
  // What another server has compacted only that one reads.
  return (setting ?? usual) === 'native' ? { responses: { path } } : { responses: undefined, compaction: undefined }
}
