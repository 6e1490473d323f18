import type { Bounding } from '../../core/bounding.ts'
import {
  charactersIn,
  countParts,
  limitAmong,
  picturesIn,
  toolOutside,
  withField,
} from '../../operations/common/bounding.ts'
import { kindsLacking } from '../../operations/common/kinds.ts'
import { isObject, type JsonObject, stringAt } from '../../wire/json.ts'

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
      const type = stringAt(tool, 'type') ?? 'custom'
      return type === 'custom' || /^(bash|text_editor|computer|memory)_\d+$/.test(type)
    })
  },
}
