import type { Bounding } from '../../core/bounding.ts'
import {
  fieldOutside,
  frameFields,
  onlyClears,
  samplingFields,
  thinkingFields,
} from '../../operations/common/bounded-fields.ts'
import { charactersIn, countParts, limitAmong, picturesIn, toolOutside } from '../../operations/common/bounding.ts'
import { firstIn, outOfSight, unknownPart } from '../../operations/common/elsewhere.ts'
import { kindsLacking } from '../../operations/common/kinds.ts'
import { isObject, type JsonObject } from '../../wire/json.ts'
import { withField } from '../../wire/with-field.ts'

const media: ReadonlySet<unknown> = new Set(['image', 'document'])

/** Blocks that have all that they show, pictures aside, which are counted. */
const known: ReadonlySet<unknown> = new Set(
  ['text', 'image', 'thinking', 'redacted_thinking', 'tool_use', 'tool_reference', 'compaction'].concat([
    ...['server_tool_use', 'mcp_tool_use', 'web_search_tool_result', 'tool_search_tool_result'],
    ...['code_execution_tool_result', 'bash_code_execution_tool_result', 'text_editor_code_execution_tool_result'],
  ]),
)
/** Blocks with others inside. */
const containers: ReadonlySet<unknown> = new Set(['tool_result', 'mcp_tool_result', 'search_result'])

function hiddenInMessage({ content }: JsonObject): string | undefined {
  return firstIn(content, hiddenInBlock)
}

function hiddenInBlock({ type, content, source }: JsonObject): string | undefined {
  if (known.has(type)) return undefined
  if (containers.has(type)) return firstIn(content, hiddenInBlock)
  if (type === 'document') return hiddenInSource(isObject(source) ? source : {})
  // What a page had that the provider has read for an earlier answer.
  if (type === 'web_fetch_tool_result') return isObject(content) ? firstIn(content.content, hiddenInBlock) : undefined
  return unknownPart(type)
}

function hiddenInSource({ type, content }: JsonObject): string | undefined {
  if (type === 'base64' || type === 'text') return undefined
  return type === 'content' ? firstIn(content, hiddenInBlock) : 'a document that is elsewhere'
}

function mediaIn({ messages }: JsonObject): number {
  return countParts(messages, (part) => media.has(part.type))
}

export const boundingMessage: Bounding = {
  output: ({ max_tokens }) => ({ tokens: limitAmong(max_tokens), answers: 1 }),
  limited: (body, tokens) => withField(body, 'max_tokens', tokens),
  media: mediaIn,
  pictures: ({ messages }) =>
    picturesIn(messages, ({ type, source }) => {
      return type === 'image' ? charactersIn(isObject(source) ? source.data : undefined) : undefined
    }),
  without: (asked) => kindsLacking(asked, mediaIn(asked)),
  unbounded(asked, body) {
    if (Array.isArray(asked.mcp_servers) && asked.mcp_servers.length > 0)
      return { what: 'tools of another server', param: 'mcp_servers' }
    return (
      toolOutside(asked.tools, isOwn) ??
      outOfSight('messages', asked, body, ({ messages, system }) => {
        return firstIn(messages, hiddenInMessage) ?? firstIn(system, hiddenInBlock)
      })
    )
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
