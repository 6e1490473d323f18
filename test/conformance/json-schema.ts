import { Ajv2020 } from 'ajv/dist/2020.js'

export type Schema = Readonly<Record<string, unknown>>

/** Says what is wrong, or undefined. */
export type Check = (value: unknown) => string | undefined

export const text = { type: 'string' }
export const count = { type: 'integer' }
export const amount = { type: 'number' }
export const flag = { type: 'boolean' }
export const anything = {}
export const list = (items: Schema) => ({ type: 'array', items })
export const orNull = (schema: Schema) => ({ anyOf: [schema, { type: 'null' }] })
export const oneOf = (...values: readonly unknown[]) => ({ enum: values })
/** All of these are required. */
export const object = (properties: Readonly<Record<string, Schema>>, more: Readonly<Record<string, Schema>> = {}) => ({
  type: 'object',
  required: Object.keys(properties),
  properties: { ...properties, ...more },
})
/** With nothing else. */
export const only = (properties: Readonly<Record<string, Schema>>, more: Readonly<Record<string, Schema>> = {}) => ({
  ...object(properties, more),
  additionalProperties: false,
})

const ajv = new Ajv2020({ strict: false })

export function checkOf(schema: Schema): Check {
  const fits = ajv.compile(schema)
  return (value) => (fits(value) ? undefined : ajv.errorsText(fits.errors))
}
