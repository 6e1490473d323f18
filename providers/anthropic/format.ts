import { valueIn } from '../../src/core/synonyms.ts'
import { isObject, type JsonObject, objectAt, stringAt } from '../../src/wire/json.ts'
import { schemaIn } from '../../src/wire/response-format.ts'
import { incapable } from '../incapable.ts'
import type { Traits } from './models.ts'
import { enforceable, isOfObjects, isOpen } from './schema.ts'

/**
 * How the JSON that a `response_format` asks for is had. `output`: Anthropic holds the answer to the schema; `tool`: the
 * model is made to call a tool whose input is the answer, which also does for schemas that can't be enforced; `words`: a
 * model that can't be made to call one is told.
 */
export interface Form {
  readonly output?: JsonObject
  readonly tool?: JsonObject
  readonly words?: string
}

/** The tool's name, by which its call is known in the answer. */
export const answerTool = 'answer_in_json'

/** Nothing if text is asked for, or a call, which has a schema of its own. */
export function formOf(body: JsonObject, { keepsSchemas, forcesCalls }: Traits): Form {
  const format = objectAt(body, 'response_format')
  const type = stringAt(format, 'type')
  if (!format || type === undefined || type === 'text') return {}
  if (type !== 'json_schema' && type !== 'json_object') {
    throw incapable('response_format', 'Anthropic has nothing that corresponds to it.')
  }
  const schema = schemaIn(format)
  const given = isObject(schema) && Object.keys(schema).length > 0 ? schema : { type: 'object' }
  if (keepsSchemas && !isOpen(given)) return { output: { type: 'json_schema', schema: enforceable(given) } }
  if (requiresCall(valueIn(body, 'choice'))) return {}
  if (!forcesCalls) return { words: wordsFor(given) }
  if (!isOfObjects(given)) throw incapable('response_format', 'This model writes JSON objects only.')
  const description = stringAt(objectAt(format, 'json_schema'), 'description')
  const words = description ? ` It is: ${description}` : ''
  return {
    tool: {
      name: answerTool,
      description: `Gives the final answer, which is the JSON object that this is called with.${words}`,
      input_schema: { ...given, type: 'object' },
    },
  }
}

function wordsFor(schema: JsonObject): string {
  const only = 'Answer with one JSON object and nothing else: no other text, no code fences.'
  return Object.keys(schema).join() === 'type'
    ? only
    : `${only} It must keep to this JSON schema:\n${JSON.stringify(schema)}`
}

/** Whether a `tool_choice` leaves the model no other answer than a call. */
export function requiresCall(choice: unknown): boolean {
  if (isObject(choice)) {
    const mode = stringAt(objectAt(choice, 'allowed_tools'), 'mode')
    return choice.type === 'allowed_tools' ? mode === 'required' : choice.type !== 'auto' && choice.type !== 'none'
  }
  return choice === 'required' || choice === 'any'
}
