import { invalid } from '../../wire/body.ts'
import { isObject, type JsonObject, objectAt, stringAt } from '../../wire/json.ts'
import { unsupported } from './fields.ts'

/** Chat's parts for what a user shows. `drop` takes note of a kind of part that no chat has. */
export function partsFor(part: JsonObject, path: string, drop: (kind: string) => void): JsonObject[] {
  const { text, inlineData, fileData, executableCode: code, codeExecutionResult: result } = part
  if (typeof text === 'string') return text === '' ? [] : [textPart(text)]
  if (isObject(inlineData)) return [mediaPart(inlineData, `${path}.inlineData`)]
  if (isObject(fileData)) return [filePart(fileData, `${path}.fileData`)]
  if (isObject(code)) {
    const language = (stringAt(code, 'language') ?? '').toLowerCase()
    return [textPart(`\`\`\`${language}\n${stringAt(code, 'code') ?? ''}\n\`\`\``)]
  }
  if (isObject(result)) return [textPart(`\`\`\`\n${stringAt(result, 'output') ?? ''}\n\`\`\``)]
  const kind = kindOf(part)
  if (kind !== undefined) drop(kind)
  return []
}

/** What a part is, if it is no text. */
export function kindOf(part: JsonObject): string | undefined {
  return Object.keys(part).find((name) => !beside.has(name))
}

const beside: ReadonlySet<string> = new Set(['thought', 'thoughtSignature', 'videoMetadata', 'partMetadata', 'text'])

export function textPart(text: string): JsonObject {
  return { type: 'text', text }
}

function mediaPart(blob: JsonObject, path: string): JsonObject {
  const { mimeType: given, data } = blob
  if (typeof given !== 'string' || typeof data !== 'string') {
    throw invalid(`Invalid value at '${path}': 'mimeType' and 'data' are expected.`, path)
  }
  const type = given.toLowerCase()
  // Python's library sends the base64 of URLs.
  const base64 = data.replaceAll('-', '+').replaceAll('_', '/')
  if (type.startsWith('image/')) return { type: 'image_url', image_url: { url: `data:${type};base64,${base64}` } }
  const format = /^audio\/(?:x-)?(wav|mp3|mpeg)$/.exec(type)?.[1]
  if (format) return { type: 'input_audio', input_audio: { data: base64, format: format === 'wav' ? format : 'mp3' } }
  if (type === 'application/pdf') {
    const filename = stringAt(blob, 'displayName') ?? 'document.pdf'
    return { type: 'file', file: { filename, file_data: `data:${type};base64,${base64}` } }
  }
  if (type.startsWith('text/') || type === 'application/json') return textPart(decoded(base64, path))
  throw unsupported(`${path}.mimeType ${type}`)
}

function decoded(base64: string, path: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(base64), (one) => one.charCodeAt(0)))
  } catch {
    throw invalid(`Invalid value at '${path}.data': Base64 decoding failed.`, path)
  }
}

/** Pictures by their address; other files are on Google's servers, or would have to be fetched. */
function filePart({ mimeType: type, fileUri: url }: JsonObject, path: string): JsonObject {
  if (typeof url !== 'string') throw invalid(`Invalid value at '${path}.fileUri': a string is expected.`, path)
  const isImage = typeof type === 'string' ? type.startsWith('image/') : /\.(png|jpe?g|webp|gif)$/i.test(url)
  const isGoogles = /^https:\/\/generativelanguage\.googleapis\.com\//.test(url)
  if (!isImage || isGoogles || !/^https?:/.test(url)) throw unsupported(`${path}.fileUri`)
  return { type: 'image_url', image_url: { url } }
}

/** Parts as a text if they are nothing else. */
export function contentOf(parts: readonly JsonObject[], between: string): string | readonly JsonObject[] {
  return parts.every(({ type }) => type === 'text') ? parts.map(({ text }) => text).join(between) : parts
}

/** The text of a tool's result: Google's name for it is `output`, others are told as they are. */
export function resultText(response: unknown): string {
  if (!isObject(response)) return response === undefined ? '' : JSON.stringify(response)
  const output = stringAt(response, 'output')
  return output !== undefined && Object.keys(response).length === 1 ? output : JSON.stringify(response)
}

export function calledIn(part: JsonObject, path: string): JsonObject {
  const called = objectAt(part, 'functionCall') ?? {}
  if (typeof called.name === 'string' && called.name !== '') return called
  throw invalid(`* GenerateContentRequest.${path}.function_call.name: Name cannot be empty.`, path)
}
