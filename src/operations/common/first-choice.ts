import { isObject, type JsonObject } from '../../wire/json.ts'

/** The choice with index 0 of a chat's answer or chunk. */
export function firstChoice({ choices }: JsonObject): JsonObject | undefined {
  return Array.isArray(choices) ? choices.find((choice) => isObject(choice) && !choice.index) : undefined
}
