import { synonyms, valueAs } from '../../core/synonyms.ts'
import { isObject, type JsonObject, objectAt } from '../../wire/json.ts'

/** The names of a chat's limit. */
const limits: ReadonlySet<string> = new Set(synonyms.limit)

/** What a response says inside a field with others. */
const nested: Readonly<Record<string, (value: unknown) => JsonObject>> = {
  reasoning_effort: (effort) => ({ reasoning: { effort } }),
  think: (value) => ({ reasoning: { effort: valueAs('reasoning_effort', value) } }),
  verbosity: (verbosity) => ({ text: { verbosity } }),
  response_format: (format) => ({ text: { format: flatFormat(format) } }),
}

/** A chat's fields as those of a response. What a response has no other name for stays as it is. */
export function inOwnNames(fields: JsonObject): JsonObject {
  const own: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) {
    const inner = value === null || !Object.hasOwn(nested, name) ? undefined : nested[name]?.(value)
    if (limits.has(name)) own.max_output_tokens ??= value
    else if (inner)
      for (const [group, added] of Object.entries(inner))
        own[group] = { ...objectAt(own, group), ...(added as JsonObject) }
    else if (name === 'tools' && Array.isArray(value)) own.tools = value.map(flatTool)
    else if (name === 'tool_choice') own.tool_choice = flatChoice(value)
    else own[name] = isObject(value) ? { ...objectAt(own, name), ...value } : value
  }
  return own
}

/** What to call, as a response has it. */
export function flatChoice(choice: unknown): unknown {
  const allowed = objectAt(choice, 'allowed_tools')
  if (!allowed) return flatTool(choice)
  return {
    type: 'allowed_tools',
    ...allowed,
    ...(Array.isArray(allowed.tools) && { tools: allowed.tools.map(flatTool) }),
  }
}

/** A tool, or the choice of one, as a response has it. */
export function flatTool(tool: unknown): unknown {
  if (!isObject(tool)) return tool
  const { type } = tool
  const called = objectAt(tool, type === 'custom' ? type : 'function')
  if (!called) return tool
  const grammar = objectAt(called.format, 'grammar')
  return { type, ...called, ...(grammar && { format: { type: 'grammar', ...grammar } }) }
}

function flatFormat(format: unknown): unknown {
  const schema = objectAt(format, 'json_schema')
  return schema ? { type: 'json_schema', ...schema } : format
}
