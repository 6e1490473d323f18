import { fromBase64 } from '../../src/wire/base64.ts'
import { GatewayError } from '../../src/wire/errors.ts'
import { imageTypeOfBase64, unsupportedImage } from '../../src/wire/image-format.ts'
import { isObject, type JsonObject, objectAt, stringAt } from '../../src/wire/json.ts'
import { incapable } from '../incapable.ts'

/** A block of a message's content. https://platform.claude.com/docs/en/api/messages */
export type Block = JsonObject

/**
 * The blocks for the content of a message. A text of nothing but white space is no block: Anthropic refuses it. `path`:
 * where it stands, for `param` in errors.
 */
export function blocksOf(content: unknown, path: string): Block[] {
  if (typeof content === 'string') return textBlocks(content)
  if (!Array.isArray(content)) return []
  return content.filter(isObject).flatMap((part, at) => blocksOfPart(part, `${path}[${at}]`))
}

function textBlocks(text: string): Block[] {
  return text.trim() === '' ? [] : [{ type: 'text', text }]
}

function blocksOfPart(part: JsonObject, path: string): Block[] {
  return readPart(part, path).map((block) => ({ ...block, ...cacheMark(part) }))
}

/** Marks the end of what is to be cached. Clients put it on OpenAI's parts and messages too. */
export function cacheMark({ cache_control: mark }: JsonObject): JsonObject {
  return isObject(mark) ? { cache_control: mark } : {}
}

/** The blocks with a mark that stands beside them, on the last one. */
export function marked(blocks: readonly Block[], holder: JsonObject): Block[] {
  return blocks.map((block, at) => (at === blocks.length - 1 ? { ...block, ...cacheMark(holder) } : block))
}

function readPart(part: JsonObject, path: string): Block[] {
  switch (part.type) {
    case 'text': {
      const { citations } = part
      return textBlocks(stringAt(part, 'text') ?? '').map((block) => ({
        ...block,
        ...(citations ? { citations } : {}),
      }))
    }
    case 'refusal':
      return textBlocks(stringAt(part, 'refusal') ?? '')
    case 'image_url': {
      const url = stringAt(part, 'image_url') ?? stringAt(objectAt(part, 'image_url'), 'url') ?? ''
      return [{ type: 'image', source: imageSource(url, `${path}.image_url`) }]
    }
    case 'file':
      return [documentOf(objectAt(part, 'file') ?? {}, `${path}.file`)]
    case 'image':
    case 'document':
    case 'search_result':
      // Anthropic's own.
      return [part]
    default:
      throw incapable(path, `Anthropic takes no content part of type '${String(part.type)}'.`)
  }
}

function imageSource(url: string, path: string): JsonObject {
  const data = dataIn(url)
  if (!data) return { type: 'url', url }
  // It refuses an image of another type than it is said to have.
  const type = imageTypeOfBase64(data.base64)
  if (type !== undefined) return { type: 'base64', media_type: type, data: data.base64 }
  throw new GatewayError('incapable', unsupportedImage, { param: path, code: 'invalid_image_url' })
}

function documentOf(file: JsonObject, path: string): Block {
  const { filename, file_data: given, file_id: id } = file
  const title = typeof filename === 'string' && filename !== '' ? { title: filename } : {}
  if (typeof given === 'string') return { type: 'document', source: documentSource(given, path), ...title }
  // Its own ids begin so; those of OpenAI, `file-`.
  if (typeof id === 'string' && id.startsWith('file_')) {
    return { type: 'document', source: { type: 'file', file_id: id }, ...title }
  }
  throw incapable(`${path}.file_id`, 'The file was not uploaded to Anthropic: send its data.')
}

function documentSource(given: string, path: string): JsonObject {
  if (/^https?:\/\//i.test(given)) return { type: 'url', url: given }
  // OpenAI's clients may leave out all but the data.
  const { type, base64 } = dataIn(given) ?? { type: '', base64: given }
  if (type === 'application/pdf' || (type === '' && base64.startsWith('JVBERi'))) {
    return { type: 'base64', media_type: 'application/pdf', data: base64 }
  }
  const text = type.startsWith('text/') ? fromBase64(base64) : undefined
  if (text) return { type: 'text', media_type: 'text/plain', data: new TextDecoder().decode(text) }
  throw incapable(`${path}.file_data`, 'Anthropic takes PDF documents and text only.')
}

interface InlineData {
  readonly type: string
  readonly base64: string
}

/** What a `data:` URL holds; undefined for any other address. */
function dataIn(url: string): InlineData | undefined {
  const comma = url.indexOf(',')
  const [, type] = /^\s*data:([^;,]*)[^,]*;base64,$/i.exec(url.slice(0, comma + 1)) ?? []
  return type === undefined ? undefined : { type: type.trim().toLowerCase(), base64: url.slice(comma + 1).trim() }
}
