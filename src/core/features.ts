/**
 * What a request may ask for that some upstreams ignore without an error, or can't do. Each changes what an answer says
 * or how it is made, so that a client must hear of it.
 */
export const features = [
  'n',
  'best_of',
  'echo',
  'suffix',
  'raw',
  'logprobs',
  'logit_bias',
  'stop',
  'seed',
  'presence_penalty',
  'frequency_penalty',
  'json_object',
  'json_schema',
  'functions',
  'tool_required',
  'tool_named',
  'tools_allowed',
  'custom_tools',
  'single_call',
  'audio_output',
  'input_audio',
  'files',
  'prediction',
  'web_search',
  'moderation',
] as const
export type Feature = (typeof features)[number]

/** How a request shows that it uses a feature. */
export interface FeatureUse {
  /** The path of the parameter that uses it, for `param` in errors; undefined if the request does not. */
  find(body: FeatureBody): string | undefined
  /** The request's top-level fields that ask for it. Without them it is a request of the same kind; absent: it isn't. */
  readonly fields?: readonly string[]
}

type FeatureBody = Readonly<Record<string, unknown>>

/** Which unsupported fields may be left out instead of refusing the request: all, or these. */
export type Droppable = true | readonly string[]

/** What a deployment's own configuration allows, or else that of all. */
export function droppableOf({ deployment, limits }: DroppingTarget): Droppable | undefined {
  return deployment.dropParams ?? limits.dropParams
}

interface DroppingTarget {
  readonly deployment: { readonly dropParams?: Droppable | undefined }
  readonly limits: { readonly dropParams?: Droppable | undefined }
}

/** Whether a field may be left out. A field that stands for nothing without another goes with it. */
export function mayDrop(fields: readonly string[], droppable: Droppable | undefined): boolean {
  if (droppable === undefined) return false
  return droppable === true || fields.some((field) => droppable.includes(field))
}
