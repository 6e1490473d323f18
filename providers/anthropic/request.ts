import type { WireContext } from '../../src/core/provider.ts'
import { synonyms, valueIn } from '../../src/core/synonyms.ts'
import { isObject, type JsonObject, objectAt, stringAt } from '../../src/wire/json.ts'
import { incapable } from '../incapable.ts'
import { formOf, requiresCall } from './format.ts'
import { conversationOf } from './messages.ts'
import { type Traits, traitsOf } from './models.ts'
import { thinkingFields } from './thinking.ts'
import { toolFields } from './tools.ts'

/** The body for `/v1/messages`, from an OpenAI chat request. https://platform.claude.com/docs/en/api/messages */
export function messagesRequest(context: WireContext): JsonObject {
  const { body, model } = context
  const traits = traitsOf(model)
  const leftOut = (param: string) => context.leftOut?.(param)
  const form = formOf(body, traits)
  const { system, messages } = conversationOf(body.messages, { late: traits.takesLateInstructions, leftOut })
  const instructions = form.words === undefined ? system : [...system, { type: 'text', text: form.words }]
  const tools = toolFields(body, { answer: form.tool, keepsSchemas: traits.keepsSchemas, leftOut })
  const limit = limitOf(context, traits)
  const forced = form.tool !== undefined || ('tools' in tools && requiresCall(valueIn(body, 'choice')))
  const { output_config: effort, ...thinking } = thinkingFields(body, { traits, limit, forced, messages, leftOut })
  const format = form.output && { format: form.output }
  const output = { ...objectOf(effort), ...format, ...objectAt(body, 'output_config') }
  return {
    ...passedOn(body, leftOut, context.optional),
    model,
    max_tokens: limit,
    ...(instructions.length > 0 && { system: instructions }),
    messages,
    ...tools,
    ...thinking,
    ...(Object.keys(output).length > 0 && { output_config: output }),
    ...samplingFields(body, traits, thinks(thinking.thinking), leftOut),
    ...stopFields(body),
    ...userFields(body, leftOut),
    ...tierFields(body, leftOut),
    ...(body.stream === true && { stream: true }),
  }
}

/** Fields that are said in other words, or that say nothing to Anthropic. */
const spent: ReadonlySet<string> = new Set([
  ...[...synonyms.limit, ...synonyms.stop, ...synonyms.thinking, ...synonyms.choice, ...synonyms.seed],
  ...['model', 'messages', 'tools', 'functions', 'stream', 'stream_options', 'response_format', 'output_config'],
  ...['n', 'best_of', 'echo', 'logprobs', 'top_logprobs', 'logit_bias', 'presence_penalty', 'frequency_penalty'],
  ...['temperature', 'top_p', 'top_k', 'user', 'safety_identifier', 'metadata', 'service_tier', 'parallel_tool_calls'],
  ...['modalities', 'audio', 'prediction', 'web_search_options', 'moderation', 'store'],
  ...['reasoning', 'include_reasoning', 'chat_template_kwargs'],
])

/** What only OpenAI's servers heed, and what makes no other answer. */
const hints = ['verbosity', 'prompt_cache_key', 'prompt_cache_retention', 'prompt_cache_options'] as const

/**
 * Unknown fields go on, such as `context_management`, and Anthropic refuses those that it doesn't know, one at a time. None
 * of them is a hint: `optional`, the client's own, such as Ollama's `min_p`.
 */
function passedOn(body: JsonObject, leftOut: (param: string) => void, optional: readonly string[] = []): JsonObject {
  const others = Object.entries(body).filter(([name, value]) => !spent.has(name) && (value ?? undefined) !== undefined)
  const left = new Set<string>([...hints, ...optional])
  for (const [name] of others) if (left.has(name)) leftOut(name)
  if (body.store === true) leftOut('store')
  return Object.fromEntries(others.filter(([name]) => !left.has(name)))
}

/** It must be there, and may not be more than the model can write: asking for more gets no more elsewhere either. */
function limitOf({ body, model, maxOutput }: WireContext, traits: Traits): number {
  const asked = valueIn(body, 'limit')
  const most = maxOutput ?? traits.maxOutput
  if (typeof asked !== 'number' || asked <= 0) return most
  return maxOutput !== undefined || /claude/i.test(model) ? Math.min(asked, most) : asked
}

function thinks(thinking: unknown): boolean {
  return isObject(thinking) && thinking.type !== 'disabled'
}

/**
 * What can't be had is left out: new models take none of it, a model that thinks takes its own, and above its highest
 * temperature, 1, there is only that, its usual one.
 */
function samplingFields(
  body: JsonObject,
  { samples, samplesOneWay }: Traits,
  thinking: boolean,
  leftOut: (param: string) => void,
): JsonObject {
  const fields = Object.fromEntries(
    ['temperature', 'top_p', 'top_k'].flatMap((name) => (typeof body[name] === 'number' ? [[name, body[name]]] : [])),
  )
  const { temperature, top_p: share } = fields
  const isUsual = (name: string) => (name === 'temperature' || name === 'top_p') && fields[name] === 1
  const left = new Set(Object.keys(fields).filter((name) => !samples || thinking || (samplesOneWay && isUsual(name))))
  if (Number(temperature) > 1) left.add('temperature')
  if (samplesOneWay && temperature !== undefined && share !== undefined && !left.has('temperature')) left.add('top_p')
  for (const name of left) if (!isUsual(name)) leftOut(name)
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !left.has(name)))
}

/** "stop_sequences: each stop sequence must contain non-whitespace" */
function stopFields(body: JsonObject): JsonObject {
  const stops = [valueIn(body, 'stop') ?? []].flat().filter((stop) => stop !== '')
  if (stops.some((stop) => typeof stop === 'string' && stop.trim() === '')) {
    throw incapable('stop', 'Anthropic takes no white space alone as a stop sequence.')
  }
  return stops.length > 0 ? { stop_sequences: stops } : {}
}

/** What identifies a person is refused: "user_id appears to contain an email address", or a phone number. */
const personal = /@|^\+?[\d\s().-]{7,}$/

function userFields(body: JsonObject, leftOut: (param: string) => void): JsonObject {
  const { user_id: own, ...others } = objectAt(body, 'metadata') ?? {}
  if (Object.keys(others).length > 0) leftOut('metadata')
  if (own !== undefined) return { metadata: { user_id: own } }
  const name = ['safety_identifier', 'user'].find((one) => stringAt(body, one))
  const id = name && stringAt(body, name)
  if (!id) return {}
  if (id.length <= 256 && !personal.test(id)) return { metadata: { user_id: id } }
  leftOut(name)
  return {}
}

/** OpenAI's tiers in Anthropic's words; `auto` is the priority that an organization has, if any. */
const tiers: Readonly<Record<string, string>> = {
  auto: 'auto',
  default: 'standard_only',
  priority: 'auto',
  standard_only: 'standard_only',
}

function tierFields({ service_tier: asked }: JsonObject, leftOut: (param: string) => void): JsonObject {
  if (typeof asked !== 'string') return {}
  if (Object.hasOwn(tiers, asked)) return { service_tier: tiers[asked] }
  leftOut('service_tier')
  return {}
}

function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {}
}
