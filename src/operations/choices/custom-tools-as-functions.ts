import type { Readback, Renewing } from '../../core/renewal.ts'
import { edited, type RequestBody } from '../../wire/body.ts'
import type { FailureKind } from '../../wire/errors.ts'
import { isObject, type JsonObject, objectAt } from '../../wire/json.ts'
import { callsIn } from '../repair/calls.ts'
import { CallsAsCustom } from './custom-calls.ts'
import { asArguments, asFunction } from './custom-function.ts'
import { customNames, hasCustomCalls, isCustom } from './custom-tools-in.ts'
import { messagesOf } from './messages.ts'

/** How a request with custom tools becomes one with functions, and their calls in its answer such of custom tools. */
export const asFunctions: Renewing = {
  isForced: () => false,
  renew: (body) => edited(body, { set: fieldsOf(body) }),
  tells: ({ kind, param, message }) =>
    refusals.has(kind) && ofTools.test(`${param} ${message}`) && !ofGrammar.test(`${param} ${message}`),
  readback({ outline }): Readback | undefined {
    const names = customNames(outline)
    return names.size > 0 ? new CallsAsCustom(names) : undefined
  },
  failure: (error) => error,
}

const refusals: ReadonlySet<FailureKind> = new Set(['bad_request', 'incapable', 'upstream'] as const)

/** However a server words it: that a tool isn't of the type that it knows, or lacks what that has. */
const ofTools = /\btool(?:s|_calls|_choice)?\b.*\b(?:type|custom|function)\b|\bcustom\b.*\btools?\b/is
/** What only a server says that knows such tools. */
const ofGrammar = /\bgrammar|\bsyntax\b|\bformat\b/i

function fieldsOf({ outline, json }: RequestBody): Map<string, string> {
  const set = new Map<string, string>()
  const put = (name: string, value: unknown) => set.set(name, JSON.stringify(value))
  if (messagesOf(outline).some(hasCustomCalls)) put('messages', messagesOf(json).map(withFunctionCalls))
  const { tools, tool_choice: choice } = json
  if (Array.isArray(tools) && tools.some(isCustom)) put('tools', tools.map(functionFor))
  if (isObject(choice)) put('tool_choice', chosen(choice))
  return set
}

function functionFor(tool: unknown): unknown {
  if (!isCustom(tool)) return tool
  const custom = objectAt(tool, 'custom') ?? {}
  return { type: 'function', function: asFunction(String(custom.name), custom) }
}

function chosen(choice: JsonObject): JsonObject {
  if (isObject(choice.custom)) return { type: 'function', function: choice.custom }
  const allowed = objectAt(choice, 'allowed_tools')
  if (!allowed || !Array.isArray(allowed.tools)) return choice
  return { ...choice, allowed_tools: { ...allowed, tools: allowed.tools.filter(isObject).map(chosen) } }
}

function withFunctionCalls(message: unknown): unknown {
  if (!hasCustomCalls(message)) return message
  return { ...message, tool_calls: callsIn(message.tool_calls).map(functionCall) }
}

function functionCall(call: JsonObject): JsonObject {
  const { custom, ...rest } = call
  if (!isObject(custom)) return call
  return { ...rest, type: 'function', function: { name: custom.name, arguments: asArguments(custom.input) } }
}
