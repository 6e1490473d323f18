import type { JsonObject } from '../../wire/json.ts'

/** How many choices a request asks for. */
export function wantedBy({ n }: JsonObject): number {
  return typeof n === 'number' ? n : 1
}
