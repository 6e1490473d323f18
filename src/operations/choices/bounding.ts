import type { Bounding } from '../../core/bounding.ts'
import { isObject, type JsonObject, objectAt, stringAt } from '../../wire/json.ts'
import { countOf, countParts, dataIn, limitAmong, picturesIn, toolOutside, withField } from '../common/bounding.ts'
import { kindsLacking } from '../common/kinds.ts'
import { HiddenUsage } from './hidden-usage.ts'

const media: ReadonlySet<unknown> = new Set(['image_url', 'input_audio', 'file', 'video_url', 'image', 'audio_url'])

/** Both names are known to most servers; one that refuses this one is asked again by the other. */
const limitName = 'max_tokens'

const common = {
  limited: (body, tokens) => withField(body, limitName, tokens),
  askingUsage(body) {
    if (!body.stream) return undefined
    const options = objectAt(body.outline, 'stream_options')
    if (options?.include_usage === true) return undefined
    return withField(body, 'stream_options', { ...options, include_usage: true })
  },
  withoutUsage: () => new HiddenUsage(),
} satisfies Partial<Bounding>

function mediaIn({ messages }: JsonObject): number {
  return countParts(messages, (part) => media.has(part.type))
}

export const boundingChat: Bounding = {
  ...common,
  output: (asked) => ({
    tokens: limitAmong(asked.max_completion_tokens, asked.max_tokens),
    answers: countOf(asked.n),
  }),
  media: mediaIn,
  pictures: ({ messages }) =>
    picturesIn(messages, ({ type, image_url: image }) => {
      return type === 'image_url' ? dataIn(isObject(image) ? image.url : image) : undefined
    }),
  without: (asked) => kindsLacking(asked, mediaIn(asked)),
  unbounded(asked) {
    if (isObject(asked.web_search_options)) return { what: 'a web search', param: 'web_search_options' }
    return toolOutside(asked.tools, (tool) => isOwn(tool))
  },
}

function isOwn(tool: JsonObject): boolean {
  const type = stringAt(tool, 'type') ?? 'function'
  return type === 'function' || type === 'custom'
}

export const boundingCompletion: Bounding = {
  ...common,
  without: (asked) => kindsLacking(asked, 0),
  output: ({ max_tokens, best_of, n, prompt }) => ({
    tokens: limitAmong(max_tokens),
    answers: Math.max(countOf(n), countOf(best_of)) * promptsIn(prompt),
  }),
}

/** A list of texts, or of lists of tokens, is as many prompts; a list of tokens is one. */
function promptsIn(prompt: unknown): number {
  const isList = Array.isArray(prompt) && prompt.length > 0 && typeof prompt[0] !== 'number'
  return isList ? prompt.length : 1
}
