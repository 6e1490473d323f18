import type { Capability, Demand } from '../../core/operation.ts'
import type { RequestBody } from '../../wire/body.ts'
import { isObject, type JsonObject, stringAt } from '../../wire/json.ts'
import { textLength } from '../../wire/outline.ts'
import { schemaIn } from '../../wire/response-format.ts'
import { choicesFeatures } from './features.ts'
import { messagesOf } from './messages.ts'

const none: ReadonlySet<Capability> = new Set()

/** What a request with messages or a prompt requires of a model. */
export function demandOf({ outline }: RequestBody): Demand {
  return {
    needs: needsOf(outline),
    tokens: tokensOf(outline),
    session: stringAt(outline, 'prompt_cache_key'),
    user: stringAt(outline, 'user'),
  }
}

/** The capabilities that a model must have to serve this request. */
function needsOf(json: JsonObject): ReadonlySet<Capability> {
  const tools = isFilled(json.tools) || isFilled(json.functions)
  const schema = schemaIn(json.response_format) !== undefined
  const vision = anyPart(json, (part) => stringAt(part, 'type') === 'image_url')
  const audio = anyPart(json, (part) => stringAt(part, 'type') === 'input_audio')
  const logprobs = choicesFeatures.logprobs.find(json) !== undefined
  if (!tools && !schema && !vision && !audio && !logprobs) return none
  const needs = new Set<Capability>()
  if (tools) needs.add('tools')
  if (schema) needs.add('schema')
  if (vision) needs.add('vision')
  if (audio) needs.add('audio')
  if (logprobs) needs.add('logprobs')
  return needs
}

/** Upper estimate of characters per token; English has about four. So the token count is never estimated too high. */
export const charactersPerToken = 6

/**
 * A low estimate of the tokens in a request's texts. The requested length of the answer doesn't count: servers cut an
 * answer that gets too long, and clients request more than any model has.
 */
function tokensOf(json: JsonObject): number {
  let characters = typeof json.prompt === 'string' ? textLength(json.prompt) : 0
  for (const message of messagesOf(json)) characters += textLength(stringAt(message, 'content') ?? '')
  anyPart(json, (part) => {
    characters += textLength(stringAt(part, 'text') ?? '')
    return false
  })
  return Math.ceil(characters / charactersPerToken)
}

function anyPart(json: JsonObject, test: (part: unknown) => boolean): boolean {
  for (const message of messagesOf(json)) {
    if (isObject(message) && Array.isArray(message.content) && message.content.some(test)) return true
  }
  return false
}

function isFilled(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0
}
