import type { Bounding, Unbounded } from '../core/bounding.ts'
import type { Operation } from '../core/operation.ts'
import type { Target } from '../core/plan.ts'
import type { Pieces } from '../prices/usage.ts'
import type { TokenKind } from '../prices/worst.ts'
import type { RequestBody } from '../wire/body.ts'
import type { JsonObject } from '../wire/json.ts'
import { repeatedKey } from '../wire/repeated-keys.ts'
import { heldFor, inputOf, nothingHeld, nothingUnseen } from './input-bound.ts'

/** The most tokens of an answer whose request sets no limit, where the model has no lower one. */
const usualOutput = 16_384
/**
 * The most tokens of an answer with pictures, which Google's models end at. Whether they count for the limit that a request
 * sets, nobody says.
 */
const mostDrawn = 32_768

/** The most that a request can use. */
export interface TokenBound {
  readonly input: number
  readonly output: number
  /** Kinds of tokens that are not among them. Absent: any may be. */
  readonly without?: ReadonlySet<TokenKind> | undefined
  /** What is billed by the piece. Absent: nothing is. */
  readonly pieces?: Pieces | undefined
  /** The most tokens of pictures among its words, where these are billed apart: a model may draw without being asked. */
  readonly drawn?: number | undefined
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
  /** Whether a budget pays for it, and must hold enough for the largest pictures. */
  readonly isPaid: boolean
  /** Whether a target costs nothing, whatever it reads. Absent: none does. */
  isFree?(target: Target): boolean
}

/**
 * No tokenizer makes more tokens of a text than it has bytes, so the bytes of a request bound its input. Its output is
 * bounded by what it asks for, or by what the configuration asks for in its place.
 */
export function boundOf({ operation, bounding, body, targets, limits, isPaid, isFree }: ToBound): Bounded {
  const { outline } = body
  const settings = settingsOf(operation, targets, outline)
  const asked = bounding.output(outline, body)
  let { answers, exchanges = answers, draws, beside = 0 } = asked
  let forced = 0
  let most = usualOutput
  let without = bounding.without?.(outline)
  const piecesOf = (fields: JsonObject) => bounding.pieces?.(fields, body) ?? operation.pieces?.(fields, body)
  let pieces = piecesOf(outline)
  for (const { defaults, overrides, fields } of settings) {
    const output = bounding.output(fields, body)
    answers = Math.max(answers, output.answers)
    exchanges = Math.max(exchanges, output.exchanges ?? output.answers)
    draws ||= output.draws
    beside = Math.max(beside, output.beside ?? 0)
    forced = Math.max(forced, bounding.output(overrides, body).tokens ?? 0)
    most = Math.min(most, bounding.output(defaults, body).tokens ?? usualOutput)
    without = common(without, bounding.without?.(fields))
    pieces = larger(pieces, piecesOf(fields))
  }
  for (const { maxOutput = usualOutput } of targets) most = Math.min(most, maxOutput)
  const limited = asked.tokens === undefined && limits ? bounding.limited?.(body, most) : undefined
  const isOpen = asked.tokens === undefined && limits && limited === undefined
  const drawn = bounding.limited ? mostDrawn : 0
  const open = limits || isPaid ? unboundedIn(settings, { operation, bounding, body, targets, limits }) : undefined
  const unseen = open ? open.unseen : isPaid ? nothingUnseen : undefined
  const held = open?.unseen ? heldFor(open, open.unseen, targets, isFree) : nothingHeld
  return {
    bound: {
      input: inputOf({ bounding, body, targets, isPaid, unseen, held }),
      output: (Math.max(asked.tokens ?? most, forced, draws ? drawn : 0) + beside) * answers,
      without,
      pieces,
      drawn: drawn * answers,
    },
    exchanges,
    body: limited ?? body,
    unbounded: (open?.unseen ? held.unbounded : open) ?? (isOpen ? endless : undefined),
  }
}

const endless: Unbounded = { what: 'an answer without a limit', param: 'model' }

/** What a request is likely to use: English has more than four bytes a token, code and JSON between two and three. */
export function likely(bound: TokenBound): TokenBound {
  return { ...bound, input: Math.ceil(bound.input / 3) }
}

/** What the configuration says for requests, or in spite of them, and what it makes of one. */
interface Settings {
  readonly defaults: JsonObject
  readonly overrides: JsonObject
  readonly fields: JsonObject
}

const noSettings: readonly Settings[] = []

/** Where it says anything. */
function settingsOf(operation: Operation, targets: readonly Target[], outline: JsonObject): readonly Settings[] {
  let found: Settings[] | undefined
  for (const { deployment } of targets) {
    if (!hasAny(deployment.defaults) && !hasAny(deployment.overrides)) continue
    const [defaults, overrides] = [deployment.defaults, deployment.overrides].map(
      (fields) => operation.inOwnNames?.(fields) ?? fields,
    ) as [JsonObject, JsonObject]
    found ??= []
    found.push({ defaults, overrides, fields: { ...defaults, ...outline, ...overrides } })
  }
  return found ?? noSettings
}

/** Only the number of pictures is a field. */
function larger(one: Pieces | undefined, other: Pieces | undefined): Pieces | undefined {
  return (one?.images ?? 0) < (other?.images ?? 0) ? other : one
}

/** What is in both. */
function common<T>(one: ReadonlySet<T> | undefined, other: ReadonlySet<T> | undefined): ReadonlySet<T> | undefined {
  return one === other || !one ? one : new Set([...one].filter((each) => other?.has(each)))
}

/** Fields that nobody knows are refused to clients alone: whoever configures one knows what it costs. */
function unboundedIn(
  settings: readonly Settings[],
  {
    operation,
    bounding,
    body,
    targets,
    limits,
  }: Pick<ToBound, 'operation' | 'bounding' | 'body' | 'targets' | 'limits'>,
): Unbounded | undefined {
  const isNative = () => targets.some(({ deployment }) => deployment.provider.operations[operation.name])
  const twice = limits && body.kind === 'json' ? repeatedKey(body.bytes) : undefined
  if (twice !== undefined)
    return { what: `\`${twice.slice(0, 100)}\`, which is there twice,`, param: twice.slice(0, 100) }
  let most: Unbounded | undefined
  for (let which = -1; which < settings.length; which++) {
    const found = bounding.unbounded?.(settings[which]?.fields ?? body.outline, body, isNative)
    if (found && !found.unseen) return found
    if (countIn(found) > countIn(most)) most = found
  }
  if (!bounding.outside || !limits) return most
  // A client may say for each of several models what is other for it.
  return (
    bounding.outside(body.outline, body) ??
    firstOf(targets, ({ why, deployment }) =>
      why === 'named' ? bounding.outside?.(deployment.overrides) : undefined,
    ) ??
    most
  )
}

function countIn({ unseen }: Partial<Unbounded> = {}): number {
  return unseen ? unseen.files + unseen.answers + unseen.pictures : -1
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
