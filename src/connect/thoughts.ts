import type { Remedy } from '../core/provider.ts'
import type { GatewayError } from '../wire/errors.ts'
import { isObject, type JsonObject } from '../wire/json.ts'

/** The fields of a message in which clients send back what a model thought. */
const fields = ['reasoning_content', 'reasoning_details', 'reasoning', 'thinking']

const refusal = /\b(?:un|not )(?:supported|known|recogni[sz]ed|expected|permitted|allowed)|\bextra|\badditional/i

/**
 * Leaves out of the history the thoughts that an upstream refuses there, as Groq (janhq/jan#8136) and Cerebras
 * (Kilo-Org/kilocode#10375) do: others need them between their calls.
 */
export function thoughtsRemedy({ message, param }: GatewayError, sent: () => JsonObject): Remedy | undefined {
  const said = `${param} ${message}`
  if (!refusal.test(message) || !/messages|assistant/.test(said)) return undefined
  const refused = fields.filter((name) => new RegExp(`\\b${name}\\b`).test(said))
  if (refused.length === 0) return undefined
  const { messages } = sent()
  const thoughts = refused.filter((name) => listOf(messages).some((one) => isObject(one) && name in one))
  return thoughts.length > 0 ? { thoughts } : undefined
}

/** Messages without these fields. Undefined if none has any. */
export function withoutThoughts(messages: unknown, names: readonly string[]): readonly unknown[] | undefined {
  const has = (message: unknown) => isObject(message) && names.some((name) => name in message)
  if (!listOf(messages).some(has)) return undefined
  return listOf(messages).map((message) =>
    isObject(message) && has(message)
      ? Object.fromEntries(Object.entries(message).filter(([name]) => !names.includes(name)))
      : message,
  )
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
