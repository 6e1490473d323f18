import { isObject, type JsonObject, stringAt } from './json.ts'

/**
 * What a model thought, in the form in which it has to go back to the model that made it: OpenRouter's
 * `reasoning_details`, a list in a message or a delta, beside the text in `reasoning_content`.
 * https://openrouter.ai/docs/use-cases/reasoning-tokens
 */
export interface ReasoningDetail extends JsonObject {
  readonly type: 'reasoning.text' | 'reasoning.summary' | 'reasoning.encrypted'
  /** Who can read it. */
  readonly format: ReasoningFormat
  /** Its place among the details of the message; pieces of a stream with the same one belong together. */
  readonly index?: number
  /** With `encrypted`: the tool call that it belongs to. */
  readonly id?: string
  readonly text?: string
  /** With `text`: what proves that the model made it. */
  readonly signature?: string
  readonly summary?: string
  readonly data?: string
}

export const reasoningFormats = [
  'anthropic-claude-v1',
  'google-gemini-v1',
  'openai-responses-v1',
  'azure-openai-responses-v1',
  'xai-responses-v1',
] as const
export type ReasoningFormat = (typeof reasoningFormats)[number]

const formats: ReadonlySet<unknown> = new Set(reasoningFormats)

/** Whether some model needs it back. */
export function isNeeded({ format }: JsonObject): boolean {
  return formats.has(format)
}

/** The details of a message that readers of this format made. */
export function detailsIn(message: JsonObject, format: ReasoningFormat): readonly JsonObject[] {
  const { reasoning_details: details } = message
  return Array.isArray(details) ? details.filter((one) => isObject(one) && stringAt(one, 'format') === format) : []
}
