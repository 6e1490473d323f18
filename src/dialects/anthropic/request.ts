import type { TranslationContext } from '../../core/translation.ts'
import { GatewayError } from '../../wire/errors.ts'
import { isObject, type JsonObject, objectAt, stringAt } from '../../wire/json.ts'
import { conversationOf } from './conversation.ts'
import { isStrict } from './strict.ts'
import { offeredOf } from './tools.ts'

/** A request for a message as a chat. */
export interface AsChat {
  readonly chat: JsonObject
  /** What was left out, for `x-samewire-dropped`. */
  readonly dropped: readonly string[]
}

/** Fields with the same name and meaning in a chat. */
const same = ['model', 'stream', 'temperature', 'top_p', 'top_k']

/** The fields of a chat that may be left out where an upstream refuses them: in Anthropic's API they are mere hints. */
export const hints: readonly string[] = ['temperature', 'top_p', 'top_k', 'reasoning_effort']

/** Fields that are no part of Anthropic's API, which clients add for chats, or for the gateway and for routers. */
const beside = ['seed', 'min_p', 'presence_penalty', 'frequency_penalty', 'repetition_penalty', 'logit_bias']
  .concat(['reasoning_effort', 'verbosity', 'chat_template_kwargs', 'prompt_cache_key', 'safety_identifier', 'user'])
  .concat(['models', 'provider', 'plugins', 'transforms', 'route', 'providerOptions'])

/** Fields that become others, or that say nothing without Anthropic's server: nobody need be told of them. */
const quiet: ReadonlySet<string> = new Set(
  ['messages', 'system', 'max_tokens', 'stop_sequences', 'tools', 'tool_choice', 'thinking', 'output_config'].concat([
    'output_format',
    'metadata',
    'service_tier',
    'cache_control',
    'inference_geo',
    'betas',
    'user_profile_id',
  ]),
)

type Context = Pick<TranslationContext, 'reads' | 'cacheControl' | 'contextWindow' | 'maxOutput'>

/**
 * Throws a `GatewayError` for what no chat can do. The same request always becomes the same chat, so that the prompt
 * caches of upstreams fit.
 */
export function toChat(asked: JsonObject, context: Context): AsChat {
  if (isGiven(asked.thread)) throw unthreaded()
  const { messages, dropped } = conversationOf(asked, { thoughts: context.reads, marks: context.cacheControl })
  const tools = offeredOf(asked, context.cacheControl)
  const chat = {
    ...Object.fromEntries([...same, ...beside].flatMap((name) => (isGiven(asked[name]) ? [[name, asked[name]]] : []))),
    messages,
    ...settingsOf(asked),
    ...tools.fields,
    ...(asked.stream === true && { stream_options: { include_usage: true } }),
  }
  const limit = limitFor(asked.max_tokens, chat, context)
  return {
    chat: limit === undefined ? chat : { ...chat, max_completion_tokens: limit },
    dropped: [...tools.dropped, ...dropped, ...unmet(asked)],
  }
}

/** What a thread goes on from is in no request: the model would see the result of a tool, and no question. */
function unthreaded(): GatewayError {
  const message = 'thread: Threads are not supported with this model. Send the whole conversation without `thread`.'
  return new GatewayError('incapable', message, { param: 'thread' })
}

function settingsOf(asked: JsonObject): JsonObject {
  const { stop_sequences: stops, metadata, service_tier: tier, output_config: config, output_format: old } = asked
  const user = stringAt(metadata, 'user_id')
  const effort = effortOf(asked)
  const format = objectAt(config, 'format') ?? old
  return {
    ...(Array.isArray(stops) && stops.length > 0 && { stop: stops }),
    ...(user !== undefined && { user: user.slice(0, longestUser) }),
    ...(typeof tier === 'string' && { service_tier: tier === 'standard_only' ? 'default' : tier }),
    ...(effort !== undefined && { reasoning_effort: effort }),
    ...(isObject(format) && format.type === 'json_schema' && { response_format: schemaFormat(format) }),
  }
}

/** OpenAI's limit. Claude Code sends JSON with the id of the device in front. */
const longestUser = 64

function schemaFormat({ schema, name }: JsonObject): JsonObject {
  const named = typeof name === 'string' ? name : 'output'
  return { type: 'json_schema', json_schema: { name: named, strict: isStrict(schema), schema } }
}

/** The tokens to think with from which on an effort is meant, most first. */
const budgets = [
  [10_000, 'high'],
  [4_000, 'medium'],
  [0, 'low'],
] as const

/** Nothing where the model may decide by itself. */
function effortOf({ thinking, output_config: config }: JsonObject): string | undefined {
  const { type, budget_tokens: budget } = isObject(thinking) ? thinking : {}
  if (type === 'disabled') return 'none'
  const effort = stringAt(config, 'effort')
  if (effort !== undefined || type !== 'enabled') return effort
  return budgets.find(([least]) => Number(budget ?? 0) >= least)?.[1]
}

/** Characters for a token at least, so that the length of a prompt is rather overestimated. */
const fewestCharacters = 3
/** An answer in less room than this would be cut at once: then the server finds out what room there is. */
const leastRoom = 1024

/** Agents ask for more than many models have, which most servers refuse. */
function limitFor(asked: unknown, chat: JsonObject, { maxOutput, contextWindow }: Context): number | undefined {
  if (typeof asked !== 'number') return undefined
  const most = Math.min(asked, maxOutput ?? asked)
  if (contextWindow === undefined) return most
  const room = contextWindow - Math.ceil(JSON.stringify(chat).length / fewestCharacters)
  if (most <= room) return most
  return room >= leastRoom ? room : most < leastRoom ? most : undefined
}

/** The fields that ask for more than is done. */
function unmet(asked: JsonObject): readonly string[] {
  return Object.entries(asked).flatMap(([name, value]) => {
    const isKnown = quiet.has(name) || same.includes(name) || beside.includes(name)
    const isEmpty = !isGiven(value) || (Array.isArray(value) && value.length === 0)
    return isKnown || isEmpty ? [] : [name]
  })
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null
}

/** Chat's names for what the client calls otherwise, where the words of a failure have them. */
const names: readonly (readonly [RegExp, string])[] = [
  [/\bmax_completion_tokens\b/g, 'max_tokens'],
  [/^stop$|(?<=')stop(?=')/g, 'stop_sequences'],
  [/\breasoning_effort\b/g, 'output_config.effort'],
  [/\bresponse_format\b/g, 'output_config.format'],
]

/** A chat's failure in the terms of a request for a message. */
export function inOwnTerms(failure: GatewayError): GatewayError {
  const renamed = (text: string) => names.reduce((said, [pattern, own]) => said.replace(pattern, own), text)
  const { param, message } = failure
  return failure.inTermsOf(param === null ? null : renamed(param), renamed(message))
}
