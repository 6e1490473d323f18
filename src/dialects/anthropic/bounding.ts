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
import { isObject, type JsonObject } from '../../wire/json.ts'
import { withField } from '../../wire/with-field.ts'

const media: ReadonlySet<unknown> = new Set(['image', 'document'])

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
  unbounded(asked) {
    if (Array.isArray(asked.mcp_servers) && asked.mcp_servers.length > 0)
      return { what: 'tools of another server', param: 'mcp_servers' }
    // Those that the client runs have a schema of its own, or are run on its computer.
    return toolOutside(asked.tools, (tool) => {
      const { type, name } = tool
      if (typeof type !== 'string') return type === undefined && typeof name === 'string'
      return type === 'custom' || /^(bash|text_editor|computer|memory)_\d+$/.test(type)
    })
  },
  outside: (asked) => fieldOutside(asked, fields, isHarmless),
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
