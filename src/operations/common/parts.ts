import { isObject, type JsonObject } from '../../wire/json.ts'
import { type Sight, unknownPart } from './sight.ts'

/** Which types of parts a message may have, as OpenAI and servers like it name them. */
export interface PartTypes {
  readonly pictures: ReadonlySet<unknown>
  /** Those that have all that they show. */
  readonly known: ReadonlySet<unknown>
  /** Those with a file: what it is, in words. */
  readonly files: ReadonlyMap<unknown, string>
}

/** Tells what of a part its bytes don't bound. */
export function lookAtPart(part: JsonObject, { pictures, known, files }: PartTypes, sight: Sight): void {
  const { type } = part
  const file = files.get(type)
  if (pictures.has(type)) sight.addPicture(addressIn(part))
  else if (file !== undefined) lookAtFile(part, file, sight)
  else if (type === undefined) lookAtUntyped(part, sight)
  else if (!known.has(type)) sight.lose(unknownPart(type))
}

/** Of a picture, as a text or in an object; it may be data. */
export function addressIn({ image_url: given, image }: JsonObject): unknown {
  return isObject(given) && given.url !== undefined ? given.url : (given ?? image)
}

function lookAtUntyped(part: JsonObject, sight: Sight): void {
  for (const name in part) if (name !== 'text' && name !== 'cache_control') sight.lose(unknownPart(name))
}

/** Fields with a file, its address or its id. */
const sources: ReadonlySet<string> = new Set(
  ['data', 'file_data', 'input_audio', 'file_id', 'file_url', 'url'].concat(['audio_url', 'video_url', 'document_url']),
)
/** Fields that say something of a file. Any other may name more of them, or make it cost more. */
const beside: ReadonlySet<string> = new Set(
  ['type', 'format', 'filename', 'document_name', 'detail', 'mime_type', 'media_type'].concat(['cache_control']),
)

/** `what`: what it is, in words. */
function lookAtFile(part: JsonObject, what: string, sight: Sight): void {
  for (const name in part) {
    const value = part[name]
    if (value === undefined || value === null || beside.has(name)) continue
    if (isObject(value) && name === part.type) lookAtFile(value, what, sight)
    else if (typeof value !== 'string' || !sources.has(name))
      sight.lose(`${what} with the field \`${name.slice(0, 100)}\``)
    else if (what === 'a recording') lookAtRecording(value, part.format, sight)
    else sight.addFile(what, value)
  }
}

/** Its data, as such or in an address, or the address of a recording. */
function lookAtRecording(given: string, format: unknown, sight: Sight): void {
  if (sight.isCut(given)) return
  const [head, type] = /^data:([^;,]+)[^,]*,/i.exec(given) ?? []
  sight.addRecording(given.slice(head?.length ?? 0), type ?? format)
}
