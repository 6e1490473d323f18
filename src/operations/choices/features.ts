import type { Feature, FeatureUse } from '../../core/features.ts'
import type { ImageAddress } from '../../core/operation.ts'
import { isObject, type JsonObject, stringAt } from '../../wire/json.ts'
import { schemaIn } from '../../wire/response-format.ts'
import { messagesOf } from './messages.ts'

/** How chats and legacy completions use each feature. An outline is enough to tell. */
export const choicesFeatures: Readonly<Record<Feature, FeatureUse>> = {
  n: field('n', isSeveral),
  // As many as are wanted anyway ask for no choice among them.
  best_of: {
    find: ({ best_of: best, n }) => (isSeveral(best) && best > Number(n ?? 1) ? 'best_of' : undefined),
    fields: ['best_of'],
  },
  echo: field('echo', (value) => value === true),
  suffix: field('suffix', Boolean),
  // The prompt of most completions is for the model, however that comes to see it.
  raw: { find: () => undefined },
  logprobs: {
    // The legacy route takes a number, and 0 asks for those of the chosen tokens.
    find: ({ logprobs, top_logprobs: top }) =>
      logprobs === true || typeof logprobs === 'number' ? 'logprobs' : Number(top) > 0 ? 'top_logprobs' : undefined,
    fields: ['logprobs', 'top_logprobs'],
  },
  logit_bias: field('logit_bias', isFilled),
  stop: anyField(['stop', 'stop_sequences'], isFilled),
  seed: field('seed', (value) => typeof value === 'number'),
  presence_penalty: field('presence_penalty', Boolean),
  frequency_penalty: field('frequency_penalty', Boolean),
  json_object: field(
    'response_format',
    (value) => !['text', 'json_schema', undefined].includes(stringAt(value, 'type')),
  ),
  json_schema: field('response_format', (value) => schemaIn(value) !== undefined),
  functions: anyField(['functions', 'function_call'], isFilled),
  tool_required: anyField(
    ['tool_choice', 'function_call'],
    (value) => typeof value === 'string' && !['auto', 'none', ''].includes(value),
  ),
  tool_named: anyField(['tool_choice', 'function_call'], (value) => isObject(value) && value.type !== 'allowed_tools'),
  tools_allowed: field('tool_choice', (value) => stringAt(value, 'type') === 'allowed_tools'),
  custom_tools: {
    find: ({ tools, tool_choice: choice }) =>
      pathIn(tools, 'tools', (tool) => stringAt(tool, 'type') === 'custom') ??
      (stringAt(choice, 'type') === 'custom' ? 'tool_choice' : undefined),
  },
  single_call: {
    find: ({ parallel_tool_calls: parallel, tools }) =>
      parallel === false && isFilled(tools) ? 'parallel_tool_calls' : undefined,
    fields: ['parallel_tool_calls'],
  },
  audio_output: {
    find: ({ modalities, audio }) =>
      Array.isArray(modalities) && modalities.some((one) => one !== 'text')
        ? 'modalities'
        : isObject(audio)
          ? 'audio'
          : undefined,
    fields: ['modalities', 'audio'],
  },
  input_audio: { find: (body) => partIn(body, (part) => part.type === 'input_audio') },
  files: { find: (body) => partIn(body, (part) => part.type === 'file') },
  prediction: field('prediction', isObject),
  web_search: field('web_search_options', isObject),
  moderation: field('moderation', isObject),
}

function field(name: string, asks: (value: unknown) => boolean): FeatureUse {
  return { find: (body) => (asks(body[name]) ? name : undefined), fields: [name] }
}

function anyField(names: readonly string[], asks: (value: unknown) => boolean): FeatureUse {
  return { find: (body) => names.find((name) => asks(body[name])), fields: names }
}

function isSeveral(value: unknown): value is number {
  return typeof value === 'number' && value > 1
}

/** Whether it says anything: an empty list, object or text does not. */
function isFilled(value: unknown): boolean {
  return isObject(value) || Array.isArray(value) ? Object.keys(value).length > 0 : Boolean(value)
}

function pathIn(list: unknown, name: string, test: (value: unknown) => boolean): string | undefined {
  const at = Array.isArray(list) ? list.findIndex(test) : -1
  return at < 0 ? undefined : `${name}[${at}]`
}

/** The path of the first part of a message that passes the test. */
function partIn(body: JsonObject, test: (part: JsonObject) => boolean): string | undefined {
  for (const [at, message] of messagesOf(body).entries()) {
    const found = isObject(message)
      ? pathIn(message.content, `messages[${at}].content`, (part) => isObject(part) && test(part))
      : undefined
    if (found !== undefined) return found
  }
  return undefined
}

/** The images that a request gives by address. */
export function imageAddresses(body: JsonObject): ImageAddress[] {
  return messagesOf(body).flatMap((message, at) => {
    const parts = isObject(message) && Array.isArray(message.content) ? message.content : []
    return parts.flatMap((part: unknown, position) => {
      const url = isObject(part) ? imageUrlOf(part) : undefined
      const path = `messages[${at}].content[${position}].image_url`
      return url !== undefined && isAddress(url) ? [{ url, path }] : []
    })
  })
}

/** The address in a part with an image, as text or in an object. */
function imageUrlOf(part: JsonObject): string | undefined {
  if (part.type !== 'image_url') return undefined
  return stringAt(part, 'image_url') ?? stringAt(part.image_url, 'url')
}

/** Whether it must be fetched; anything but a `data:` URL has to be. */
function isAddress(url: string): boolean {
  return !/^\s*data:/i.test(url)
}
