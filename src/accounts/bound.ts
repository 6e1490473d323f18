import type { Bounding, Unbounded } from '../core/bounding.ts'
import type { Target } from '../core/plan.ts'
import type { RequestBody } from '../wire/body.ts'

/** The most tokens of an answer whose request sets no limit, where the model has no lower one. */
const usualOutput = 16_384
/** What a server's template adds to the texts of a request. */
const template = 512
/** Of a picture, a recording or a file, of which the bytes say nothing. */
const perMedia = 2_000

/** The most tokens that a request can use. */
export interface TokenBound {
  readonly input: number
  readonly output: number
}

export interface Bounded extends TokenBound {
  /** The request, with the limit that makes the bound one. */
  readonly body: RequestBody
  /** Why there is no bound. */
  readonly unbounded: Unbounded | undefined
}

/**
 * No tokenizer makes more tokens of a text than it has bytes, so the bytes of a request bound its input. Its output is
 * bounded by what it asks for; with `limits` a request that asks for nothing gets a limit.
 */
export function boundOf(bounding: Bounding, body: RequestBody, targets: readonly Target[], limits: boolean): Bounded {
  const { outline } = body
  const media = bounding.media?.(outline) ?? 0
  const input = body.bytes.length + template + media * perMedia
  const unbounded = bounding.unbounded?.(outline)
  const { tokens, answers } = bounding.output(outline)
  if (tokens !== undefined) return { input, output: tokens * answers, body, unbounded }
  const most = Math.min(usualOutput, ...targets.map(({ maxOutput = usualOutput }) => maxOutput))
  const limited = limits ? bounding.limited?.(body, most) : undefined
  const isOpen = limits && limited === undefined
  return {
    ...{ input, output: most * answers, body: limited ?? body },
    unbounded: unbounded ?? (isOpen ? { what: 'an answer without a limit', param: 'model' } : undefined),
  }
}

/** What a request is likely to use: English has more than four bytes a token, code and JSON between two and three. */
export function likely({ input, output }: TokenBound): TokenBound {
  return { input: Math.ceil(input / 3), output }
}
