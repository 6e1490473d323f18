import type { Bounding, Unbounded } from '../core/bounding.ts'
import type { Operation } from '../core/operation.ts'
import type { Target } from '../core/plan.ts'
import type { Pieces } from '../prices/usage.ts'
import type { TokenKind } from '../prices/worst.ts'
import type { RequestBody } from '../wire/body.ts'
import type { JsonObject } from '../wire/json.ts'

/** The most tokens of an answer whose request sets no limit, where the model has no lower one. */
const usualOutput = 16_384
/** What a server's template adds to the texts of a request. */
const template = 512
/** Of a picture, a recording or a file, of which the bytes say nothing. */
const perMedia = 2_000

/** The most that a request can use. */
export interface TokenBound {
  readonly input: number
  readonly output: number
  /** Kinds of tokens that are not among them. Absent: any may be. */
  readonly without?: ReadonlySet<TokenKind> | undefined
  /** What is billed by the piece. Absent: nothing is. */
  readonly pieces?: Pieces | undefined
}

export interface Bounded {
  /** How many exchanges answer the request where a server gives one answer at once. */
  readonly exchanges: number
  readonly bound: TokenBound
  /** The request, with the limit that makes the bound one. */
  readonly body: RequestBody
  /** Why there is no bound. */
  readonly unbounded: Unbounded | undefined
}

export interface ToBound {
  readonly operation: Operation
  readonly bounding: Bounding
  readonly body: RequestBody
  readonly targets: readonly Target[]
  /** Whether a request that asks for no limit gets one. */
  readonly limits: boolean
}

/**
 * No tokenizer makes more tokens of a text than it has bytes, so the bytes of a request bound its input. Its output is
 * bounded by what it asks for, or by what the configuration asks for in its place.
 */
export function boundOf({ operation, bounding, body, targets, limits }: ToBound): Bounded {
  const { outline } = body
  const input = inputOf(bounding, body, targets)
  const settings = settingsOf(operation, targets)
  const asked = bounding.output(outline, body)
  const forced = settings.map(({ overrides }) => bounding.output(overrides, body).tokens ?? 0)
  const all = settings.map(({ defaults, overrides }) => ({ ...defaults, ...outline, ...overrides }))
  const outputs = [asked, ...all.map((fields) => bounding.output(fields, body))]
  const answers = Math.max(...outputs.map((one) => one.answers))
  const usual = settings.map(({ defaults }) => bounding.output(defaults, body).tokens ?? usualOutput)
  const most = Math.min(usualOutput, ...usual, ...targets.map(({ maxOutput = usualOutput }) => maxOutput))
  const limited = asked.tokens === undefined && limits ? bounding.limited?.(body, most) : undefined
  const isOpen = asked.tokens === undefined && limits && limited === undefined
  const unbounded = limits ? unboundedIn([outline, ...all], { bounding, body, targets }) : undefined
  return {
    bound: {
      ...{ input, output: Math.max(asked.tokens ?? most, ...forced) * answers },
      without: common([outline, ...all].map((fields) => bounding.without?.(fields))),
      pieces: bounding.pieces?.(body) ?? operation.pieces?.(body),
    },
    exchanges: Math.max(...outputs.map((one) => one.exchanges ?? one.answers)),
    body: limited ?? body,
    unbounded: unbounded ?? (isOpen ? { what: 'an answer without a limit', param: 'model' } : undefined),
  }
}

/** With pictures for what they take at most, where that is known of all who may see them. */
function inputOf(bounding: Bounding, body: RequestBody, targets: readonly Target[]): number {
  const { outline, bytes } = body
  const media = bounding.media?.(outline) ?? 0
  const all = (bounding.input?.(body) ?? bytes.length) + template + media * perMedia
  if (media === 0 || bounding.input || targets.length === 0) return all
  const perPicture = Math.max(...targets.map(({ deployment }) => deployment.imageTokens ?? Number.POSITIVE_INFINITY))
  const pictures = perPicture < Number.POSITIVE_INFINITY ? bounding.pictures?.(outline) : undefined
  if (!pictures) return all
  // The characters of JSON's texts are no more than their bytes.
  return all - pictures.characters + pictures.count * (perPicture - perMedia)
}

/** What a request is likely to use: English has more than four bytes a token, code and JSON between two and three. */
export function likely(bound: TokenBound): TokenBound {
  return { ...bound, input: Math.ceil(bound.input / 3) }
}

/** What the configuration says for requests, or in spite of them, where it says anything. */
function settingsOf(operation: Operation, targets: readonly Target[]) {
  const named = (fields: JsonObject) => operation.inOwnNames?.(fields) ?? fields
  return targets
    .filter(({ deployment: { defaults, overrides } }) => hasAny(defaults) || hasAny(overrides))
    .map(({ deployment: { defaults, overrides } }) => ({ defaults: named(defaults), overrides: named(overrides) }))
}

/** What is in all of them. */
function common<T>([first, ...others]: readonly (ReadonlySet<T> | undefined)[]): ReadonlySet<T> | undefined {
  if (others.length === 0 || !first) return first
  return new Set([...first].filter((one) => others.every((other) => other?.has(one))))
}

/** Fields that nobody knows are refused to clients alone: whoever configures one knows what it costs. */
function unboundedIn(
  all: readonly JsonObject[],
  { bounding, body, targets }: Pick<ToBound, 'bounding' | 'body' | 'targets'>,
): Unbounded | undefined {
  const found = firstOf(all, (fields) => bounding.unbounded?.(fields, body))
  if (found || !bounding.outside) return found
  // A client may say for each of several models what is other for it.
  const named = targets.filter(({ why }) => why === 'named').map(({ deployment }) => deployment.overrides)
  return firstOf([body.outline, ...named], (fields) => bounding.outside?.(fields))
}

function hasAny(fields: JsonObject): boolean {
  for (const _ in fields) return true
  return false
}

function firstOf<T, R>(all: readonly T[], find: (one: T) => R | undefined): R | undefined {
  for (const one of all) {
    const found = find(one)
    if (found !== undefined) return found
  }
  return undefined
}
