import { wrongType } from '../operations/common/fields.ts'
import { requiredIn } from '../operations/responses/content.ts'
import { invalid } from '../wire/body.ts'
import { type GatewayError, shorten } from '../wire/errors.ts'
import { isObject, type JsonObject } from '../wire/json.ts'

/** The items that OpenAI takes into a conversation. */
const items: readonly string[] = [
  ...['message', 'reasoning', 'compaction', 'function_call', 'function_call_output'],
  ...['custom_tool_call', 'custom_tool_call_output', 'file_search_call', 'web_search_call', 'image_generation_call'],
  ...['code_interpreter_call', 'computer_call', 'computer_call_output', 'local_shell_call', 'local_shell_call_output'],
  ...['shell_call', 'shell_call_output', 'apply_patch_call', 'apply_patch_call_output', 'tool_search_call'],
  ...['tool_search_output', 'additional_tools', 'mcp_list_tools', 'mcp_approval_request', 'mcp_approval_response'],
  ...['mcp_call', 'program', 'program_output'],
]

const roles: readonly string[] = ['user', 'assistant', 'system', 'developer']

/** The parts of a content, each with the text that it must have. */
const parts: Readonly<Record<string, string | undefined>> = {
  input_text: 'text',
  output_text: 'text',
  text: 'text',
  summary_text: 'text',
  reasoning_text: 'text',
  refusal: 'refusal',
  input_image: undefined,
  input_file: undefined,
  input_audio: undefined,
  computer_screenshot: undefined,
  encrypted_content: undefined,
}

/** The texts that calls and their results must have. */
const required: Readonly<Record<string, readonly string[]>> = {
  function_call: ['call_id', 'name', 'arguments'],
  custom_tool_call: ['call_id', 'name', 'input'],
  function_call_output: ['call_id'],
  custom_tool_call_output: ['call_id'],
}

/** Throws the 400 for what is no item: once in a conversation, it would fail every response there. */
export function checkItem(item: unknown, path: string): void {
  if (!isObject(item)) throw wrongType(path, 'an object', item)
  const { type = 'message' } = item
  if (!oneOf(items, type)) throw unknownValue(type, `${path}.type`, items)
  for (const name of required[type] ?? []) requiredIn(item, name, path)
  if (type === 'message') checkMessage(item, path)
  else if (required[type] && type.endsWith('_output')) checkContent(item.output, `${path}.output`)
}

function checkMessage(item: JsonObject, path: string): void {
  const role = requiredIn(item, 'role', path)
  if (!oneOf(roles, role)) throw unknownValue(role, `${path}.role`, roles)
  checkContent(item.content, `${path}.content`)
}

function checkContent(content: unknown, path: string): void {
  if (typeof content === 'string') return
  if (content === undefined) throw invalid(`Missing required parameter: '${path}'.`, path, 'missing_required_parameter')
  if (!Array.isArray(content)) throw wrongType(path, 'a string or an array of objects', content)
  for (const [at, part] of content.entries()) checkPart(part, `${path}[${at}]`)
}

function checkPart(part: unknown, path: string): void {
  if (!isObject(part)) throw wrongType(path, 'an object', part)
  const known = Object.keys(parts)
  if (!oneOf(known, part.type)) throw unknownValue(part.type, `${path}.type`, known)
  const text = parts[part.type]
  if (text !== undefined) requiredIn(part, text, path)
}

function oneOf(all: readonly string[], value: unknown): value is string {
  return typeof value === 'string' && all.includes(value)
}

function unknownValue(value: unknown, path: string, all: readonly string[]): GatewayError {
  if (value === undefined) return invalid(`Missing required parameter: '${path}'.`, path, 'missing_required_parameter')
  if (typeof value !== 'string') return wrongType(path, 'a string', value)
  const listed = all.map((one) => `'${one}'`).join(', ')
  return invalid(`Invalid value: '${shorten(value)}'. Supported values are: ${listed}.`, path, 'invalid_value')
}
