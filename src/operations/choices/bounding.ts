import type { Bounding } from '../../core/bounding.ts'
import { synonyms } from '../../core/synonyms.ts'
import { isObject, type JsonObject, objectAt } from '../../wire/json.ts'
import { withField } from '../../wire/with-field.ts'
import { fieldOutside, frameFields, onlyClears, samplingFields, thinkingFields } from '../common/bounded-fields.ts'
import { countOf, countParts, dataIn, isDrawing, picturesIn, toolOutside } from '../common/bounding.ts'
import { kindsLacking } from '../common/kinds.ts'
import { lookAtPart, type PartTypes } from '../common/parts.ts'
import { each, kept, outOfSight, type Sight } from '../common/sight.ts'
import { HiddenUsage } from './hidden-usage.ts'

const pictures: ReadonlySet<unknown> = new Set(['image_url', 'input_image', 'image'])

const parts: PartTypes = {
  pictures,
  known: new Set([
    'text',
    'input_text',
    'output_text',
    'refusal',
    'thinking',
    'redacted_thinking',
    'reasoning',
    'reference',
  ]),
  files: new Map([
    ['file', 'a file'],
    ['document_url', 'a document'],
    ['input_audio', 'a recording'],
    ['audio_url', 'a recording'],
    ['video_url', 'a video'],
  ]),
}

/** Both names are known to most servers; one that refuses this one is asked again by the other. */
const limitName = 'max_tokens'
const newerName = 'max_completion_tokens'

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
  return countParts(messages, ({ type, images }) => {
    return pictures.has(type) || parts.files.has(type) || (Array.isArray(images) && images.length > 0)
  })
}

/** Fields of messages that are looked at, or hold nothing but words. */
const readHere: ReadonlySet<string> = new Set(['role', 'content', 'images', 'audio', 'tool_calls', 'function_call'])
/** Those that some servers read besides, and all of them in any case. */
const readFields: ReadonlySet<string> = new Set([
  ...readHere,
  ...['files', 'documents', 'attachments', 'videos', 'audios', 'media', 'video', 'file', 'file_ids', 'image'],
  ...['image_url', 'video_url', 'audio_url', 'file_url', 'document_url', 'input_audio', 'input_image', 'input_file'],
])

function look({ messages }: JsonObject, sight: Sight): void {
  each(messages, (message) => {
    const { audio, content, images } = message
    if (isObject(audio)) sight.lose(kept)
    each(content, (part) => lookAtPart(part, parts, sight))
    // Pictures of an earlier answer, or as Ollama has them.
    each(images, (part) => lookAtPart(part, parts, sight))
    for (const image of Array.isArray(images) ? images : [images])
      if (typeof image === 'string') sight.addPicture(image)
    for (const name in message)
      if (!readHere.has(name) && readFields.has(name.toLowerCase()) && !isEmpty(message[name]))
        sight.lose(`the field \`${name}\` of a message`)
  })
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)
}

export const boundingChat: Bounding = {
  ...common,
  output: (asked, body) => ({
    tokens: largestLimit(asked),
    answers: Math.max(countOf(asked.n), countOf(asked.best_of)),
    draws: isDrawing(asked.modalities),
    beside: isObject(asked.prediction) ? body.bytes.length : 0,
  }),
  media: mediaIn,
  pictures: ({ messages }) =>
    picturesIn(messages, ({ type, image_url: image }) => {
      return pictures.has(type) ? dataIn(isObject(image) ? image.url : image) : undefined
    }),
  without: (asked) => kindsLacking(asked, mediaIn(asked)),
  unbounded(asked, body) {
    if (isObject(asked.web_search_options)) return { what: 'a web search', param: 'web_search_options' }
    const endless = endlessLimit(asked)
    if (endless !== undefined) return { what: 'an answer without a limit', param: endless }
    return toolOutside(asked.tools, isOwn) ?? outOfSight('messages', asked, body, look)
  },
  outside: (asked) => fieldOutside(asked, chatFields, isHarmless),
}

const chatFields: ReadonlySet<string> = new Set([
  ...frameFields,
  ...samplingFields,
  ...thinkingFields,
  ...['messages', 'n', 'max_tokens', 'max_completion_tokens', 'response_format', 'modalities', 'audio', 'prediction'],
  ...['tools', 'tool_choice', 'functions', 'function_call', 'parallel_tool_calls'],
  ...['safety_settings', 'safetySettings', 'cache_control', 'output_config', 'tool_config', 'toolConfig'],
])

/** What a chat may say to Google's and Anthropic's servers alone. */
function isHarmless(name: string, value: unknown): boolean {
  if (name === 'context_management') return onlyClears(value)
  return (
    name === 'extra_body' && isObject(value) && Object.keys(value).every((key) => key === 'google') && isOfGoogle(value)
  )
}

function isOfGoogle(extra: JsonObject): boolean {
  return Object.keys(objectAt(extra, 'google') ?? {}).every((key) => /^(thinking_?config|safety_?settings)$/i.test(key))
}

/** To some servers a number below 0 is no limit, whatever is said beside it. An older one alone is replaced. */
function endlessLimit({ max_completion_tokens: limit, max_tokens: older }: JsonObject): string | undefined {
  if (Number(limit) < 0) return newerName
  return Number(limit) > 0 && Number(older) < 0 ? limitName : undefined
}

/** Servers differ in which they obey. */
function largestLimit(asked: JsonObject): number | undefined {
  let largest: number | undefined
  for (const name of synonyms.limit) {
    const given = asked[name]
    if (typeof given === 'number' && given > (largest ?? 0)) largest = given
  }
  return largest
}

/** Those that a provider runs by itself have a type of their own, or none: `{ googleSearch: {} }`. */
function isOwn({ type, function: described }: JsonObject): boolean {
  return type === 'function' || type === 'custom' || (type === undefined && isObject(described))
}

export const boundingCompletion: Bounding = {
  ...common,
  without: (asked) => kindsLacking(asked, 0),
  output: (asked) => ({
    tokens: largestLimit(asked),
    answers: Math.max(countOf(asked.n), countOf(asked.best_of)) * promptsIn(asked.prompt),
    exchanges: countOf(asked.n),
  }),
  // Some servers take a text for a number.
  unbounded({ best_of: best }) {
    const isNumber = best === undefined || best === null || typeof best === 'number'
    return isNumber ? undefined : { what: 'a number of answers that is no number', param: 'best_of' }
  },
  outside: (asked) => fieldOutside(asked, completionFields),
}

const completionFields: ReadonlySet<string> = new Set([
  ...frameFields,
  ...samplingFields,
  ...['prompt', 'suffix', 'echo', 'n', 'best_of', 'max_tokens', 'response_format'],
])

/** A list of texts, or of lists of tokens, is as many prompts; a list of tokens is one. */
function promptsIn(prompt: unknown): number {
  const isList = Array.isArray(prompt) && prompt.length > 0 && typeof prompt[0] !== 'number'
  return isList ? prompt.length : 1
}
