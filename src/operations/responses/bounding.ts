import type { Bounding } from '../../core/bounding.ts'
import { isObject, type JsonObject } from '../../wire/json.ts'
import { withField } from '../../wire/with-field.ts'
import { fieldOutside, frameFields, samplingFields, thinkingFields } from '../common/bounded-fields.ts'
import { countParts, dataIn, limitAmong, picturesIn, toolOutside } from '../common/bounding.ts'
import { kindsLacking } from '../common/kinds.ts'

const media: ReadonlySet<unknown> = new Set(['input_image', 'input_file', 'input_audio', 'computer_screenshot'])
/** Tools that the client runs. */
const own: ReadonlySet<string> = new Set(['function', 'custom', 'local_shell', 'apply_patch'])

function mediaIn({ input }: JsonObject): number {
  return countParts(input, (part) => media.has(part.type))
}

export const boundingResponse: Bounding = {
  output: ({ max_output_tokens }) => ({ tokens: limitAmong(max_output_tokens), answers: 1 }),
  limited: (body, tokens) => withField(body, 'max_output_tokens', tokens),
  media: mediaIn,
  pictures: ({ input }) =>
    picturesIn(input, ({ type, image_url: url }) => (type === 'input_image' ? dataIn(url) : undefined)),
  without: (asked) => kindsLacking(asked, mediaIn(asked)),
  unbounded(asked) {
    for (const param of ['previous_response_id', 'conversation'])
      if (isGiven(asked[param])) return { what: 'what was said before, which the provider keeps', param }
    return toolOutside(asked.tools, isOwn)
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
  if (type !== 'namespace') return own.has(type)
  return toolOutside(tool.tools, isOwn) === undefined
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null
}
