import { objectAt, stringAt } from './json.ts'

/**
 * The schema that a `response_format` wants kept: OpenAI's `json_schema`, or `{ type: 'json_object', schema }`, the form
 * of llama.cpp, Together and Fireworks. Undefined if it wants none.
 */
export function schemaIn(format: unknown): unknown {
  switch (stringAt(format, 'type')) {
    case 'json_schema':
      return objectAt(format, 'json_schema')?.schema ?? {}
    case 'json_object': {
      const schema = objectAt(format, 'schema')
      return schema && Object.keys(schema).length > 0 ? schema : undefined
    }
    default:
      return undefined
  }
}
