import { isObject, type JsonObject, objectAt, stringAt } from '../../wire/json.ts'

/** The names of the custom tools that a request offers. */
export function customNames({ tools }: JsonObject): ReadonlySet<string> {
  const custom = Array.isArray(tools) ? tools.filter((tool) => stringAt(tool, 'type') === 'custom') : []
  return new Set(custom.map((tool) => stringAt(objectAt(tool, 'custom'), 'name') ?? ''))
}

export function hasCustomCalls(message: unknown): message is JsonObject {
  return isObject(message) && Array.isArray(message.tool_calls) && message.tool_calls.some(isCustom)
}

export function isCustom(value: unknown): value is JsonObject {
  return isObject(value) && isObject(value.custom)
}
