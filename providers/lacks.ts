import type { Feature } from '../src/core/features.ts'
import type { OperationSpec } from '../src/core/provider.ts'

/** What no server of open models has, and all of them ignore: it is OpenAI's own, or replaced long ago. */
export const openaiOnly = [
  'functions',
  'audio_output',
  'prediction',
  'web_search',
  'moderation',
] as const satisfies readonly Feature[]

/** What a request can say of its tools besides offering them to the model, and tools that are no functions. */
export const toolChoices = [
  'tool_required',
  'tool_named',
  'tools_allowed',
  'custom_tools',
  'single_call',
] as const satisfies readonly Feature[]

/** The same operation of a server that lacks some features. */
export function lacking(spec: OperationSpec, ...lacks: readonly Feature[]): OperationSpec {
  return { ...spec, lacks: [...(spec.lacks ?? []), ...lacks] }
}
