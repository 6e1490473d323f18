import { fieldsRefused } from '../../core/refused-parts.ts'
import type { Readback, Renewing } from '../../core/renewal.ts'
import { edited } from '../../wire/body.ts'
import type { FailureKind } from '../../wire/errors.ts'
import { isObject, type JsonObject, objectAt } from '../../wire/json.ts'
import { callsIn } from '../repair/calls.ts'
import { indexOf } from '../repair/head.ts'

const field = 'parallel_tool_calls'

/** How a request is made without the field, and its answer cut down to the first call. */
export const firstCall: Renewing = {
  isForced: () => false,
  renew: (body) => edited(body, { drop: new Set([field]) }),
  tells: (failure) => refusals.has(failure.kind) && fieldsRefused(failure).includes(field),
  readback: () => new FirstCalls(),
  failure: (error) => error,
}

const refusals: ReadonlySet<FailureKind> = new Set(['bad_request', 'incapable', 'upstream'] as const)

/** Leaves out all calls of each choice but the first. */
class FirstCalls implements Readback {
  /** The indexes of the calls that go on, by that of their choice. */
  readonly #kept = new Map<unknown, unknown>()

  answer(answer: JsonObject): JsonObject {
    const { choices } = answer
    return Array.isArray(choices) ? { ...answer, choices: choices.map(withFirstCall) } : answer
  }

  chunk(chunk: JsonObject): JsonObject | undefined {
    const { choices } = chunk
    if (
      !Array.isArray(choices) ||
      !choices.some((choice) => callsIn(objectAt(choice, 'delta')?.tool_calls).length > 0)
    ) {
      return chunk
    }
    const kept = choices.filter(isObject).flatMap((choice, at) => this.#choice(choice, at) ?? [])
    return kept.length === 0 && !isObject(chunk.usage) ? undefined : { ...chunk, choices: kept }
  }

  #choice(choice: JsonObject, at: number): JsonObject | undefined {
    const { tool_calls: calls, ...rest } = objectAt(choice, 'delta') ?? {}
    const pieces = callsIn(calls)
    if (pieces.length === 0) return choice
    const key = indexOf(choice.index) ?? at
    if (!this.#kept.has(key)) this.#kept.set(key, pieces[0]?.index)
    const own = pieces.filter(({ index }) => index === this.#kept.get(key))
    const isNothing = own.length === 0 && Object.keys(rest).length === 0 && !choice.finish_reason && !choice.logprobs
    return isNothing ? undefined : { ...choice, delta: { ...rest, ...(own.length > 0 && { tool_calls: own }) } }
  }
}

function withFirstCall(choice: unknown): unknown {
  const message = objectAt(choice, 'message')
  const calls = callsIn(message?.tool_calls)
  return isObject(choice) && calls.length > 1
    ? { ...choice, message: { ...message, tool_calls: calls.slice(0, 1) } }
    : choice
}
