import type { Bounding, Pictures, Unbounded, Unseen } from '../core/bounding.ts'
import type { Target } from '../core/plan.ts'
import type { RequestBody } from '../wire/body.ts'

/** What a server's template adds to the texts of a request. */
const template = 512
/** Of a picture, a recording or a file, beside its bytes. */
const perMedia = 2_000
/**
 * The most of a picture, as a small file, or an address, may have one of any size: gpt-4o-mini's 2,833 and 5,667 for each
 * of eight tiles. No other model of OpenAI's, Anthropic's or Google's takes as many.
 */
const perPicture = 48_169
/** The most of an earlier answer: no model of OpenAI's writes more than 128,000 tokens. */
const perAnswer = 131_072

export interface ToRead {
  readonly bounding: Bounding
  readonly body: RequestBody
  readonly targets: readonly Target[]
  /** Whether a budget pays for it, and must hold enough for the largest pictures. */
  readonly isPaid: boolean
}

/** With pictures and files for what they take at most, where that is known of all who may see them. */
export function inputOf({ bounding, body, targets, isPaid }: ToRead, unseen: Held = nothing): number {
  const { outline, bytes } = body
  const media = bounding.media?.(outline) ?? 0
  const all = (bounding.input?.(body) ?? bytes.length) + template + media * perMedia + unseen.tokens
  const pictures = media === 0 || bounding.input ? undefined : bounding.pictures?.(outline)
  const seen = pictures && targets.length > 0 ? picturesOf(pictures, targets, isPaid) : nothing
  // The characters of JSON's texts are no more than their bytes.
  const counted = unseen.characters + seen.characters
  return all + seen.tokens - (counted > 0 && !hasForged(bytes) ? counted : 0)
}

/** What is taken beyond the bytes, and which of their characters are none of the prompt's. */
export interface Held {
  readonly tokens: number
  readonly characters: number
  /** Why that can't be told. */
  readonly unbounded?: Unbounded
}

const nothing: Held = { tokens: 0, characters: 0 }

function picturesOf({ count, characters }: Pictures, targets: readonly Target[], isPaid: boolean): Held {
  const unknown = isPaid ? perPicture : perMedia
  let most = 0
  let isKnown = true
  for (const { deployment } of targets) {
    isKnown &&= deployment.imageTokens !== undefined
    most = Math.max(most, deployment.imageTokens ?? unknown)
  }
  return { tokens: count * (most - perMedia), characters: isKnown ? characters : 0 }
}

/** With `unbounded` where there are files of which a model that is paid for says nothing. */
export function unseenOf(
  { what, param }: Unbounded,
  { files, characters, answers }: Unseen,
  targets: readonly Target[],
  isFree?: (target: Target) => boolean,
): Held {
  let most = 0
  for (const target of targets) {
    const { fileTokens, label } = target.deployment
    if (fileTokens !== undefined) most = Math.max(most, fileTokens)
    else if (files > 0 && !isFree?.(target)) {
      return { ...nothing, unbounded: { what: `${what} (${label} has no \`fileTokens\`)`, param } }
    }
  }
  return { tokens: files * most + answers * perAnswer, characters: most === 0 ? 0 : characters }
}

/**
 * Whether a text of the client's may look like what an outline has in place of a long one, and so tell a length that it
 * hasn't: only those that begin with U+0000 do, which JSON must escape.
 */
function hasForged(bytes: Uint8Array): boolean {
  for (let at = bytes.indexOf(backslash); at >= 0; at = bytes.indexOf(backslash, at + 2)) {
    if (bytes[at + 1] === 117 && bytes[at + 2] === zero && bytes[at + 3] === zero && bytes[at + 4] === zero) return true
  }
  return false
}

const [backslash, zero] = [92, 48]
