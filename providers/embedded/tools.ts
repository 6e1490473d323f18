import { invalidType, invalidValue, isObject, type JsonObject, tooManyItems, unsupported } from './contract.ts'
import { all, any, optional, type Rule, star, text } from './grammar.ts'
import { anyObject, schemaRule } from './json-grammar.ts'
import type { Tool } from './prompt.ts'

export interface ToolPlan {
  /** The tools listed in the prompt. */
  readonly tools: readonly Tool[]
  /** The grammar of calls; null if they are not allowed. Made only once the prompt is known to fit. */
  readonly grammar: (() => CallGrammar) | null
  /** Whether the answer must consist of calls. */
  readonly forced: boolean
}

/** As in OpenAI's API. */
const MOST_TOOLS = 128

export interface CallGrammar {
  /** The grammar from the first `<tool_call>` to the end of the answer. */
  readonly afterTag: Rule
  /** The grammar of an answer that consists of calls only. */
  readonly answer: Rule
}

const TAG = text('<tool_call>')

/**
 * Reads `tools`, `tool_choice` and `parallel_tool_calls`. The grammar of a call allows only the offered names, and
 * arguments that follow the function's schema where possible: a small model would invent both otherwise.
 */
export function readTools(body: JsonObject): ToolPlan {
  const tools = readDefinitions(body.tools)
  const choice = body.tool_choice ?? 'auto'
  const chosen = chosenName(choice)
  const offered = tools.filter((tool) => chosen === null || tool.function.name === chosen)
  if (choice !== 'auto' && choice !== 'none' && offered.length === 0) {
    throw invalidValue(
      'tool_choice',
      chosen === null ? "it needs 'tools'." : `there is no function '${chosen}' in 'tools'.`,
    )
  }
  if (choice === 'none' || offered.length === 0) return { tools: [], grammar: null, forced: false }
  const parallel = body.parallel_tool_calls !== false
  return { tools, grammar: () => callGrammar(offered, parallel), forced: choice !== 'auto' }
}

function callGrammar(offered: readonly Tool[], parallel: boolean): CallGrammar {
  const call = any(...offered.map((tool) => callRule(tool)))
  const afterTag = all(call, parallel ? star(all(text('\n'), TAG, call)) : all())
  return { afterTag, answer: all(optional(text('\n')), TAG, afterTag) }
}

function callRule({ function: { name, parameters } }: Tool): Rule {
  const open = Object.keys(parameters).length === 0
  const values = open ? anyObject : schemaRule(parameters, null)
  return all(text(`\n{"name": ${JSON.stringify(name)}, "arguments": `), values, text('}\n</tool_call>'))
}

/** The function that `tool_choice` names, or null. */
function chosenName(choice: unknown): string | null {
  if (choice === 'auto' || choice === 'none' || choice === 'required') return null
  if (typeof choice === 'string')
    throw invalidValue('tool_choice', `'${choice}' is none of 'none', 'auto' and 'required'.`)
  if (!isObject(choice)) throw invalidType('tool_choice', 'a string or an object', choice)
  if (choice.type !== 'function') {
    throw unsupported('tool_choice', `A tool_choice of type '${String(choice.type)}' is not supported.`)
  }
  const name = isObject(choice.function) ? choice.function.name : undefined
  if (typeof name !== 'string') throw invalidType('tool_choice.function.name', 'a string', name)
  return name
}

function readDefinitions(tools: unknown): Tool[] {
  if (tools === undefined || tools === null) return []
  if (!Array.isArray(tools)) throw invalidType('tools', 'an array', tools)
  if (tools.length > MOST_TOOLS) throw tooManyItems('tools', MOST_TOOLS, tools.length)
  return tools.map((tool, i) => {
    const at = `tools[${i}]`
    if (!isObject(tool)) throw invalidType(at, 'an object', tool)
    if (tool.type !== 'function')
      throw unsupported(`${at}.type`, `Tools of type '${String(tool.type)}' are not supported.`)
    return { type: 'function', function: readFunction(tool.function, `${at}.function`) }
  })
}

function readFunction(definition: unknown, at: string): Tool['function'] {
  if (!isObject(definition)) throw invalidType(at, 'an object', definition)
  const { name, description, parameters } = definition
  if (typeof name !== 'string') throw invalidType(`${at}.name`, 'a string', name)
  if (!/^[a-zA-Z0-9_-]{1,64}$/.test(name)) {
    throw invalidValue(`${at}.name`, 'expected up to 64 letters, digits, underscores and dashes.')
  }
  if (parameters !== undefined && parameters !== null && !isObject(parameters)) {
    throw invalidType(`${at}.parameters`, 'an object', parameters)
  }
  return { name, description: typeof description === 'string' ? description : '', parameters: parameters ?? {} }
}
