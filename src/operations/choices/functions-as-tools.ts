import { fieldsRefused } from '../../core/refused-parts.ts'
import type { Renewing } from '../../core/renewal.ts'
import { edited, type RequestBody } from '../../wire/body.ts'
import type { FailureKind, GatewayError } from '../../wire/errors.ts'
import { isObject, type JsonObject, stringAt } from '../../wire/json.ts'
import { CallsAsFunctions } from './function-calls.ts'
import { isFilledList, isOfFunctions, usesFunctions } from './functions-in.ts'
import { messagesOf } from './messages.ts'

/** How a request with functions becomes one with tools, and its answer one with a function's call. */
export const asTools: Renewing = {
  isForced: ({ tools }) => isFilledList(tools),
  renew: (body) => {
    const set = toolFieldsOf(body)
    const old = usesFunctions(body.outline) ? ['functions', 'function_call', 'tool_choice'] : []
    return edited(body, { set, drop: new Set(old.filter((name) => !set.has(name))) })
  },
  tells(failure, { outline }) {
    if (!refusals.has(failure.kind)) return false
    if (fieldsRefused(failure).some((name) => name === 'functions' || name === 'function_call')) return true
    // However a server words it, the role is the only one that is not every server's.
    const hasRole = messagesOf(outline).some((message) => stringAt(message, 'role') === 'function')
    return hasRole && /\broles?\b/i.test(failure.message)
  },
  readback: ({ outline }) => (usesFunctions(outline) ? new CallsAsFunctions() : undefined),
  failure: inOldTerms,
}

const refusals: ReadonlySet<FailureKind> = new Set(['bad_request', 'incapable', 'upstream'] as const)

function toolFieldsOf({ outline, json }: RequestBody): Map<string, string> {
  const set = new Map<string, string>()
  const put = (name: string, value: unknown) => set.set(name, JSON.stringify(value))
  if (messagesOf(outline).some(isOfFunctions)) put('messages', renewedMessages(messagesOf(json)))
  if (!usesFunctions(outline)) return set
  const { functions, function_call: choice } = json
  put('tools', (functions as readonly unknown[]).map(asTool))
  if (choice !== undefined && choice !== null) put('tool_choice', isObject(choice) ? asTool(choice) : choice)
  // There is room for one call in the answer.
  put('parallel_tool_calls', false)
  return set
}

function asTool(described: unknown): JsonObject {
  return { type: 'function', function: described }
}

/** A result belongs to the last call of its function, by an id. */
function renewedMessages(messages: readonly unknown[]): unknown[] {
  const ids = new Map<unknown, string>()
  return messages.map((message, at) => {
    if (!isOfFunctions(message)) return message
    const { function_call: call, ...rest } = message
    if (message.role === 'function') {
      return { ...rest, role: 'tool', tool_call_id: ids.get(message.name) ?? idFor(at), content: rest.content ?? '' }
    }
    if (!isObject(call) || isFilledList(rest.tool_calls)) return rest
    const id = idFor(at)
    ids.set(call.name, id)
    return { ...rest, content: rest.content ?? null, tool_calls: [{ id, ...asTool(call) }] }
  })
}

/**
 * The same for the same place in the conversation, so that the upstream's prompt cache fits. Mistral's models take nine
 * letters and digits only (mistralai/mistral-common, protocol/instruct/validator.py).
 */
function idFor(place: number): string {
  return `call${String(place).padStart(5, '0')}`
}

/** New names at the start of a parameter's path, and the old ones. */
const oldNames: readonly (readonly [RegExp, string])[] = [
  [/^tool_choice(?:\.function)?(?=$|[.[])/, 'function_call'],
  [/^tools(\[\d+\])?(?:\.function)?(?=$|[.[])/, 'functions$1'],
  [/^(messages\[\d+\])\.tool_calls(?:\[\d+\])?(?:\.function)?(?=$|[.[])/, '$1.function_call'],
]

function inOldTerms(error: GatewayError): GatewayError {
  const { message, param } = error
  if (param === null) return error
  const [pattern, name] = oldNames.find(([found]) => found.test(param)) ?? []
  if (!pattern || name === undefined) return error
  const own = param.replace(pattern, name)
  return error.inTermsOf(own, message.replaceAll(`'${param}'`, `'${own}'`))
}
