import type { GatewayError } from '../wire/errors.ts'
import type { TranslationContext } from './translation.ts'

/** In tokens: what a model has room for, as far as it is known. */
export type Room = Partial<Pick<TranslationContext, 'contextWindow' | 'maxOutput'>>

const limit = /max(?:imum)?[_ ](?:completion_|output_|new_)?tokens|(?:output|completion) tokens/i

/** How servers say how many tokens an answer may have: Anthropic, OpenAI, Groq, DeepSeek and DashScope, AWS Bedrock. */
const most: readonly RegExp[] = [
  /> (\d+),? which is the maximum/i,
  /(?:at most|up to) (\d+) (?:completion|output) tokens/i,
  /less than or equal to [`'"]?(\d+)/i,
  /(?:range|should be|between)[^[\d]{0,40}\[\s*\d+\s*,\s*(\d+)\s*\]/i,
  /exceeds? the model limit of (\d+)/i,
]

/** What the refusal of a request that asks for too long an answer tells of the room; undefined if it tells nothing. */
export function toldRoom({ kind, message }: GatewayError): Room | undefined {
  if (kind === 'context_length') {
    const window = Number(/maximum context length is (\d+) tokens/.exec(message)?.[1])
    return window > 0 ? { contextWindow: window } : undefined
  }
  if ((kind !== 'bad_request' && kind !== 'incapable') || !limit.test(message)) return undefined
  const told = Number(most.map((pattern) => pattern.exec(message)?.[1]).find((number) => number !== undefined))
  return told > 0 ? { maxOutput: told } : undefined
}
