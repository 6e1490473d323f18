import type { Unbounded } from '../../core/bounding.ts'
import type { RequestBody } from '../../wire/body.ts'
import { isObject, type JsonObject } from '../../wire/json.ts'
import { textLength } from '../../wire/outline.ts'

/** Of an address that is too long for an outline to have it: it may be data. */
const unclear = 'a file that may be elsewhere'
/** In words, as in `Unbounded`. */
export const kept = 'an earlier exchange that the provider keeps'

/**
 * What a request shows without having it: whatever is behind an address, or kept by a provider, may be of any length.
 * `find`: the first such thing of a request, in words; undefined: there is none.
 */
export function outOfSight(
  param: string,
  asked: JsonObject,
  body: RequestBody,
  find: (asked: JsonObject) => string | undefined,
): Unbounded | undefined {
  const found = find(asked)
  const what = found === unclear ? find(body.json) : found
  return what === undefined ? undefined : { what, param }
}

/** What is found first in a list, or in what stands for a list of one. */
export function firstIn(list: unknown, find: (one: JsonObject) => string | undefined): string | undefined {
  if (!Array.isArray(list)) return isObject(list) ? find(list) : undefined
  for (const one of list) {
    const found = isObject(one) ? find(one) : undefined
    if (found !== undefined) return found
  }
  return undefined
}

/** Which types of parts there are. */
export interface PartTypes {
  /** Those that have all that they show, or whose pictures are counted. */
  readonly known: ReadonlySet<unknown>
  /** Those with a file that may be elsewhere: what it is, in words. */
  readonly files: ReadonlyMap<unknown, string>
}

/** Why nobody can tell what a part may cost; undefined: its bytes tell. */
export function hiddenIn(part: JsonObject, { known, files }: PartTypes): string | undefined {
  const { type } = part
  if (known.has(type)) return undefined
  const file = files.get(type)
  if (file !== undefined) return fileIn(part, file)
  if (type !== undefined) return unknownPart(type)
  for (const name in part) if (name !== 'text' && name !== 'cache_control') return unknownPart(name)
  return undefined
}

export function unknownPart(type: unknown): string {
  return `content of the type \`${String(type).slice(0, 100)}\``
}

/** Fields with data, and with an address that may be data itself. */
const data: ReadonlySet<string> = new Set(['data', 'file_data', 'input_audio'])
const addresses: ReadonlySet<string> = new Set(['url', 'file_url', 'audio_url', 'video_url', 'document_url'])
/** Fields that say something of a file. Any other may refer to one, or make it cost more. */
const beside: ReadonlySet<string> = new Set(
  ['type', 'format', 'filename', 'document_name', 'detail', 'mime_type', 'media_type'].concat(['cache_control']),
)

/** `file`: what it is, in words. */
function fileIn(part: JsonObject, file: string): string | undefined {
  let found: string | undefined
  for (const name in part) {
    const value = part[name]
    if (value === undefined || value === null || beside.has(name)) continue
    const hidden = isObject(value) && name === part.type ? fileIn(value, file) : fileAt(name, value, file)
    if (hidden === file) return file
    found ??= hidden
  }
  return found
}

function fileAt(name: string, value: unknown, file: string): string | undefined {
  const isData = data.has(name)
  if (typeof value !== 'string' || !(isData || addresses.has(name))) return file
  if (value.startsWith('data:')) return undefined
  if (textLength(value) !== value.length) return unclear
  return isData && base64.test(value.slice(0, 64)) ? undefined : file
}

/** The beginning of data has none of what addresses have: a colon or a dot. */
const base64 = /^[\w+/=-]*$/
