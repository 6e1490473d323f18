import { valueIn } from '../../src/core/synonyms.ts'
import { isObject, type JsonObject, objectAt, stringAt } from '../../src/wire/json.ts'
import { incapable } from '../incapable.ts'
import { cacheMark } from './content.ts'
import { enforceable, isOfObjects } from './schema.ts'

/** Tools whose calls Anthropic holds to their schema, in one request. */
const mostStrict = 20

export interface ToolOptions {
  /** A tool for the answer itself; undefined: it is a text. */
  readonly answer: JsonObject | undefined
  /** Whether calls can be held to the schema of their tool. */
  readonly keepsSchemas: boolean
  /** Takes note of what is left out. */
  leftOut(param: string): void
}

/** `tools` and `tool_choice` for OpenAI's. https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview */
export function toolFields(body: JsonObject, options: ToolOptions): JsonObject {
  const { answer } = options
  const choice = valueIn(body, 'choice')
  const offered = allowed(Array.isArray(body.tools) ? body.tools : [], choice)
  const strict = offered.filter(isStrict).length
  const holds = options.keepsSchemas && strict <= mostStrict
  if (strict > 0 && !holds) options.leftOut('tools[].function.strict')
  const tools = offered.map((tool, at) => toolOf(tool, `tools[${at}]`, holds))
  if (answer) return answeringFields(tools, answer, choice)
  if (tools.length === 0) return {}
  return { tools, ...choiceFields(choiceOf(choice), body.parallel_tool_calls === false) }
}

/** The model must call something then, and nothing beside the answer. */
function answeringFields(tools: readonly JsonObject[], answer: JsonObject, choice: unknown): JsonObject {
  const isAlone = tools.length === 0 || choice === 'none'
  return {
    tools: [...tools, answer],
    tool_choice: {
      ...(isAlone ? { type: 'tool', name: answer.name } : { type: 'any' }),
      disable_parallel_tool_use: true,
    },
  }
}

/** `none` has no place for more, and without a choice there is nothing to say of the usual one. */
function choiceFields(choice: JsonObject | undefined, single: boolean): JsonObject {
  const chosen = choice ?? (single ? { type: 'auto' } : undefined)
  if (!chosen) return {}
  const isSingle = single && chosen.type !== 'none'
  return { tool_choice: isSingle ? { ...chosen, disable_parallel_tool_use: true } : chosen }
}

function choiceOf(choice: unknown): JsonObject | undefined {
  switch (choice) {
    case undefined:
      return undefined
    case 'auto':
    case 'none':
      return { type: choice }
    case 'required':
    case 'any':
      return { type: 'any' }
    default: {
      const name = nameIn(choice)
      if (stringAt(choice, 'type') === 'allowed_tools')
        return choiceOf(stringAt(objectAt(choice, 'allowed_tools'), 'mode'))
      if (isObject(choice) && stringAt(choice, 'type') === 'function' && name !== undefined)
        return { type: 'tool', name }
      // Anthropic's own.
      if (isObject(choice) && ['auto', 'any', 'none', 'tool'].includes(String(choice.type))) return choice
      throw incapable('tool_choice', 'Anthropic has nothing that corresponds to it.')
    }
  }
}

/** A choice of some tools is one of these alone. */
function allowed(tools: readonly unknown[], choice: unknown): readonly unknown[] {
  const names = stringAt(choice, 'type') === 'allowed_tools' && objectAt(choice, 'allowed_tools')?.tools
  return Array.isArray(names) ? tools.filter((tool) => names.some((one) => nameIn(one) === nameIn(tool))) : tools
}

function nameIn(given: unknown): string | undefined {
  return stringAt(objectAt(given, 'function') ?? given, 'name')
}

function isStrict(tool: unknown): boolean {
  return objectAt(tool, 'function')?.strict === true
}

function toolOf(tool: unknown, path: string, holds: boolean): JsonObject {
  if (!isObject(tool)) throw incapable(path, 'A tool is an object.')
  const { type, function: described, ...rest } = tool
  if (!isObject(described)) {
    // Anthropic's own: its servers' tools have a type, and the others a schema.
    if (typeof tool.name === 'string' && type !== 'function') return tool
    throw incapable(path, `Anthropic knows no tools of type '${String(type)}'.`)
  }
  const { name, description, parameters, strict, ...more } = described
  return {
    name,
    ...(typeof description === 'string' && description !== '' && { description }),
    input_schema: inputSchema(strict === true && holds ? enforceable(parameters) : parameters),
    ...(strict === true && holds && { strict }),
    ...rest,
    ...cacheMark(more),
  }
}

/** It must say that it is of an object. */
function inputSchema(parameters: unknown): JsonObject {
  if (!isObject(parameters)) return { type: 'object', properties: {} }
  return parameters.type === 'object' || !isOfObjects(parameters)
    ? { type: 'object', ...parameters }
    : { ...parameters, type: 'object' }
}
