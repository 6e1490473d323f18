import { describe, expect, it } from 'vitest'
import { misfit, SchemaError, uncheckable } from '../../src/wire/json-schema.ts'

const city = {
  type: 'object',
  properties: { name: { type: 'string', minLength: 1 }, people: { type: 'integer', minimum: 0 } },
  required: ['name', 'people'],
  additionalProperties: false,
}

const tree = {
  $ref: '#/$defs/node',
  $defs: { node: { type: 'object', properties: { next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] } } } },
}

describe('A value is held against a schema', () => {
  it.each<[unknown, unknown]>([
    [{ name: 'Paris', people: 2 }, city],
    [[1, 2], { type: 'array', items: { type: 'number' }, minItems: 2, maxItems: 2, uniqueItems: true }],
    ['b', { enum: ['a', 'b'] }],
    [null, { type: ['string', 'null'] }],
    [{ next: { next: null } }, tree],
    [[1, 'a'], { prefixItems: [{ type: 'number' }, { type: 'string' }], items: false }],
    [3, { oneOf: [{ type: 'integer' }, { type: 'string' }] }],
    [0.3, { multipleOf: 0.1 }],
    ['😀', { maxLength: 1 }],
    [{ pattern: 'x' }, { type: 'object', properties: { pattern: { type: 'string' } } }],
    [1, { minLength: 5 }],
    [{}, { title: 'T', description: 'd', $schema: 's', format: 'x' }],
    [{ a: 1 }, { additionalProperties: { type: 'number' } }],
    [1, true],
  ])('and fits: %j', (value, schema) => {
    expect(uncheckable(schema)).toBeUndefined()
    expect(misfit(value, schema)).toBeUndefined()
  })

  it.each<[unknown, unknown, string]>([
    [{ name: 'Paris' }, city, "$ lacks 'people'"],
    [{ name: '', people: 2 }, city, '$.name needs at least 1 characters'],
    [{ name: 'Paris', people: 2.5 }, city, '$.people is not of type integer'],
    [{ name: 'Paris', people: -1 }, city, '$.people must be at least 0'],
    [{ name: 'Paris', people: 2, x: 1 }, city, "$ has 'x', which is not allowed"],
    [[1, 'a'], { items: { type: 'number' } }, '$[1] is not of type number'],
    ['c', { enum: ['a', 'b'] }, '$ is none of ["a","b"]'],
    [{ next: { next: 1 } }, tree, '$.next.next is not of type object'],
    [[1, 1], { uniqueItems: true }, '$ has an item twice'],
    [3, { oneOf: [{ type: 'integer' }, { type: 'number' }] }, '$ fits more than one of the alternatives'],
    [1, { not: { type: 'number' } }, '$ is not allowed as it is'],
    [1, false, '$ is not allowed'],
    [2, { const: 1 }, '$ is not 1'],
    [{}, { required: ['__proto__'] }, "$ lacks '__proto__'"],
    [{}, { required: ['toString'] }, "$ lacks 'toString'"],
  ])('and does not: %j', (value, schema, problem) => {
    expect(misfit(value, schema)).toBe(problem)
  })

  it.each<[unknown, string]>([
    [{ type: 'string', pattern: '(a+)+$' }, "the keyword 'pattern' can't be checked"],
    [{ properties: { a: { items: { patternProperties: {} } } } }, "the keyword 'patternProperties' can't be checked"],
    [{ anyOf: [{ if: {} }] }, "the keyword 'if' can't be checked"],
    [{ items: 1 }, 'a schema is no object'],
  ])('unless it can’t be: %j', (schema, why) => {
    expect(uncheckable(schema)).toBe(why)
  })

  it('in bounded time, however the schema is made', () => {
    const levels = Array.from({ length: 40 }, (_, at) => [
      `l${at}`,
      { allOf: [{ $ref: `#/$defs/l${at + 1}` }, { $ref: `#/$defs/l${at + 1}` }] },
    ])
    const doubling = { $ref: '#/$defs/l0', $defs: { ...Object.fromEntries(levels), l40: true } }
    expect(() => misfit(1, doubling)).toThrow(SchemaError)
    expect(() => misfit(1, { $ref: '#' })).toThrow(SchemaError)
    expect(() => misfit(1, { $ref: '#/$defs/none' })).toThrow(SchemaError)
    expect(() => misfit(1, { $ref: 'http://example.com/' })).toThrow(SchemaError)
  })
})
