import type { Bounding } from '../../core/bounding.ts'
import {
  fieldOutside,
  frameFields,
  onlyClears,
  samplingFields,
  thinkingFields,
} from '../../operations/common/bounded-fields.ts'
import { charactersIn, countParts, limitAmong, picturesIn, toolOutside } from '../../operations/common/bounding.ts'
import { kindsLacking } from '../../operations/common/kinds.ts'
import { each, outOfSight, type Sight, unknownPart } from '../../operations/common/sight.ts'
import { isObject, type JsonObject } from '../../wire/json.ts'
import { withField } from '../../wire/with-field.ts'

const media: ReadonlySet<unknown> = new Set(['image', 'document'])

/** Blocks that have all that they show. */
const known: ReadonlySet<unknown> = new Set(
  ['text', 'thinking', 'redacted_thinking', 'tool_use', 'tool_reference', 'compaction'].concat([
    ...['server_tool_use', 'mcp_tool_use', 'web_search_tool_result', 'tool_search_tool_result'],
    ...['code_execution_tool_result', 'bash_code_execution_tool_result', 'text_editor_code_execution_tool_result'],
  ]),
)
/** Blocks with others inside. */
const containers: ReadonlySet<unknown> = new Set(['tool_result', 'mcp_tool_result', 'search_result'])

function look({ messages, system }: JsonObject, sight: Sight): void {
  each(messages, ({ content }) => lookAtBlocks(content, sight))
  lookAtBlocks(system, sight)
}

function lookAtBlocks(blocks: unknown, sight: Sight): void {
  each(blocks, ({ type, content, source }) => {
    if (known.has(type)) return
    if (containers.has(type)) lookAtBlocks(content, sight)
    else if (type === 'image') lookAtPicture(isObject(source) ? source : {}, sight)
    else if (type === 'document') lookAtDocument(isObject(source) ? source : {}, sight)
    // What a page had that the provider has read for an earlier answer.
    else if (type === 'web_fetch_tool_result') lookAtBlocks(isObject(content) ? content.content : [], sight)
    else sight.lose(unknownPart(type))
  })
}

function lookAtPicture({ type, media_type: media, data, url }: JsonObject, sight: Sight): void {
  if (type === 'base64') sight.addPictureOf(media, data)
  else sight.addPicture(type === 'file' ? undefined : (url ?? ''))
}

function lookAtDocument({ type, content, data }: JsonObject, sight: Sight): void {
  if (type === 'content') lookAtBlocks(content, sight)
  else if (type !== 'text') sight.addFile('a document', data)
}

function mediaIn({ messages, system }: JsonObject): number {
  return countParts([messages, system], (part) => media.has(part.type))
}

export const boundingMessage: Bounding = {
  output: ({ max_tokens }) => ({ tokens: limitAmong(max_tokens), answers: 1 }),
  limited: (body, tokens) => withField(body, 'max_tokens', tokens),
  media: mediaIn,
  pictures: ({ messages, system }) =>
    picturesIn([messages, system], ({ type, source }) => {
      return type === 'image' ? charactersIn(isObject(source) ? source.data : undefined) : undefined
    }),
  without: (asked) => kindsLacking(asked, mediaIn(asked)),
  unbounded(asked, body) {
    if (Array.isArray(asked.mcp_servers) && asked.mcp_servers.length > 0)
      return { what: 'tools of another server', param: 'mcp_servers' }
    return toolOutside(asked.tools, isOwn) ?? outOfSight('messages', asked, body, look)
  },
  outside: (asked) => fieldOutside(asked, fields, isHarmless),
}

/** Those that the client runs have a schema of its own, or are run on its computer. */
function isOwn({ type, name }: JsonObject): boolean {
  if (typeof type !== 'string') return type === undefined && typeof name === 'string'
  return type === 'custom' || /^(bash|text_editor|computer|memory)_\d+$/.test(type)
}

/** Of what would be asked for, only the length. */
export const boundingCount: Bounding = {
  output: () => ({ tokens: 0, answers: 1 }),
  outside: (asked) => fieldOutside(asked, fields, isHarmless),
}

const fields: ReadonlySet<string> = new Set([
  ...frameFields,
  ...samplingFields,
  ...thinkingFields,
  ...['messages', 'max_tokens', 'system', 'tools', 'tool_choice', 'output_config', 'output_format', 'cache_control'],
  ...['betas', 'user_profile_id'],
])

/** A model may be served faster, or in one region alone, at more than its list price. */
function isHarmless(name: string, value: unknown): boolean {
  if (name === 'context_management') return onlyClears(value)
  return (name === 'speed' && value === 'standard') || (name === 'inference_geo' && value === 'global')
}
