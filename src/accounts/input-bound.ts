import type { Bounding, Unbounded, Unseen } from '../core/bounding.ts'
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
  /** What was found where servers look. Undefined: nobody looked, so whatever looks like a picture is one. */
  readonly unseen: Unseen | undefined
  /** What that takes. */
  readonly held: Held
}

/** With pictures and files for what they take at most, where that is known of all who may see them. */
export function inputOf({ bounding, body, targets, isPaid, unseen, held }: ToRead): number {
  const { outline, bytes } = body
  const media = bounding.media?.(outline) ?? 0
  const alike = media === 0 ? undefined : bounding.pictures?.(outline)
  const count = Math.max(alike?.count ?? 0, unseen?.pictures ?? 0)
  const seen = picturesOf(count, targets, isPaid)
  const data = (unseen ? unseen.pictureCharacters : alike?.characters) ?? 0
  // The characters of JSON's texts are no more than their bytes.
  const counted = held.characters + (seen.isKnown ? data : 0)
  const words = (bounding.input?.(body) ?? bytes.length) - (counted > 0 && !hasForged(bytes) ? counted : 0)
  return words + template + Math.max(0, media - count) * perMedia + seen.tokens + held.tokens
}

/** `isKnown`: whether all who may see them say what they take. */
function picturesOf(count: number, targets: readonly Target[], isPaid: boolean) {
  const unknown = isPaid ? perPicture : perMedia
  let most = targets.length === 0 ? unknown : 0
  let isKnown = targets.length > 0
  for (const { deployment } of targets) {
    isKnown &&= deployment.imageTokens !== undefined
    most = Math.max(most, deployment.imageTokens ?? unknown)
  }
  return { tokens: count * most, isKnown }
}

/** What is taken beyond the bytes, and which of their characters are none of the prompt's. */
export interface Held {
  readonly tokens: number
  readonly characters: number
  /** Why that can't be told. */
  readonly unbounded?: Unbounded
}

export const nothingHeld: Held = { tokens: 0, characters: 0 }

export const nothingUnseen: Unseen = { files: 0, fileCharacters: 0, answers: 0, pictures: 0, pictureCharacters: 0 }

/** With `unbounded` where there are files of which a model that is paid for says nothing. */
export function heldFor(
  { what, param }: Unbounded,
  { files, fileCharacters, answers }: Unseen,
  targets: readonly Target[],
  isFree?: (target: Target) => boolean,
): Held {
  let most = 0
  for (const target of files > 0 ? targets : []) {
    const { fileTokens, label } = target.deployment
    if (fileTokens !== undefined) most = Math.max(most, fileTokens)
    else if (!isFree?.(target)) {
      return { ...nothingHeld, unbounded: { what: `${what} (${label} has no \`fileTokens\`)`, param } }
    }
  }
  return { tokens: files * most + answers * perAnswer, characters: most === 0 ? 0 : fileCharacters }
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
