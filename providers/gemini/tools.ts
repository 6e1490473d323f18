import { valueIn } from '../../src/core/synonyms.ts'
import { isObject, type JsonObject, objectAt, stringAt } from '../../src/wire/json.ts'
import { incapable } from '../incapable.ts'

/** Gemini's `tools` and `toolConfig`. https://ai.google.dev/api/caching#Tool */
export function toolFields(body: JsonObject): JsonObject {
  const { functions, own } = toolsIn(body)
  const { only, config } = choiceOf(valueIn(body, 'choice'))
  const offered = only ? functions.filter(({ name }) => only.includes(String(name))) : functions
  const tools = [...(offered.length > 0 ? [{ functionDeclarations: offered }] : []), ...own]
  const given = objectAt(body, 'toolConfig') ?? objectAt(body, 'tool_config')
  const toolConfig = {
    ...given,
    // Without functions there is nothing to choose.
    ...(config && functions.length > 0 && { functionCallingConfig: config }),
  }
  return {
    ...(tools.length > 0 && { tools }),
    ...(Object.keys(toolConfig).length > 0 && { toolConfig }),
  }
}

/** Whether the model may look things up, so that its answer has sources. */
export function isGrounded(body: JsonObject): boolean {
  return isObject(body.web_search_options) || (Array.isArray(body.tools) && body.tools.some(isOwn))
}

interface Tools {
  readonly functions: readonly JsonObject[]
  /** Those that Gemini has itself. */
  readonly own: readonly JsonObject[]
}

function toolsIn(body: JsonObject): Tools {
  const given = Array.isArray(body.tools) ? body.tools : []
  const functions = given.flatMap((tool: unknown, at) => (isOwn(tool) ? [] : [declarationOf(tool, `tools[${at}]`)]))
  const search = isObject(body.web_search_options) ? [{ googleSearch: {} }] : []
  return { functions, own: [...given.filter(isOwn), ...search] }
}

/** Gemini's tools have no type: `{ googleSearch: {} }`, `{ codeExecution: {} }`. */
function isOwn(tool: unknown): tool is JsonObject {
  return isObject(tool) && tool.type === undefined && tool.function === undefined && Object.keys(tool).length > 0
}

function declarationOf(tool: unknown, path: string): JsonObject {
  const described = objectAt(tool, 'function')
  if (!described) throw incapable(path, 'Gemini knows tools of type function, and its own without a type.')
  const { name, description, parameters } = described
  return {
    name,
    ...(typeof description === 'string' && { description }),
    ...(isObject(parameters) && { parametersJsonSchema: parameters }),
  }
}

interface Choice {
  /** The names of the functions that are offered; absent: all. */
  readonly only?: readonly string[]
  readonly config?: JsonObject
}

function choiceOf(choice: unknown): Choice {
  if (choice === 'none') return { config: { mode: 'NONE' } }
  if (choice === 'required' || choice === 'any') return { config: { mode: 'ANY' } }
  if (!isObject(choice)) return {}
  if (choice.type === 'allowed_tools') return allowed(objectAt(choice, 'allowed_tools') ?? choice)
  const name = nameIn(choice)
  if (name === undefined) throw incapable('tool_choice', 'Gemini can be made to call functions only.')
  return { config: { mode: 'ANY', allowedFunctionNames: [name] } }
}

function allowed({ mode, tools }: JsonObject): Choice {
  const names = (Array.isArray(tools) ? tools : []).flatMap((tool) => nameIn(tool) ?? [])
  return mode === 'required' ? { config: { mode: 'ANY', allowedFunctionNames: names } } : { only: names }
}

function nameIn(tool: unknown): string | undefined {
  return stringAt(objectAt(tool, 'function'), 'name') ?? stringAt(tool, 'name')
}
