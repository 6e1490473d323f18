import type { Unbounded } from '../../core/bounding.ts'
import { type FormPart, isLong } from '../../wire/form.ts'
import { frameFields, unknownField } from '../common/bounded-fields.ts'

const words = (text: string) => text.split(/\s+/)

/**
 * What may be said of a picture, by the names of OpenAI's API and of other servers. Not `steps`, `width`, `height` and
 * `resolution`, by which some bill, nor other names for `n`.
 */
export const pictureFields: ReadonlySet<string> = new Set([
  ...frameFields,
  ...words(
    `prompt n size quality style background moderation response_format output_format output_compression partial_images
    negative_prompt seed guidance guidance_scale cfg_scale aspect_ratio watermark
    disable_safety_checker enable_safety_checker safety_tolerance`,
  ),
])

export const editFields: ReadonlySet<string> = new Set([
  ...pictureFields,
  ...['image', 'images', 'mask', 'input_fidelity', 'strength'],
])

export const speechFields: ReadonlySet<string> = new Set([
  ...frameFields,
  ...words(
    `input voice instructions response_format speed stream_format
    language lang_code sample_rate gain volume_multiplier normalization_options seed`,
  ),
])

/** Not `url` and the like: nobody can tell how long a recording is that is elsewhere. Nor what makes a text longer. */
export const transcriptionFields: ReadonlySet<string> = new Set([
  ...frameFields,
  ...words(
    `file language languages keywords prompt response_format temperature include timestamp_granularities
    chunking_strategy known_speaker_names known_speaker_references
    hotwords context_bias vad_filter to_language seed top_p top_k min_p`,
  ),
])

/** Files, lists, objects and long texts, whose bytes are counted, whatever they say. */
const counted: ReadonlySet<string> = new Set(
  words(
    `file image images mask prompt negative_prompt languages keywords include timestamp_granularities chunking_strategy
    known_speaker_names known_speaker_references hotwords context_bias`,
  ),
)

/**
 * The first part of a form that isn't known, or that a server may read while the gateway doesn't: one that is there
 * twice, is a file where it should be a text, or is very long.
 */
export function partOutside(parts: readonly FormPart[], known: ReadonlySet<string>): Unbounded | undefined {
  const seen = new Set<string>()
  const found = parts.find((part) => {
    const name = part.name.replace(/\[.*$/s, '')
    if (!known.has(name)) return true
    if (counted.has(name)) return false
    const isRead = name === part.name && !seen.has(name) && !part.isFile && !isLong(part)
    seen.add(name)
    return !isRead
  })
  return found && unknownField(found.name)
}
