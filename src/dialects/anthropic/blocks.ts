import { legalName } from '../../operations/common/legal-names.ts'
import { GatewayError } from '../../wire/errors.ts'
import { isObject, type JsonObject, objectAt, stringAt } from '../../wire/json.ts'
import { missing, wrong } from './check.ts'

/** What blocks become on their way into a chat. */
export interface Reading {
  /** Whether marks for the prompt cache are kept. */
  readonly marks: boolean
  /** Takes note of a kind of block that no chat has. */
  drop(type: string): void
}

/** Chat's parts for the blocks of a message or of a tool's result. What no chat has is left out. */
export function partsOf(blocks: readonly unknown[], path: string, reading: Reading): JsonObject[] {
  return blocks.flatMap((block, at) => partsFor(block, `${path}.${at}`, reading))
}

/** Parts as a text if they are nothing else, with `between` between two of them. */
export function contentOf(parts: readonly JsonObject[], between: string): string | readonly JsonObject[] {
  const isPlain = parts.every((part) => part.type === 'text' && part.cache_control === undefined)
  return isPlain ? parts.map(({ text }) => text).join(between) : parts
}

/** The same for one block. */
export function partsFor(block: unknown, path: string, reading: Reading): JsonObject[] {
  if (!isObject(block)) throw wrong(path, 'a valid dictionary')
  const { type } = block
  if (typeof type !== 'string') throw missing(`${path}.type`)
  const parts = reader(type)?.(block, path, reading)
  if (!parts) reading.drop(type)
  return parts ? marked(parts, block, reading) : []
}

/** `cache_control` stands at the end of what is kept. */
function marked(parts: JsonObject[], { cache_control: mark }: JsonObject, { marks }: Reading): JsonObject[] {
  const last = parts.at(-1)
  return marks && last && isObject(mark) ? [...parts.slice(0, -1), { ...last, cache_control: mark }] : parts
}

type Reader = (block: JsonObject, path: string, reading: Reading) => JsonObject[]

function reader(type: string): Reader | undefined {
  return Object.hasOwn(readers, type) ? readers[type] : undefined
}

const readers: Readonly<Record<string, Reader>> = {
  text: (block, path) => [textPart(requiredIn(block, 'text', path))],
  image: (block, path) => [imagePart(sourceOf(block, path), path)],
  document: documentParts,
  search_result: searchParts,
  // The summary of a conversation that went on too long.
  compaction: ({ content }) => (typeof content === 'string' ? [textPart(content)] : []),
  tool_reference: ({ tool_name: name }) => [textPart(`The tool ${legalName(String(name))} can be called.`)],
}

function textPart(text: string): JsonObject {
  return { type: 'text', text }
}

function imagePart(source: JsonObject, path: string): JsonObject {
  const url =
    source.type === 'base64'
      ? dataUrl(requiredIn(source, 'media_type', `${path}.source`), requiredIn(source, 'data', `${path}.source`))
      : source.type === 'url'
        ? requiredIn(source, 'url', `${path}.source`)
        : unread(source, path)
  return { type: 'image_url', image_url: { url } }
}

function documentParts(block: JsonObject, path: string, reading: Reading): JsonObject[] {
  const source = sourceOf(block, path)
  const { type, data, content } = source
  const [title, context] = [stringAt(block, 'title'), stringAt(block, 'context')]
  if (type === 'base64') {
    const media = stringAt(source, 'media_type') ?? 'application/pdf'
    const file = {
      filename: title ?? 'document.pdf',
      file_data: dataUrl(media, requiredIn(source, 'data', `${path}.source`)),
    }
    return [...(context ? [textPart(context)] : []), { type: 'file', file }]
  }
  const heading = [title, context].filter(Boolean).map((text) => textPart(String(text)))
  if (type === 'text') return [joined([...heading, textPart(String(data ?? ''))])]
  if (type !== 'content') unread(source, path)
  if (typeof content === 'string') return [joined([...heading, textPart(content)])]
  if (!Array.isArray(content)) throw missing(`${path}.source.content`)
  return [...heading, ...partsOf(content, `${path}.source.content`, reading)]
}

function searchParts({ source, title, content }: JsonObject, path: string, reading: Reading): JsonObject[] {
  if (!Array.isArray(content)) throw missing(`${path}.content`)
  const heading = [title, source]
    .filter((text) => typeof text === 'string' && text !== '')
    .map((text) => textPart(String(text)))
  return [joined([...heading, ...partsOf(content, `${path}.content`, { ...reading, marks: false })])]
}

/** Texts that belong together as one. */
function joined(parts: readonly JsonObject[]): JsonObject {
  return textPart(parts.map(({ text }) => text).join('\n\n'))
}

function sourceOf(block: JsonObject, path: string): JsonObject {
  const source = objectAt(block, 'source')
  if (!source) throw missing(`${path}.source`)
  return source
}

export function requiredIn(block: JsonObject, name: string, path: string): string {
  const value = block[name]
  if (value === undefined) throw missing(`${path}.${name}`)
  if (typeof value !== 'string') throw wrong(`${path}.${name}`, 'a valid string')
  return value
}

function dataUrl(type: string, data: string): string {
  return `data:${type};base64,${data}`
}

/** A file that the upstream has, or would have to fetch. */
function unread({ type }: JsonObject, path: string): never {
  const message = `${path}.source: a source of type '${String(type)}' is not supported with this model`
  throw new GatewayError('incapable', message, { param: path })
}
