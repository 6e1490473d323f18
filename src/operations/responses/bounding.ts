import type { Bounding } from '../../core/bounding.ts'
import { isObject, type JsonObject, stringAt } from '../../wire/json.ts'
import { withField } from '../../wire/with-field.ts'
import { fieldOutside, frameFields, samplingFields, thinkingFields } from '../common/bounded-fields.ts'
import { countParts, dataIn, limitAmong, picturesIn, toolOutside } from '../common/bounding.ts'
import { kindsLacking } from '../common/kinds.ts'
import { lookAtPart, type PartTypes } from '../common/parts.ts'
import { each, kept, outOfSight, type Sight, unknownPart } from '../common/sight.ts'

const pictures: ReadonlySet<unknown> = new Set(['input_image', 'computer_screenshot', 'image_generation_call'])

const parts: PartTypes = {
  pictures,
  known: new Set([
    'input_text',
    'output_text',
    'text',
    'summary_text',
    'reasoning_text',
    'refusal',
    'encrypted_content',
  ]),
  files: new Map([
    ['input_file', 'a file'],
    ['input_audio', 'a recording'],
  ]),
}
/** Items that have all that they say. */
const items: ReadonlySet<unknown> = new Set([
  ...['message', 'reasoning', 'compaction', 'compaction_summary', 'context_compaction', 'compaction_trigger'],
  ...['function_call', 'function_call_output', 'custom_tool_call', 'custom_tool_call_output'],
  ...['computer_call', 'computer_call_output', 'local_shell_call', 'local_shell_call_output'],
  ...['shell_call', 'shell_call_output', 'apply_patch_call', 'apply_patch_call_output'],
  ...['web_search_call', 'file_search_call', 'code_interpreter_call', 'image_generation_call'],
  ...['mcp_list_tools', 'mcp_approval_request', 'mcp_approval_response', 'mcp_call'],
  ...['tool_search_call', 'tool_search_output', 'additional_tools', 'configuration_update'],
])
/** Those of them with content in place of a text. */
const results: ReadonlySet<unknown> = new Set([
  ...['function_call_output', 'custom_tool_call_output', 'computer_call_output'],
])
/**
 * What these items say by themselves. By its id, a server that keeps one may know all of it: then it is part of an answer,
 * and no longer than one.
 */
const answered: ReadonlyMap<unknown, string> = new Map([
  ...([
    ['message', 'content'],
    ['reasoning', 'encrypted_content'],
    ['function_call', 'arguments'],
  ] as const),
  ...([
    ['custom_tool_call', 'input'],
    ['computer_call', 'action'],
    ['local_shell_call', 'action'],
  ] as const),
  ...([
    ['shell_call', 'action'],
    ['apply_patch_call', 'operation'],
    ['mcp_approval_request', 'arguments'],
  ] as const),
  ['tool_search_call', 'arguments'],
])
/** The same for those that may be longer: what was found, read or summed up. Without a field: none tells all of it. */
const found: ReadonlyMap<unknown, string | undefined> = new Map<unknown, string | undefined>([
  ...(['compaction', 'compaction_summary', 'context_compaction'] as const).map(
    (type) => [type, 'encrypted_content'] as const,
  ),
  ...(['web_search_call', 'file_search_call', 'code_interpreter_call'] as const).map(
    (type) => [type, undefined] as const,
  ),
  ...([
    ['mcp_call', 'output'],
    ['mcp_list_tools', 'tools'],
    ['tool_search_output', 'tools'],
    ['additional_tools', 'tools'],
  ] as const),
  ...(['function_call_output', 'custom_tool_call_output', 'computer_call_output'] as const).map(
    (type) => [type, 'output'] as const,
  ),
  ...(['local_shell_call_output', 'shell_call_output', 'apply_patch_call_output'] as const).map(
    (type) => [type, 'output'] as const,
  ),
])
/** Tools that the client runs. */
const own: ReadonlySet<string> = new Set([
  'function',
  'custom',
  'local_shell',
  'apply_patch',
  'computer',
  'computer_use_preview',
])

function mediaIn({ input, instructions }: JsonObject): number {
  return countParts([input, instructions], ({ type }) => pictures.has(type) || parts.files.has(type))
}

/** An item without anything but its id stands for one that was said before. */
function lookAtItem(item: JsonObject, sight: Sight, isNative: () => boolean): void {
  const { type: given, role, content, output, tools } = item
  const type = given ?? (isGiven(role) || isGiven(content) ? 'message' : 'item_reference')
  if (type === 'item_reference') sight.lose(kept)
  else if (!items.has(type)) sight.lose(unknownPart(type))
  else if (isGiven(item.id) && isNative()) lookAtKept(type, item, sight)
  if (type === 'image_generation_call') sight.addPicture(undefined)
  each(content, (part) => lookAtPart(part, parts, sight))
  if (results.has(type)) each(output, (part) => lookAtPart(part, parts, sight))
  const outside = toolOutside(tools, isOwn)
  if (outside) sight.lose(outside.what)
}

/** Whether all of an item may be only where it was made, and go into what is read there. */
function lookAtKept(type: unknown, item: JsonObject, sight: Sight): void {
  const field = answered.get(type) ?? found.get(type)
  if (field !== undefined && !isNothing(item[field])) return
  // What somebody else has said may be longer than an answer.
  if (answered.has(type) && (item.role ?? 'assistant') === 'assistant') sight.addAnswer()
  else if (field !== undefined || found.has(type)) sight.lose(kept)
}

export const boundingResponse: Bounding = {
  output: ({ max_output_tokens }) => ({ tokens: limitAmong(max_output_tokens), answers: 1 }),
  limited: (body, tokens) => withField(body, 'max_output_tokens', tokens),
  media: mediaIn,
  pictures: ({ input, instructions }) =>
    picturesIn([input, instructions], ({ type, image_url: url }) => (pictures.has(type) ? dataIn(url) : undefined)),
  without: (asked) => kindsLacking(asked, mediaIn(asked)),
  unbounded(asked, body, isNative) {
    for (const param of ['previous_response_id', 'conversation'])
      if (isGiven(asked[param])) return { what: kept, param }
    return (
      toolOutside(asked.tools, isOwn) ??
      outOfSight('input', asked, body, ({ input, instructions }, sight) => {
        each(input, (item) => lookAtItem(item, sight, isNative))
        each(instructions, (item) => lookAtItem(item, sight, isNative))
      })
    )
  },
  outside: (asked) => fieldOutside(asked, fields),
}

const fields: ReadonlySet<string> = new Set([
  ...frameFields,
  ...samplingFields,
  ...thinkingFields,
  ...['input', 'instructions', 'max_output_tokens', 'text', 'tools', 'tool_choice', 'parallel_tool_calls', 'include'],
  ...['truncation', 'background', 'max_tool_calls', 'client_metadata', 'previous_response_id', 'conversation'],
])

/** Of what would be asked for, only the length. */
export const boundingCount: Bounding = {
  output: () => ({ tokens: 0, answers: 1 }),
  outside: (asked) => fieldOutside(asked, countFields),
}

const countFields: ReadonlySet<string> = new Set([...fields, 'personality'])

/** A compaction has no limit that could be set. */
export const boundingCompaction: Bounding = {
  output: () => ({ tokens: undefined, answers: 1 }),
  media: mediaIn,
  unbounded: () => ({ what: 'a compaction, which has no limit of its own', param: 'input' }),
}

function isOwn(tool: JsonObject): boolean {
  const { type, name } = tool
  if (typeof type !== 'string') return type === undefined && (typeof name === 'string' || isObject(tool.function))
  if (type === 'shell') return stringAt(tool.environment, 'type') === 'local'
  if (type === 'tool_search') return tool.execution === 'client'
  if (type !== 'namespace') return own.has(type)
  return toolOutside(tool.tools, isOwn) === undefined
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null
}

/** Nor are parts without a word. */
function isNothing(value: unknown): boolean {
  if (Array.isArray(value)) return value.every((one) => isNothing(one))
  if (!isObject(value)) return !isGiven(value) || value === ''
  return Object.keys(value).every((name) => name === 'type' || isNothing(value[name]))
}
