import type { WireContext } from '../../src/core/provider.ts'
import { GatewayError, shorten } from '../../src/wire/errors.ts'
import { imageTypeOfBase64, unsupportedImage } from '../../src/wire/image-format.ts'
import { isObject, type JsonObject, objectAt, stringAt } from '../../src/wire/json.ts'
import { readArguments } from '../arguments.ts'
import { incapable, listed } from './options.ts'

/** Function names by call id: Ollama wants the name with the result. */
type CalledNames = Map<string, string>

const renamed: Readonly<Record<string, string>> = { developer: 'system', function: 'tool' }
const roles = ['system', 'assistant', 'user', 'function', 'tool', 'developer']
/** Roles that only some models' templates know: Granite's, on ollama.com/library/granite3.2. */
const ownRoles = /^(control|document\b.*)$/s

/** Throws a 400 for a message with a role that no template knows: Ollama passes over it without a word. */
export function checkRoles(messages: unknown): void {
  for (const [at, message] of list(messages).entries()) {
    const { role } = object(message)
    if (typeof role !== 'string' || roles.includes(role) || ownRoles.test(role)) continue
    const words = `Invalid value: '${shorten(role)}'. Supported values are: ${listed(roles)}.`
    throw new GatewayError('incapable', words, { param: `messages[${at}].role`, code: 'invalid_value' })
  }
}

/** Converts OpenAI's messages to Ollama's. Throws a 400 that names the part which Ollama doesn't support. */
export function ollamaMessages(messages: unknown, images: WireContext['images']): JsonObject[] {
  checkRoles(messages)
  const reading = { called: new Map(), images }
  return list(messages).map((message, at) => ollamaMessage(object(message), `messages[${at}]`, reading))
}

interface Reading {
  readonly called: CalledNames
  /** The images that were given by address. */
  readonly images: WireContext['images']
}

function ollamaMessage(message: JsonObject, path: string, { called, images: fetched }: Reading): JsonObject {
  const { role, content, tool_calls, function_call, reasoning_content, reasoning, refusal, ...rest } = message
  const { text, images } = readContent(content ?? refusal, `${path}.content`, fetched)
  const calls = readCalls(tool_calls, function_call, path)
  for (const {
    id,
    function: { name },
  } of calls)
    if (id !== undefined) called.set(id, name)
  const thinking = [rest.thinking, reasoning_content, reasoning].find((thought) => typeof thought === 'string')
  const isResult = role === 'tool' || role === 'function'
  const toolName = isResult ? (rest.tool_name ?? called.get(String(rest.tool_call_id)) ?? rest.name) : undefined
  return {
    ...rest,
    role: (typeof role === 'string' && renamed[role]) || role,
    content: text,
    ...(images.length > 0 && { images }),
    ...(thinking && { thinking }),
    ...(calls.length > 0 && { tool_calls: calls }),
    ...(toolName !== undefined && { tool_name: toolName }),
  }
}

interface Content {
  readonly text: string
  readonly images: readonly string[]
}

/** OpenAI's messages with data in place of the addresses of images. */
export function withInlineImages(messages: unknown, images: WireContext['images']): unknown {
  if (!images || !Array.isArray(messages)) return messages
  const inlined = (part: unknown) => {
    const url = stringAt(part, 'image_url') ?? stringAt(objectAt(part, 'image_url'), 'url')
    const data = url === undefined ? undefined : images.get(url)
    return data === undefined ? part : { ...object(part), image_url: { ...objectAt(part, 'image_url'), url: data } }
  }
  return messages.map((message) =>
    isObject(message) && Array.isArray(message.content)
      ? { ...message, content: message.content.map(inlined) }
      : message,
  )
}

/** Joins all content parts: Ollama rejects a list, and its own `/v1` turns every part into a message. */
function readContent(content: unknown, path: string, fetched: WireContext['images']): Content {
  if (!Array.isArray(content)) return { text: typeof content === 'string' ? content : '', images: [] }
  const texts: string[] = []
  const images: string[] = []
  content.forEach((part, at) => {
    const read = readPart(object(part), `${path}[${at}]`, fetched)
    if (read.text !== undefined) texts.push(read.text)
    else images.push(read.image)
  })
  return { text: texts.join('\n'), images }
}

type Part = { readonly text: string } | { readonly text?: undefined; readonly image: string }

function readPart(part: JsonObject, path: string, fetched: WireContext['images']): Part {
  switch (part.type) {
    case 'text':
      return { text: stringAt(part, 'text') ?? '' }
    case 'refusal':
      return { text: stringAt(part, 'refusal') ?? '' }
    case 'image_url': {
      const url = stringAt(part, 'image_url') ?? stringAt(objectAt(part, 'image_url'), 'url') ?? ''
      return { image: inlineImage(fetched?.get(url) ?? url, `${path}.image_url`) }
    }
    case 'input_audio':
      // Audio goes into the same field as images: Ollama distinguishes them by their bytes.
      return { image: stringAt(objectAt(part, 'input_audio'), 'data') ?? '' }
    default:
      throw incapable(path, `Ollama takes no content part of type '${String(part.type)}'.`)
  }
}

function inlineImage(url: string, path: string): string {
  const comma = url.indexOf(',')
  if (/^data:[^,]*;base64,/i.test(url.slice(0, comma + 1))) {
    if (imageTypeOfBase64(url.slice(comma + 1, comma + 25)) !== undefined) return url.slice(comma + 1)
    throw new GatewayError('incapable', unsupportedImage, { param: path, code: 'invalid_image_url' })
  }
  throw incapable(path, 'Ollama fetches no images: send it as a data: URL with base64.')
}

interface OllamaCall {
  readonly id?: string
  readonly function: { readonly index: number; readonly name: string; readonly arguments: JsonObject }
}

function readCalls(toolCalls: unknown, functionCall: unknown, path: string): OllamaCall[] {
  if (isObject(functionCall)) return [ollamaCall({ function: functionCall }, 0, `${path}.function_call`)]
  return list(toolCalls).map((call, at) => ollamaCall(object(call), at, `${path}.tool_calls[${at}]`))
}

function ollamaCall(call: JsonObject, index: number, path: string): OllamaCall {
  const called = objectAt(call, 'function')
  if (!called) throw incapable(path, 'Ollama takes calls of functions only.')
  const param = path.endsWith('function_call') ? `${path}.arguments` : `${path}.function.arguments`
  return {
    ...(typeof call.id === 'string' && { id: call.id }),
    function: {
      index,
      name: stringAt(called, 'name') ?? '',
      arguments: readArguments(called.arguments, param, 'Ollama'),
    },
  }
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function object(value: unknown): JsonObject {
  return isObject(value) ? value : {}
}
