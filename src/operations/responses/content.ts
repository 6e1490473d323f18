import { invalid } from '../../wire/body.ts'
import { GatewayError } from '../../wire/errors.ts'
import { isObject, type JsonObject, stringAt } from '../../wire/json.ts'
import { wrongType } from '../common/fields.ts'

export function requiredIn(item: JsonObject, name: string, path: string): string {
  const value = item[name]
  if (typeof value === 'string') return value
  const param = `${path}.${name}`
  if (value === undefined) throw missingParameter(param)
  throw wrongType(param, 'a string', value)
}

function missingParameter(param: string): GatewayError {
  return invalid(`Missing required parameter: '${param}'.`, param, 'missing_required_parameter')
}

/** The text of a content, without what else it holds. */
export function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  return Array.isArray(content) ? content.map((part) => stringAt(part, 'text') ?? '').join('') : ''
}

/** Chat's content for a list of parts: a text if there is nothing else, with `between` between two of them. */
export function contentOf(content: unknown, path: string, between: string): string | JsonObject[] {
  if (typeof content === 'string') return content
  if (content === undefined || content === null) throw missingParameter(path)
  if (!Array.isArray(content)) throw wrongType(path, 'a string or an array of objects', content)
  const parts = content.flatMap((part: unknown, at) => (isSealed(part) ? [] : [partOf(part, `${path}[${at}]`)]))
  return parts.every(({ type }) => type === 'text') ? parts.map(({ text }) => text).join(between) : parts
}

const textual: ReadonlySet<unknown> = new Set(['input_text', 'output_text', 'text', 'summary_text', 'reasoning_text'])

/** What Codex's agents tell each other by way of OpenAI, which alone can read it. */
function isSealed(part: unknown): boolean {
  return stringAt(part, 'type') === 'encrypted_content'
}

function partOf(part: unknown, path: string): JsonObject {
  if (!isObject(part)) throw wrongType(path, 'an object', part)
  const { type } = part
  if (type === 'refusal') return { type: 'text', text: stringAt(part, 'refusal') ?? '' }
  if (textual.has(type)) return { type: 'text', text: requiredIn(part, 'text', path) }
  if (type === 'input_image') return imageOf(part, path)
  if (type === 'input_file') return fileOf(part, path)
  if (type === 'input_audio') return { type, input_audio: part.input_audio }
  throw unread(`content of type '${String(type)}'`, path)
}

function imageOf({ image_url: image, detail }: JsonObject, path: string): JsonObject {
  // Some send it in a chat's form.
  const url = stringAt(image, 'url') ?? image
  if (typeof url !== 'string') throw unread('an image by the id of a file', path)
  return { type: 'image_url', image_url: { url, ...(typeof detail === 'string' && { detail }) } }
}

function fileOf({ file_data: data, filename }: JsonObject, path: string): JsonObject {
  if (typeof data !== 'string') throw unread('a file by its id or address', path)
  return { type: 'file', file: { ...(filename !== undefined && { filename }), file_data: data } }
}

function unread(what: string, param: string): GatewayError {
  return new GatewayError('incapable', `Unsupported parameter: ${what} is not supported with this model.`, { param })
}
