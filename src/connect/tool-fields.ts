import { type Changes, put } from '../core/synonyms.ts'
import { isObject, type JsonObject, stringAt } from '../wire/json.ts'

const names = ['tools', 'functions', 'tool_choice', 'function_call'] as const

/**
 * Makes the fields for tools agree where a configuration has changed one of them: `tool_choice` belongs to `tools`, and
 * `function_call` to the deprecated `functions`. Servers refuse a choice without its list, or of a function that is not in
 * it, and so does OpenAI `parallel_tool_calls`. `settledAs`: the value that a field has after the changes.
 */
export function agreeOnTools(changes: Changes, settledAs: (name: string) => unknown): void {
  if (!names.some((name) => changes.set.has(name) || changes.drop.has(name))) return
  const leaveOut = (name: string) => {
    if (settledAs(name) === undefined) return
    changes.set.delete(name)
    changes.drop.add(name)
  }
  const isOld = !Array.isArray(settledAs('tools')) && Array.isArray(settledAs('functions'))
  const list = settledAs(isOld ? 'functions' : 'tools')
  const [right, wrong] = isOld ? ['function_call', 'tool_choice'] : ['tool_choice', 'function_call']
  const choice = settledAs(right) ?? (isOld ? asFunctionCall : asToolChoice)(settledAs(wrong))
  leaveOut(wrong)
  if (choice === undefined || choice === null || !isOffered(choice, list)) leaveOut(right)
  else if (choice !== settledAs(right)) put(changes, right, choice)
  if (isOld) leaveOut('parallel_tool_calls')
}

function asToolChoice(call: unknown): unknown {
  return isObject(call) ? { type: 'function', function: call } : call
}

/** The old field knows no `required`. */
function asFunctionCall(choice: unknown): unknown {
  const name = nameIn(choice)
  if (name !== undefined) return { name }
  return choice === 'auto' || choice === 'none' ? choice : undefined
}

/** Whether there is a list of tools, with the one that a choice names. */
function isOffered(choice: unknown, list: unknown): boolean {
  const name = nameIn(choice)
  return Array.isArray(list) && (name === undefined || list.some((tool) => nameIn(tool) === name))
}

/** The name of a tool, or of the one that a choice is for. */
function nameIn(given: unknown): string | undefined {
  if (!isObject(given)) return undefined
  const { function: called, custom }: JsonObject = given
  return stringAt(called, 'name') ?? stringAt(custom, 'name') ?? stringAt(given, 'name')
}
