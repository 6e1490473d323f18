import type { Capability } from '../wire/errors.ts'
import type { JsonObject } from '../wire/json.ts'

/** What the translation of one exchange has access to. */
export interface WireContext {
  /** The client's request with the deployment's `params` applied. */
  readonly body: JsonObject
  /** The upstream's name for the model. */
  readonly model: string
  /** One id and one time (whole seconds), shared by the answer and all chunks of a stream. */
  readonly id: string
  readonly created: number
  readonly random: () => number
  /** `data:` URLs for the images that the request gives by address, for upstreams that take only those. */
  readonly images?: ReadonlyMap<string, string> | undefined
  /** What the configuration says of the model's capabilities. */
  readonly supports?: Readonly<Partial<Record<Capability, boolean>>> | undefined
  /** In tokens: the model's; undefined if unknown. */
  readonly contextWindow?: number | undefined
  /** In tokens: the most that one answer of the model may have; undefined if unknown. */
  readonly maxOutput?: number | undefined
  /** The fields that are mere hints of the client's: what the upstream's API has not is left out, instead of refused there. */
  readonly optional?: readonly string[] | undefined
  /** Takes note of what a translation leaves out of the request, for `x-samewire-dropped`. Absent: nobody is told. */
  leftOut?(param: string): void
  /** What is read in the text of an answer. Absent: nothing. */
  readonly texts?: TextReading | undefined
}

/** What a model may write into its text that belongs into fields of its own. */
export interface TextReading {
  /** Reasoning at the start. `implied`: also where the prompt has ended with the opening tag. Undefined: by the model. */
  readonly thinkTags: boolean | 'implied' | undefined
  readonly textualCalls: boolean
}
