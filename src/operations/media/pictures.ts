import type { Answer } from '../../core/answer.ts'
import type { WireContext } from '../../core/wire-context.ts'
import { toBase64 } from '../../wire/base64.ts'
import { invalid } from '../../wire/body.ts'
import { GatewayError } from '../../wire/errors.ts'
import { isObject, type JsonObject, stringAt } from '../../wire/json.ts'
import { eventsAnswer, jsonAnswer, unsupported } from './answers.ts'

/** An image as an upstream gave it, in base64. */
export interface Picture {
  readonly base64: string
  /** The content type; undefined if it is unknown. */
  readonly type: string | undefined
}

/** The width and height that `size` asks for; undefined: whatever the model likes. Throws a 400 at anything else. */
export function sizeOf({ size }: JsonObject): { readonly width: number; readonly height: number } | undefined {
  if (size === undefined || size === null || size === 'auto' || size === '') return undefined
  const [, width, height] = /^(\d{1,5})x(\d{1,5})$/.exec(String(size)) ?? []
  if (width === undefined || height === undefined) {
    throw invalid(
      "Invalid value for 'size': expected 'auto' or width and height, such as '1024x1024'.",
      'size',
      'invalid_value',
    )
  }
  return { width: Number(width), height: Number(height) }
}

/**
 * Images as OpenAI answers with them: in base64 unless the client asks for URLs, which then hold the images themselves,
 * since nothing is kept. A stream has one event for each, without partial images.
 */
export function picturesAnswer(pictures: readonly Picture[], { body, created }: WireContext, stream: boolean): Answer {
  if (stream) return eventsAnswer(pictureEvents('image_generation.completed', pictures, { created, size: body.size }))
  const data = pictures.map(({ base64, type }) =>
    body.response_format === 'url'
      ? { url: `data:image/${formatOf(base64, type)};base64,${base64}` }
      : { b64_json: base64 },
  )
  const [first] = pictures
  return jsonAnswer({ created, data, ...(first && { output_format: formatOf(first.base64, first.type) }) })
}

/** What of an answer each event of its images says as well. */
interface Told {
  readonly created: number
  readonly size: unknown
  readonly quality?: unknown
  readonly background?: unknown
  /** That of all images, which the last event has. */
  readonly usage?: unknown
}

function pictureEvents(type: string, pictures: readonly Picture[], told: Told): JsonObject[] {
  const { created, size, quality, background, usage = noUsage } = told
  return pictures.map(({ base64, type: format }, at) => ({
    ...{ type, b64_json: base64, created_at: created },
    ...{ size: String(size ?? 'auto'), quality: quality ?? 'auto', background: background ?? 'auto' },
    ...{ output_format: formatOf(base64, format), usage: at === pictures.length - 1 ? usage : noUsage },
  }))
}

/** A whole answer as the events of a stream of images, `type` each. Throws a 400 if it has only their addresses. */
export function picturesStream(answer: JsonObject, type: string, { body, created }: WireContext): JsonObject[] {
  const given = Array.isArray(answer.data) ? answer.data.filter(isObject) : []
  if (given.length === 0) throw new GatewayError('protocol', 'The upstream made no image.', { again: false })
  const format = stringAt(answer, 'output_format')
  const told = { ...answer, created: Number(answer.created || created), size: answer.size ?? body.size }
  return pictureEvents(
    type,
    given.map((image) => pictureIn(image, format && `image/${format}`)),
    told,
  )
}

function pictureIn({ b64_json: base64, url }: JsonObject, type: string | undefined): Picture {
  if (typeof base64 === 'string') return { base64, type }
  const [, own, data] = /^data:([^;,]+);base64,(.+)$/.exec(String(url)) ?? []
  if (data !== undefined) return { base64: data, type: own }
  throw unsupported(
    'stream',
    "The model answered with the images' addresses, which no stream can hold; leave the parameter out, or ask for 'b64_json'.",
  )
}

/** A schema requires it of the event; no token was counted. */
const noUsage = {
  ...{ total_tokens: 0, input_tokens: 0, output_tokens: 0 },
  input_tokens_details: { text_tokens: 0, image_tokens: 0 },
}

/** How the base64 of the formats begins. */
const beginnings = [
  ['png', 'iVBOR'],
  ['jpeg', '/9j/'],
  ['webp', 'UklGR'],
  ['gif', 'R0lG'],
] as const

function formatOf(base64: string, type: string | undefined): string {
  const seen = beginnings.find(([, start]) => base64.startsWith(start))?.[0]
  return seen ?? /^image\/([\w.+-]{1,20})/.exec(type ?? '')?.[1] ?? 'png'
}

export function pictureOf(bytes: Uint8Array, type: string | undefined): Picture {
  return { base64: toBase64(bytes), type }
}
