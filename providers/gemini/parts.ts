import type { WireContext } from '../../src/core/provider.ts'
import { imageTypeOfBase64 } from '../../src/wire/image-format.ts'
import { isObject, type JsonObject, objectAt, stringAt } from '../../src/wire/json.ts'
import { incapable } from '../incapable.ts'

type Images = WireContext['images']

/**
 * Gemini's parts for the content of a message. `images`: those that were fetched, by address. Throws a 400 that names the
 * part which Gemini doesn't take. https://ai.google.dev/api/caching#Part
 */
export function partsOf(content: unknown, path: string, images: Images): JsonObject[] {
  if (typeof content === 'string') return textPart(content)
  if (!Array.isArray(content)) return []
  return content.flatMap((part: unknown, at) => partOf(isObject(part) ? part : {}, `${path}[${at}]`, images))
}

function textPart(text: string | undefined): JsonObject[] {
  return text ? [{ text }] : []
}

function partOf(part: JsonObject, path: string, images: Images): JsonObject[] {
  switch (part.type) {
    case 'text':
      return textPart(stringAt(part, 'text'))
    case 'refusal':
      return textPart(stringAt(part, 'refusal'))
    case 'image_url': {
      const url = stringAt(part, 'image_url') ?? stringAt(objectAt(part, 'image_url'), 'url') ?? ''
      return [mediaAt(images?.get(url) ?? url, `${path}.image_url`)]
    }
    case 'video_url':
      return [mediaAt(stringAt(objectAt(part, 'video_url'), 'url') ?? '', `${path}.video_url`)]
    case 'input_audio': {
      const audio = objectAt(part, 'input_audio')
      return [inline(`audio/${stringAt(audio, 'format') ?? 'wav'}`, stringAt(audio, 'data') ?? '')]
    }
    case 'file':
      return [filePart(objectAt(part, 'file') ?? {}, `${path}.file`)]
    default:
      throw incapable(path, `Gemini takes no content part of type '${String(part.type)}'.`)
  }
}

function inline(mimeType: string, data: string): JsonObject {
  return { inlineData: { mimeType, data } }
}

/** An address that Gemini fetches itself: of its own files, of videos on YouTube, of anything public. */
function fileAt(fileUri: string, mimeType: string | undefined): JsonObject {
  return { fileData: { ...(mimeType !== undefined && { mimeType }), fileUri } }
}

/** The picture or video at an address, which may be the data itself. */
export function mediaAt(url: string, path: string): JsonObject {
  const data = dataIn(url)
  if (!data && /^\s*(data:|$)/i.test(url)) throw incapable(path, 'Nothing tells what kind of file it is.')
  if (!data) return fileAt(url, types[endingOf(url.replace(/[?#].*$/s, ''))])
  const type = data.type || imageTypeOfBase64(data.base64)
  if (type === undefined) throw incapable(path, 'Nothing tells what kind of file it is.')
  return inline(type === 'image/jpg' ? 'image/jpeg' : type, data.base64)
}

/** The types of files that models read, by the ends of their names. */
const types: Readonly<Record<string, string>> = {
  pdf: 'application/pdf',
  txt: 'text/plain',
  md: 'text/md',
  csv: 'text/csv',
  html: 'text/html',
  xml: 'text/xml',
  json: 'application/json',
  mp3: 'audio/mp3',
  wav: 'audio/wav',
  mp4: 'video/mp4',
  mov: 'video/mov',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
}

function endingOf(name: string): string {
  return /\.(\w+)$/.exec(name)?.[1]?.toLowerCase() ?? ''
}

/** A file by its data, or by an address, for which OpenAI has no field: clients put it in either of the two. */
function filePart(file: JsonObject, path: string): JsonObject {
  const { file_data: given, file_id: id, filename } = file
  const told = stringAt(file, 'format') ?? (typeof filename === 'string' ? types[endingOf(filename)] : undefined)
  const address = [given, id].find((one): one is string => typeof one === 'string' && /^(?:https?|gs):/i.test(one))
  if (address !== undefined) return fileAt(address, told)
  if (typeof given !== 'string') throw incapable(`${path}.file_id`, 'Gemini has no such file: send its data.')
  const data = dataIn(given) ?? { type: '', base64: given }
  const type = data.type || told || (data.base64.startsWith('JVBERi') ? 'application/pdf' : undefined)
  if (type === undefined) throw incapable(`${path}.file_data`, 'Nothing tells what kind of file it is.')
  return inline(type, data.base64)
}

/** What a `data:` URL holds; undefined for any other address. */
function dataIn(url: string): { readonly type: string; readonly base64: string } | undefined {
  const comma = url.indexOf(',')
  const [, type] = /^\s*data:([^;,]*)[^,]*;base64,$/i.exec(url.slice(0, comma + 1)) ?? []
  return type === undefined ? undefined : { type: type.trim().toLowerCase(), base64: url.slice(comma + 1).trim() }
}
