import { type JsonObject, objectAt, stringAt } from '../../wire/json.ts'

/** The only argument of a function that stands for a custom tool. */
export const inputField = 'input'

const onlyInput = {
  type: 'object',
  properties: { [inputField]: { type: 'string', description: 'The whole input of the tool, as text.' } },
  required: [inputField],
  additionalProperties: false,
}

/** A custom tool, which takes text of any form, as a function. `format`: that of a chat or of a response. */
export function asFunction(called: string, { description, format }: JsonObject): JsonObject {
  return { name: called, description: described(description, format), parameters: onlyInput }
}

/** The text of a call of it as arguments. */
export function asArguments(input: unknown): string {
  return JSON.stringify({ [inputField]: input ?? '' })
}

/** Most models can't be held to a grammar of one tool, so they are told. */
function described(description: unknown, format: unknown): string {
  const text = typeof description === 'string' ? description : ''
  const grammar = objectAt(format, 'grammar') ?? format
  const definition = stringAt(grammar, 'definition')
  if (definition === undefined) return text
  return `${text}\n\nThe input must follow this ${stringAt(grammar, 'syntax') ?? ''} grammar:\n${definition}`.trim()
}
