import type { Readback } from '../../core/renewal.ts'
import { isObject, type JsonObject, objectAt, stringAt } from '../../wire/json.ts'
import { argumentsText, callsIn } from '../repair/calls.ts'
import { indexOf } from '../repair/head.ts'
import { CustomInput, inputIn } from './custom-input.ts'

/** Makes the calls of functions that stand for custom tools calls of those. */
export class CallsAsCustom implements Readback {
  readonly #names: ReadonlySet<string>
  /** The texts of the calls that have begun, by the index of their choice and their own. */
  readonly #inputs = new Map<unknown, Map<unknown, CustomInput>>()

  constructor(names: ReadonlySet<string>) {
    this.#names = names
  }

  answer(answer: JsonObject): JsonObject {
    const { choices } = answer
    if (!Array.isArray(choices)) return answer
    return {
      ...answer,
      choices: choices.map((choice: JsonObject) => {
        const message = objectAt(choice, 'message')
        return message ? { ...choice, message: withCustomCalls(message, this.#names) } : choice
      }),
    }
  }

  chunk(chunk: JsonObject): JsonObject | undefined {
    const { choices } = chunk
    if (!Array.isArray(choices) || choices.length === 0) return chunk
    const kept = choices.filter(isObject).map((choice, at) => this.#choice(choice, indexOf(choice.index) ?? at))
    if (kept.every((choice, at) => choice === choices[at])) return chunk
    const said = kept.filter((choice) => choice !== undefined)
    return said.length === 0 && !isObject(chunk.usage) ? undefined : { ...chunk, choices: said }
  }

  /** Undefined if it says nothing yet. */
  #choice(choice: JsonObject, key: number): JsonObject | undefined {
    const { tool_calls: given, ...rest } = objectAt(choice, 'delta') ?? {}
    const inputs = this.#inputs.get(key) ?? new Map<unknown, CustomInput>()
    this.#inputs.set(key, inputs)
    const calls = callsIn(given)
    const pieces = calls.map((call) => this.#piece(call, inputs))
    const last = choice.finish_reason ? restOf(inputs) : []
    if (last.length === 0 && pieces.every((piece, at) => piece === calls[at])) return choice
    const told = [...pieces.filter((piece) => piece !== undefined), ...last]
    const isNothing =
      told.length === 0 && Object.keys(rest).length === 0 && !choice.finish_reason && !isObject(choice.logprobs)
    return isNothing ? undefined : { ...choice, delta: { ...rest, ...(told.length > 0 && { tool_calls: told }) } }
  }

  /** The first piece of a call has its name, the others a part of its text. */
  #piece(call: JsonObject, inputs: Map<unknown, CustomInput>): JsonObject | undefined {
    const { function: called, ...rest } = call
    const name = stringAt(called, 'name')
    const isBegun = inputs.has(call.index)
    if (!isBegun && (name === undefined || !this.#names.has(name))) return call
    const input = inputs.get(call.index) ?? new CustomInput()
    inputs.set(call.index, input)
    const text = input.add(argumentsText(objectAt(call, 'function')?.arguments))
    if (!isBegun) return { ...rest, type: 'custom', custom: { name, input: text } }
    return text === '' ? undefined : { index: call.index, custom: { input: text } }
  }
}

/** What only the end of the calls tells. */
function restOf(inputs: Map<unknown, CustomInput>): JsonObject[] {
  return [...inputs].flatMap(([index, { rest }]) => (rest === '' ? [] : [{ index, custom: { input: rest } }]))
}

/** A message with the calls of these functions as calls of custom tools. */
export function withCustomCalls(message: JsonObject, names: ReadonlySet<string>): JsonObject {
  const calls = callsIn(message.tool_calls)
  if (calls.length === 0) return message
  return { ...message, tool_calls: calls.map((call) => customCall(call, names)) }
}

function customCall(call: JsonObject, names: ReadonlySet<string>): JsonObject {
  const { function: called, ...rest } = call
  const name = stringAt(called, 'name')
  if (name === undefined || !names.has(name)) return call
  return { ...rest, type: 'custom', custom: { name, input: inputIn(stringAt(called, 'arguments') ?? '') } }
}
