import type { Capability, Demand } from '../../core/operation.ts'
import { charactersPerToken } from '../../operations/choices/demand.ts'
import type { RequestBody } from '../../wire/body.ts'
import { isObject, type JsonObject, objectAt, stringAt } from '../../wire/json.ts'
import { textLength } from '../../wire/outline.ts'
import { camel, listOf, objectIn, partsIn } from './fields.ts'

/** What a request requires of a model. */
export function contentDemand({ outline }: RequestBody): Demand {
  const asked = camel(outline)
  const config = objectIn(asked, 'generationConfig')
  const needs = new Set<Capability>()
  if (listOf(asked.tools, 'tools').some(({ functionDeclarations: functions }) => functions)) needs.add('tools')
  if (isObject(config.responseSchema) || isObject(config.responseJsonSchema)) needs.add('schema')
  if (config.responseLogprobs === true) needs.add('logprobs')
  const parts = [asked.systemInstruction, asked.contents].flatMap((content) => partsIn(content, 'contents'))
  for (const part of parts) {
    const type = mediaType(part)
    if (type?.startsWith('image/')) needs.add('vision')
    if (type?.startsWith('audio/')) needs.add('audio')
  }
  return { needs, tokens: tokensOf(parts) }
}

/** A low estimate. */
export function tokensOf(parts: readonly JsonObject[]): number {
  const characters = parts.reduce((sum, { text }) => sum + (typeof text === 'string' ? textLength(text) : 0), 0)
  return Math.ceil(characters / charactersPerToken)
}

function mediaType(part: JsonObject): string | undefined {
  return stringAt(objectAt(part, 'inlineData') ?? objectAt(part, 'fileData'), 'mimeType')
}
