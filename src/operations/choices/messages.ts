import type { JsonObject } from '../../wire/json.ts'

export function messagesOf(json: JsonObject): readonly unknown[] {
  return Array.isArray(json.messages) ? json.messages : []
}
