import type { Capability, Demand } from '../../core/operation.ts'
import { charactersPerToken } from '../../operations/choices/demand.ts'
import type { RequestBody } from '../../wire/body.ts'
import { isObject, type JsonObject, objectAt, stringAt } from '../../wire/json.ts'
import { textLength } from '../../wire/outline.ts'
import { isCustom } from './tools.ts'

/** What a request for a message requires of a model. */
export function messageDemand({ outline }: RequestBody): Demand {
  const { tools, messages, system, output_config: config, output_format: format } = outline
  const needs = new Set<Capability>()
  if (Array.isArray(tools) && tools.some(isCustom)) needs.add('tools')
  if (objectAt(config, 'format') ?? isObject(format)) needs.add('schema')
  let characters = lengthOf(system)
  for (const block of blocksIn(messages)) {
    characters += lengthOf(block.content) + lengthOf(block.text)
    if (block.type === 'image') needs.add('vision')
  }
  return {
    needs,
    tokens: Math.ceil(characters / charactersPerToken),
    user: stringAt(objectAt(outline, 'metadata'), 'user_id'),
  }
}

function lengthOf(value: unknown): number {
  if (typeof value === 'string') return textLength(value)
  return listOf(value).reduce((sum, { text }) => sum + (typeof text === 'string' ? textLength(text) : 0), 0)
}

/** The messages themselves, their blocks, and those in the results of tools. */
function blocksIn(messages: unknown): readonly JsonObject[] {
  return listOf(messages).flatMap((message) => {
    if (!Array.isArray(message.content)) return [message]
    return listOf(message.content).flatMap((block) =>
      block.type === 'tool_result' && Array.isArray(block.content) ? listOf(block.content) : [block],
    )
  })
}

function listOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}
