import { legalName } from '../../operations/common/legal-names.ts'
import { invalid } from '../../wire/body.ts'
import { GatewayError } from '../../wire/errors.ts'
import { isObject, type JsonObject, stringAt } from '../../wire/json.ts'
import { requiredIn } from './blocks.ts'
import { wrong } from './check.ts'
import { isStrict } from './strict.ts'

/** What a chat can offer of the tools of a request. */
export interface Offered {
  /** Chat's `tools`, `tool_choice` and `parallel_tool_calls`; none if there is nothing to call. */
  readonly fields: JsonObject
  readonly dropped: readonly string[]
}

/**
 * Tools with a schema become functions. Those of Anthropic's server, and those whose schema only Claude knows (its shell,
 * its editor), are left out: agents offer them always.
 */
export function offeredOf({ tools, tool_choice: choice }: JsonObject, marks: boolean): Offered {
  const given = Array.isArray(tools) ? tools : []
  const functions: JsonObject[] = []
  const dropped: string[] = []
  for (const [at, tool] of given.entries()) {
    if (!isObject(tool)) throw wrong(`tools.${at}`, 'a valid dictionary')
    if (!isCustom(tool)) dropped.push(`tools.${String(tool.type)}`)
    else functions.push(functionFor(tool, `tools.${at}`, marks))
    if (isCustom(tool) && tool.strict === true && !isStrict(tool.input_schema)) dropped.push('tools.strict')
  }
  const chosen = isObject(choice) ? choiceFor(choice, functions, given) : {}
  return { fields: functions.length === 0 ? {} : { tools: functions, ...chosen }, dropped: [...new Set(dropped)] }
}

export function isCustom(tool: unknown): boolean {
  return isObject(tool) && (tool.type === undefined || tool.type === null || tool.type === 'custom')
}

function functionFor(tool: JsonObject, path: string, marks: boolean): JsonObject {
  const { description, input_schema: schema, strict, cache_control: mark } = tool
  const called = {
    name: legalName(requiredIn(tool, 'name', path)),
    ...(typeof description === 'string' && { description }),
    parameters: schema ?? { type: 'object', properties: {} },
    ...(typeof strict === 'boolean' && { strict: strict && isStrict(schema) }),
  }
  return { type: 'function', function: called, ...(marks && isObject(mark) && { cache_control: mark }) }
}

function choiceFor(choice: JsonObject, functions: readonly JsonObject[], tools: readonly unknown[]): JsonObject {
  const { type, disable_parallel_tool_use: single } = choice
  const parallel = single === true && { parallel_tool_calls: false }
  if (type === 'auto' || type === 'none') return { tool_choice: type, ...parallel }
  if (type === 'any') {
    if (tools.length === 0) throw invalid('tool_choice may only be specified while providing tools', 'tool_choice')
    if (functions.length === 0) throw unoffered(stringAt(tools[0], 'type') ?? 'any')
    return { tool_choice: 'required', ...parallel }
  }
  if (type !== 'tool') throw wrong('tool_choice.type', "'auto', 'any', 'tool' or 'none'")
  const name = requiredIn(choice, 'name', 'tool_choice')
  const chosen = legalName(name)
  if (functions.some((tool) => stringAt(tool.function, 'name') === chosen)) {
    return { tool_choice: { type: 'function', function: { name: chosen } }, ...parallel }
  }
  if (!tools.some((tool) => stringAt(tool, 'name') === name)) {
    throw invalid(`tool_choice.name: Tool '${name}' not found in provided tools`)
  }
  throw unoffered(name)
}

/** Nothing may be left out that the model must call. */
function unoffered(name: string): GatewayError {
  return new GatewayError('incapable', `tool_choice: the tool '${name}' is not supported with this model`, {
    param: 'tool_choice',
  })
}
