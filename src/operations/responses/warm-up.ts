import { identifier, type Random } from '../../wire/ids.ts'
import type { JsonObject } from '../../wire/json.ts'
import { responseOf } from './response.ts'

/** A response that says nothing, so that the next request can go on from it, and the events that tell of it. */
export function warmedUp(
  asked: JsonObject,
  { random, seconds }: { readonly random: Random; readonly seconds: number },
) {
  const head = { id: identifier('resp_', random, 48), created: seconds, model: String(asked.model), tier: 'default' }
  const created = responseOf(asked, head, { status: 'in_progress', output: [] })
  const completed = responseOf(asked, head, { status: 'completed', output: [], completed: seconds, usage: {} })
  const events = [
    { type: 'response.created', sequence_number: 0, response: created },
    { type: 'response.completed', sequence_number: 1, response: completed },
  ]
  return { id: head.id, events }
}
