import type { WireContext } from '../../src/core/provider.ts'
import { synonyms, valueIn } from '../../src/core/synonyms.ts'
import { isObject, type JsonObject, objectAt, stringAt } from '../../src/wire/json.ts'
import { schemaIn } from '../../src/wire/response-format.ts'
import { incapable } from '../incapable.ts'
import { conversationOf } from './messages.ts'
import { thinkingConfigOf } from './thinking.ts'
import { toolFields } from './tools.ts'

/**
 * Fields that are not passed on: they are translated to others, or don't affect the answer. Gemini refuses all that it
 * doesn't know.
 */
const spent: ReadonlySet<string> = new Set([
  ...[
    'model',
    'messages',
    'stream',
    'stream_options',
    'n',
    'temperature',
    'top_p',
    'top_k',
    'logprobs',
    'top_logprobs',
  ],
  ...[
    'presence_penalty',
    'frequency_penalty',
    'response_format',
    'modalities',
    'audio',
    'reasoning',
    'include_reasoning',
  ],
  ...[
    ...synonyms.limit,
    ...synonyms.stop,
    ...synonyms.thinking,
    ...synonyms.tools,
    ...synonyms.choice,
    ...synonyms.seed,
  ],
  ...['parallel_tool_calls', 'web_search_options', 'service_tier', 'extra_body', 'chat_template_kwargs'],
  ...['generationConfig', 'generation_config', 'toolConfig', 'tool_config', 'thinking_config'],
  ...['user', 'metadata', 'store', 'safety_identifier', 'verbosity', 'logit_bias', 'prediction', 'moderation'],
  ...['prompt_cache_key', 'prompt_cache_options', 'prompt_cache_retention'],
])

/** The most stop sequences that Gemini takes. */
const mostStops = 5

/** The body for `generateContent`, from an OpenAI chat request. JSON leaves out what is undefined. */
export function generateRequest(context: Pick<WireContext, 'body' | 'model' | 'images' | 'leftOut'>): JsonObject {
  const { body, model, images } = context
  const { thinking_config: thinking = body.thinking_config, ...google } =
    objectAt(objectAt(body, 'extra_body'), 'google') ?? {}
  const generationConfig = configOf(context, thinking)
  return {
    ...passedOn(body),
    ...google,
    ...conversationOf(body.messages, { model, images }),
    ...toolFields(body),
    ...(Object.keys(generationConfig).length > 0 && { generationConfig }),
    serviceTier: tiers[String(body.service_tier)],
  }
}

/** Gemini's own fields, such as `safetySettings` and `cachedContent`, and what is newer than this. */
function passedOn(body: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(body).filter(([name, value]) => !spent.has(name) && value !== null))
}

/** `auto` is what Gemini does by itself. */
const tiers: Readonly<Record<string, string>> = { default: 'standard', flex: 'flex', priority: 'priority' }

/** https://ai.google.dev/api/generate-content#generationconfig. `thinking`: the client's own `thinkingConfig`, if any. */
function configOf(context: Pick<WireContext, 'body' | 'model' | 'leftOut'>, thinking: unknown): JsonObject {
  const { body } = context
  const own = objectAt(body, 'generationConfig') ?? objectAt(body, 'generation_config') ?? {}
  const fields = {
    temperature: body.temperature,
    topP: body.top_p,
    topK: body.top_k,
    seed: valueIn(body, 'seed'),
    maxOutputTokens: valueIn(body, 'limit'),
    stopSequences: stopsOf(valueIn(body, 'stop')),
    ...logprobsFields(body),
    ...formatFields(body.response_format),
    responseModalities: modalitiesOf(body),
    thinkingConfig: isObject(thinking) ? thinking : thinkingConfigOf(context),
  }
  const said = Object.entries(fields).filter(([, value]) => value !== undefined && value !== null)
  return { ...Object.fromEntries(said), ...own }
}

function stopsOf(stop: unknown): readonly unknown[] | undefined {
  const stops = (Array.isArray(stop) ? stop : [stop]).filter((one) => typeof one === 'string' && one !== '')
  if (stops.length > mostStops) throw incapable('stop', `Gemini takes at most ${mostStops} stop sequences.`)
  return stops.length > 0 ? stops : undefined
}

function logprobsFields({ logprobs, top_logprobs: top }: JsonObject): JsonObject {
  if (logprobs !== true) return {}
  return { responseLogprobs: true, ...(typeof top === 'number' && top > 0 && { logprobs: top }) }
}

function formatFields(format: unknown): JsonObject {
  const type = stringAt(format, 'type')
  if (type === undefined || type === 'text') return {}
  if (type !== 'json_object' && type !== 'json_schema') throw incapable('response_format', 'Gemini has no such format.')
  const schema = schemaIn(format)
  return { responseMimeType: 'application/json', ...(schema !== undefined && { responseJsonSchema: schema }) }
}

/** Pictures are asked for as with OpenRouter. The audio that some models make is in a format that a chat can't have. */
function modalitiesOf({ modalities, audio }: JsonObject): readonly string[] | undefined {
  const asked = Array.isArray(modalities) ? modalities.map(String) : []
  const other = asked.find((one) => one !== 'text' && one !== 'image')
  if (other !== undefined) throw incapable('modalities', `Gemini's chats have no ${other}.`)
  if (isObject(audio)) throw incapable('audio', "Gemini's chats have no audio.")
  return asked.includes('image') ? asked.map((one) => one.toUpperCase()) : undefined
}
