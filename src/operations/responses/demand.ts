import type { Capability, Demand } from '../../core/operation.ts'
import type { RequestBody } from '../../wire/body.ts'
import { isObject, type JsonObject, objectAt, stringAt } from '../../wire/json.ts'
import { textLength } from '../../wire/outline.ts'
import { charactersPerToken } from '../choices/demand.ts'
import { bringingTools } from './tools.ts'

/** Whether the model itself must be able to call it. */
function isCallable(tool: unknown): boolean {
  if (!isObject(tool)) return false
  const { type, tools } = tool
  return (
    type === 'function' || type === 'custom' || (type === 'namespace' && Array.isArray(tools) && tools.some(isCallable))
  )
}

/** What a request for a response requires of a model. */
export function responsesDemand({ outline }: RequestBody): Demand {
  const { instructions, input, tools, text } = outline
  const needs = new Set<Capability>()
  if (Array.isArray(tools) && tools.some(isCallable)) needs.add('tools')
  if (stringAt(objectAt(text, 'format'), 'type') === 'json_schema') needs.add('schema')
  let characters = lengthOf(instructions) + lengthOf(input)
  for (const item of Array.isArray(input) ? input.filter(isObject) : []) {
    if (bringingTools.has(item.type) && Array.isArray(item.tools) && item.tools.some(isCallable)) needs.add('tools')
    characters += lengthOf(item.content) + lengthOf(item.output)
    for (const part of [...partsOf(item.content), ...partsOf(item.output)]) {
      characters += lengthOf(part.text)
      if (part.type === 'input_image') needs.add('vision')
    }
  }
  return {
    needs,
    tokens: Math.ceil(characters / charactersPerToken),
    session: stringAt(outline, 'prompt_cache_key'),
    user: stringAt(outline, 'safety_identifier') ?? stringAt(outline, 'user'),
  }
}

function lengthOf(value: unknown): number {
  return typeof value === 'string' ? textLength(value) : 0
}

function partsOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}
