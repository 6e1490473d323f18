import { invalid } from '../../wire/body.ts'
import { isObject, type JsonObject, objectAt, stringAt } from '../../wire/json.ts'
import { listOf, objectIn, unsupported } from './fields.ts'
import { jsonSchema } from './schema.ts'

/** What a chat can offer of the tools of a request. */
export interface Offered {
  readonly fields: JsonObject
  readonly dropped: readonly string[]
}

/** Google's own tools are left out: clients offer them without being asked. */
export function offeredOf(asked: JsonObject): Offered {
  const tools = listOf(asked.tools, 'tools')
  const functions = tools.flatMap((tool, at) =>
    listOf(tool.functionDeclarations, `tools[${at}].functionDeclarations`).map((declared, of) =>
      functionFor(declared, `tools[${at}].functionDeclarations[${of}]`),
    ),
  )
  const others = tools.flatMap((tool) => Object.keys(tool).filter((name) => name !== 'functionDeclarations'))
  const chosen = choiceFor(objectIn(objectIn(asked, 'toolConfig'), 'functionCallingConfig'), functions)
  return { fields: chosen, dropped: [...new Set(others)].map((name) => `tools.${name}`) }
}

function functionFor(declared: JsonObject, path: string): JsonObject {
  const { name, description, parameters, parametersJsonSchema: schema } = declared
  if (typeof name !== 'string' || name === '') {
    throw invalid(`* GenerateContentRequest.${path}.name: Invalid function name.`, path)
  }
  const taken = isObject(schema) ? schema : isObject(parameters) ? jsonSchema(parameters) : undefined
  const called = {
    name,
    ...(typeof description === 'string' && { description }),
    parameters: taken ?? { type: 'object', properties: {} },
  }
  return { type: 'function', function: called }
}

function choiceFor({ mode, allowedFunctionNames: names }: JsonObject, all: readonly JsonObject[]): JsonObject {
  if (all.length === 0) {
    if (mode === 'ANY') throw unsupported('toolConfig.functionCallingConfig.mode ANY without functions')
    return {}
  }
  const allowed = Array.isArray(names) && names.length > 0 ? names : undefined
  const tools = allowed ? all.filter((tool) => allowed.includes(stringAt(objectAt(tool, 'function'), 'name'))) : all
  if (tools.length === 0) {
    throw invalid('allowed_function_names: no declared function has any of these names.', 'toolConfig')
  }
  switch (mode) {
    case undefined:
    case null:
    case 'MODE_UNSPECIFIED':
      return { tools: all }
    case 'AUTO':
    case 'VALIDATED':
      return { tools, tool_choice: 'auto' }
    case 'NONE':
      return { tools: all, tool_choice: 'none' }
    case 'ANY': {
      const [only, ...more] = tools
      const name = stringAt(objectAt(only ?? {}, 'function'), 'name')
      const named = allowed && more.length === 0 && { type: 'function', function: { name } }
      return { tools, tool_choice: named || 'required' }
    }
    default:
      throw invalid(
        `Invalid value at 'tool_config.function_calling_config.mode': ${JSON.stringify(mode)}`,
        'toolConfig',
      )
  }
}
