import type { Capability, Demand } from '../../core/operation.ts'
import { charactersPerToken } from '../../operations/choices/demand.ts'
import { isObject, type JsonObject } from '../../wire/json.ts'
import { textLength } from '../../wire/outline.ts'

/** What a request requires of a model. `texts`: all that the model reads; `images`: lists of them. */
export function demandFor(asked: JsonObject, texts: readonly unknown[], images: readonly unknown[] = []): Demand {
  const needs = new Set<Capability>()
  if (isFilled(asked.tools)) needs.add('tools')
  if (isObject(asked.format)) needs.add('schema')
  if (asked.logprobs === true) needs.add('logprobs')
  if (images.some(isFilled)) needs.add('vision')
  const characters = texts.reduce<number>((sum, text) => sum + (typeof text === 'string' ? textLength(text) : 0), 0)
  return { needs, tokens: Math.ceil(characters / charactersPerToken) }
}

function isFilled(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0
}
