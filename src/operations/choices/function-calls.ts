import type { Readback } from '../../core/renewal.ts'
import { isObject, type JsonObject, objectAt, stringAt } from '../../wire/json.ts'
import { callsIn } from '../repair/calls.ts'
import { indexOf } from '../repair/head.ts'

/** Makes the first tool call of each choice its `function_call`, which has room for one. The others are left out. */
export class CallsAsFunctions implements Readback {
  /** The indexes of the calls that go on, by that of their choice. */
  readonly #called = new Map<unknown, unknown>()

  answer(answer: JsonObject): JsonObject {
    const { choices } = answer
    if (!Array.isArray(choices)) return answer
    return {
      ...answer,
      choices: choices.map((choice: JsonObject) =>
        isObject(choice.message) ? { ...withReason(choice), message: calledIn(choice.message) } : choice,
      ),
    }
  }

  chunk(chunk: JsonObject): JsonObject | undefined {
    const { choices } = chunk
    if (!Array.isArray(choices) || choices.length === 0) return chunk
    const kept = choices.filter(isObject).flatMap((choice, at) => this.#choice(choice, at) ?? [])
    return kept.length === 0 && !isObject(chunk.usage) ? undefined : { ...chunk, choices: kept }
  }

  #choice(choice: JsonObject, at: number): JsonObject | undefined {
    const { delta } = choice
    if (!isObject(delta) || !('tool_calls' in delta)) return withReason(choice)
    const { tool_calls: calls, ...rest } = delta
    const pieces = callsIn(calls)
    const key = indexOf(choice.index) ?? at
    if (!this.#called.has(key) && pieces.length > 0) this.#called.set(key, pieces[0]?.index)
    const own = pieces.filter(({ index }) => index === this.#called.get(key)).map(pieceOf)
    const isNothing = own.length === 0 && Object.keys(rest).length === 0 && !choice.finish_reason && !choice.logprobs
    if (isNothing) return undefined
    return { ...withReason(choice), delta: { ...rest, ...(own.length > 0 && { function_call: joined(own) }) } }
  }
}

function withReason(choice: JsonObject): JsonObject {
  return choice.finish_reason === 'tool_calls' ? { ...choice, finish_reason: 'function_call' } : choice
}

function calledIn({ tool_calls: calls, ...message }: JsonObject): JsonObject {
  const [call] = callsIn(calls)
  if (!call) return message
  return { ...message, content: message.content || null, function_call: pieceOf(call) }
}

/** The first piece of a call has its name, and each a part of its arguments. */
function pieceOf(call: JsonObject): JsonObject {
  const called = objectAt(call, 'function')
  const name = stringAt(called, 'name')
  return { ...(name !== undefined && { name }), arguments: stringAt(called, 'arguments') ?? '' }
}

/** Pieces of one call in one delta. */
function joined(pieces: readonly JsonObject[]): JsonObject {
  return { ...pieces[0], arguments: pieces.map((piece) => piece.arguments).join('') }
}
