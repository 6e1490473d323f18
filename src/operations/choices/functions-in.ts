import { isObject, type JsonObject } from '../../wire/json.ts'

/** Whether the answer is to speak of functions. A request with both is one with tools. */
export function usesFunctions({ functions, tools }: JsonObject): boolean {
  return isFilledList(functions) && !isFilledList(tools)
}

export function isFilledList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.length > 0
}

export function isOfFunctions(message: unknown): message is JsonObject {
  return isObject(message) && (message.role === 'function' || isObject(message.function_call))
}
