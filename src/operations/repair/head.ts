import type { WireContext } from '../../core/wire-context.ts'
import type { JsonObject } from '../../wire/json.ts'

/** What is the same in an answer and in all chunks of a stream. */
export interface Head {
  readonly id: unknown
  readonly created: unknown
  readonly model: unknown
}

/** The head of an answer; what it lacks is taken from `before`, the head of an earlier chunk, or made up. */
export function headOf({ id, created, model }: JsonObject, context: WireContext, before?: Head): Head {
  return {
    id: isText(id) ? id : (before?.id ?? context.id),
    created: wholeSeconds(created) ?? before?.created ?? context.created,
    model: isText(model) ? model : (before?.model ?? context.model),
  }
}

/** The kind of an answer as it says itself, unless it says nothing, or that it is what it isn't: whole or a chunk. */
export function kindOf(given: unknown, right: string): unknown {
  if (!isText(given)) return right
  const isChunk = given.endsWith('.chunk')
  return given.startsWith('chat.completion') && isChunk !== right.endsWith('.chunk') ? right : given
}

function wholeSeconds(created: unknown): number | undefined {
  const seconds = typeof created === 'string' && created !== '' ? Number(created) : created
  return typeof seconds === 'number' && Number.isFinite(seconds) ? Math.floor(seconds) : undefined
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

/** An index, as a number or the text of one. */
export function indexOf(given: unknown): number | undefined {
  const index = typeof given === 'string' && given !== '' ? Number(given) : given
  return typeof index === 'number' && Number.isInteger(index) && index >= 0 ? index : undefined
}
