import { describe, expect, it } from 'vitest'
import { Shapes } from '../../src/wire/shapes.ts'

const encoder = new TextEncoder()
const differing = { texts: new Set(['delta']), numbers: new Set(['sequence_number']) }

function event(fields: string): Uint8Array {
  return encoder.encode(`event: e\ndata: {"type":"e",${fields}}\n\n`)
}

/** Whether an event has the shape of one that was learnt. */
function isKnown(learnt: string, fields: string, keys: ConstructorParameters<typeof Shapes>[0] = differing): boolean {
  const shapes = new Shapes(keys)
  shapes.learn(event(learnt))
  const bytes = event(fields)
  return shapes.match(bytes, 0) === bytes.length
}

describe('An event has the shape of an earlier one', () => {
  it.each([
    '"sequence_number":5,"delta":"b"',
    '"sequence_number":0,"delta":""',
    '"sequence_number":123456,"delta":"\\"sequence_number\\": 1"',
  ])('if only its text and its number differ: %s', (fields) =>
    expect(isKnown('"sequence_number":4,"delta":"a"', fields)).toBe(true),
  )

  it('wherever the number stands', () => {
    expect(isKnown('"delta":"a","sequence_number": 4', '"delta":"b","sequence_number": 10')).toBe(true)
  })
})

describe('An event has another shape', () => {
  it.each([
    ['no number', '"sequence_number":,"delta":"b"'],
    ['a number that is no JSON', '"sequence_number":05,"delta":"b"'],
    ['a fraction', '"sequence_number":5.5,"delta":"b"'],
    ['a text for the number', '"sequence_number":"5","delta":"b"'],
    ['another number', '"sequence_number":5,"delta":"b","index":1'],
  ])('if it has %s', (_what, fields) => expect(isKnown('"sequence_number":4,"delta":"a"', fields)).toBe(false))

  it('if a number differs that may not', () => {
    expect(isKnown('"index":4,"delta":"a"', '"index":5,"delta":"a"')).toBe(false)
    expect(isKnown('"sequence_number":4', '"sequence_number":5', { texts: differing.texts })).toBe(false)
  })
})
