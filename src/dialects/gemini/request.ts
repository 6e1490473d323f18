import type { TranslationContext } from '../../core/translation.ts'
import { inJsonMode } from '../../operations/common/json-mode.ts'
import { withLegalNames } from '../../operations/common/legal-names.ts'
import { invalid } from '../../wire/body.ts'
import type { GatewayError } from '../../wire/errors.ts'
import { isObject, type JsonObject } from '../../wire/json.ts'
import { conversationOf } from './conversation.ts'
import { configOf, isGiven, numberFor, objectIn, stopsIn, unsupported } from './fields.ts'
import { jsonSchema } from './schema.ts'
import { offeredOf } from './tools.ts'

/** A request for content as a chat. */
export interface AsChat {
  readonly chat: JsonObject
  /** What was left out, for `x-samewire-dropped`. */
  readonly dropped: readonly string[]
  /** The client's name for a function that the chat calls otherwise. */
  given(name: string): string
}

/** Chat's names for fields of `generationConfig`. */
const names: Readonly<Record<string, string>> = {
  temperature: 'temperature',
  topP: 'top_p',
  topK: 'top_k',
  seed: 'seed',
  presencePenalty: 'presence_penalty',
  frequencyPenalty: 'frequency_penalty',
  candidateCount: 'n',
}

/** The fields that may be left out where an upstream refuses them: clients send them unasked. */
export const hints: readonly string[] = [...Object.values(names), 'reasoning_effort'].filter((name) => name !== 'n')

/** Fields with a place of their own. */
const placed: ReadonlySet<string> = new Set(
  ['maxOutputTokens', 'stopSequences', 'responseMimeType', 'responseSchema', 'responseJsonSchema'].concat([
    '_responseJsonSchema',
    'responseLogprobs',
    'logprobs',
    'thinkingConfig',
    'responseModalities',
  ]),
)

const known: ReadonlySet<string> = new Set(
  ['model', 'contents', 'systemInstruction', 'tools', 'toolConfig', 'generationConfig', 'labels'].concat([
    'cachedContent',
  ]),
)

/** Throws a `GatewayError` for what no chat can do. `asked`: its names in camel case. */
export function toChat(
  asked: JsonObject,
  context: Pick<TranslationContext, 'reads' | 'maxOutput'>,
  streams: boolean,
): AsChat {
  if (isGiven(asked.cachedContent)) throw unsupported('cachedContent')
  const config = configOf(asked)
  const { messages, dropped } = conversationOf(asked, context.reads)
  const tools = offeredOf(asked)
  const asChat = inJsonMode({
    model: asked.model,
    messages,
    ...settingsOf(config, context.maxOutput),
    ...tools.fields,
    ...(streams && { stream: true, stream_options: { include_usage: true } }),
  })
  return { ...withLegalNames(asChat), dropped: [...tools.dropped, ...dropped, ...unmet(asked, config)] }
}

function settingsOf(config: JsonObject, maxOutput: number | undefined): JsonObject {
  const { maxOutputTokens: limit, responseLogprobs, logprobs: top } = config
  const stops = stopsIn(config)
  refuseMedia(config)
  const same = Object.entries(names).filter(([name]) => isGiven(config[name]))
  const effort = effortOf(objectIn(config, 'thinkingConfig', 'generationConfig.thinkingConfig'))
  return {
    ...Object.fromEntries(same.map(([name, own]) => [own, config[name]])),
    ...(typeof limit === 'number' && limit > 0 && { max_completion_tokens: Math.min(limit, maxOutput ?? limit) }),
    ...(stops.length > 0 && { stop: stops }),
    ...(responseLogprobs === true && { logprobs: true, ...(typeof top === 'number' && { top_logprobs: top }) }),
    ...(effort !== undefined && { reasoning_effort: effort }),
    ...formatOf(config),
  }
}

function refuseMedia({ responseModalities: modalities, speechConfig }: JsonObject): void {
  if (isGiven(speechConfig)) throw unsupported('generationConfig.speechConfig')
  const others = Array.isArray(modalities) ? modalities.filter((one) => String(one).toUpperCase() !== 'TEXT') : []
  if (others.length > 0) throw unsupported(`generationConfig.responseModalities ${others.join(', ')}`)
}

function formatOf(config: JsonObject): JsonObject {
  const { responseMimeType: type, responseSchema: own } = config
  const schema = config.responseJsonSchema ?? config._responseJsonSchema
  if (!isGiven(type) || type === 'text/plain') {
    if (own === undefined && schema === undefined) return {}
    throw invalid('Response schema is only supported with response mime type: application/json', 'generationConfig')
  }
  if (type !== 'application/json') throw unsupported(`generationConfig.responseMimeType ${String(type)}`)
  const taken = isObject(schema) ? schema : isObject(own) ? jsonSchema(own) : undefined
  if (!taken) return { response_format: { type: 'json_object' } }
  return { response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: taken } } }
}

/** The most tokens to think with that an effort is for: https://ai.google.dev/gemini-api/docs/openai#thinking */
const budgets = [
  [0, 'none'],
  [1024, 'low'],
  [8192, 'medium'],
  [Number.POSITIVE_INFINITY, 'high'],
] as const

/** Nothing where the model may decide by itself. */
function effortOf({ thinkingBudget, thinkingLevel: level }: JsonObject): string | undefined {
  const budget = numberFor(thinkingBudget)
  if (typeof level === 'string' && level !== '' && level !== 'THINKING_LEVEL_UNSPECIFIED') return level.toLowerCase()
  if (typeof budget !== 'number' || budget < 0) return undefined
  return budgets.find(([most]) => budget <= most)?.[1]
}

/** The fields that ask for more than is done. */
function unmet(asked: JsonObject, config: JsonObject): readonly string[] {
  const missed = (fields: JsonObject, has: (name: string) => boolean) =>
    Object.entries(fields).flatMap(([name, value]) => (has(name) || isEmpty(value) ? [] : [name]))
  return [
    ...missed(asked, (name) => known.has(name)),
    ...missed(config, (name) => placed.has(name) || Object.hasOwn(names, name)).map(
      (name) => `generationConfig.${name}`,
    ),
  ]
}

function isEmpty(value: unknown): boolean {
  return !isGiven(value) || value === false || (Array.isArray(value) && value.length === 0)
}

/** Gemini's names for what a chat calls otherwise, where the words of a failure have them. */
const own: readonly (readonly [RegExp, string])[] = [
  [/\bmax_(completion_)?tokens\b/g, 'generationConfig.maxOutputTokens'],
  [/^stop$|(?<=')stop(?=')/g, 'generationConfig.stopSequences'],
  [/\breasoning_effort\b/g, 'generationConfig.thinkingConfig'],
  [/\bresponse_format\b/g, 'generationConfig.responseSchema'],
  [/\btool_choice\b/g, 'toolConfig'],
]

/** A chat's failure in the terms of a request for content. */
export function inOwnTerms(failure: GatewayError): GatewayError {
  const renamed = (text: string) => own.reduce((said, [pattern, name]) => said.replace(pattern, name), text)
  const { param, message } = failure
  return failure.inTermsOf(param === null ? null : renamed(param), renamed(message))
}
