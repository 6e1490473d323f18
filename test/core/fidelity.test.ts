import { describe, expect, it } from 'vitest'
import { editBody, parseBody, renamed } from '../../src/wire/body.ts'
import { seeded } from '../support/ask.ts'
import { bytes, textOf } from '../support/sinks.ts'

const rounds = 2_000

type Random = () => number

function pickFrom<T>(list: readonly T[], random: Random): T {
  return list[Math.floor(random() * list.length)] as T
}

const blanks = ['', '', '', ' ', '\n', '\t', '\r\n  ']
const keys = [
  'messages',
  'user',
  'модель',
  'tools',
  'metadata',
  'a\\"b',
  'x\\\\',
  '\\u006dodal',
  '__proto__',
  'modelle',
  'n',
  '',
]
const scalars = [
  '9007199254740993',
  '-0',
  '1e400',
  '1.0',
  '12345678901234567890.12345',
  'true',
  'null',
  '"model"',
  '"a \\"model\\": \\"x\\" b"',
  '"\\\\"',
  '"\\\\\\""',
  '"{[,]}:"',
  '"\\u006d\\u006fdel"',
  '"日本 👩‍👩‍👧 \\ud83d\\ude00"',
  '"\\/"',
  '""',
]
const spellings = ['"model"', '"model"', '"model"', '"\\u006dodel"', '"mod\\u0065l"']
const names = ['"gpt-4o"', '"a/b:c"', '"\\u0061b"', '"日"', '"a\\"b\\\\"', '"model"']

function blank(random: Random): string {
  return pickFrom(blanks, random)
}

function value(random: Random, depth: number): string {
  const kind = random()
  if (depth === 0 || kind < 0.5) return pickFrom(scalars, random)
  const count = Math.floor(random() * 4)
  const items = Array.from({ length: count }, () =>
    kind < 0.7
      ? value(random, depth - 1)
      : member(pickFrom([...keys, 'model'], random), value(random, depth - 1), random),
  )
  const inner = items.map((item) => blank(random) + item + blank(random)).join(',')
  return kind < 0.7 ? `[${inner}]` : `{${inner}}`
}

function member(key: string, text: string, random: Random): string {
  return `"${key}"${blank(random)}:${blank(random)}${text}`
}

/** A body around one `model`: what stands before its value, the value, and what stands behind. */
function someBody(random: Random): { before: string; name: string; after: string } {
  const others = (count: number) =>
    Array.from({ length: count }, () => member(pickFrom(keys, random), value(random, 3), random))
  const first = others(Math.floor(random() * 4))
  const last = others(Math.floor(random() * 4))
  const lead = first.map((text) => `${blank(random)}${text}${blank(random)},`).join('')
  const trail = last.map((text) => `${blank(random)},${blank(random)}${text}`).join('')
  const spelling = `${pickFrom(spellings, random)}${blank(random)}:${blank(random)}`
  return {
    before: `${blank(random)}{${lead}${blank(random)}${spelling}`,
    name: pickFrom(names, random),
    after: `${trail}${blank(random)}}${blank(random)}`,
  }
}

describe('A body that goes on under another model', () => {
  it(`is the same to the byte outside the value of model (${rounds} bodies)`, () => {
    const random = seeded(20_261_124)
    for (let round = 0; round < rounds; round++) {
      const { before, name, after } = someBody(random)
      const text = before + name + after
      const body = parseBody(bytes(text))
      const sent = textOf(editBody(body, { set: new Map([['model', '"up/stream"']]) }))
      expect(sent, text).toBe(`${before}"up/stream"${after}`)
      expect(renamed(body, 'up/stream').text, text).toBe(`${before}"up/stream"${after}`)
    }
  })

  it(`keeps every other member when fields are set and dropped (${rounds} bodies)`, () => {
    const random = seeded(42)
    for (let round = 0; round < rounds; round++) {
      const { before, name, after } = someBody(random)
      const body = parseBody(bytes(before + name + after))
      const edits = {
        set: new Map([
          ['model', '"m"'],
          ['top_k', '5'],
        ]),
        drop: new Set(['user']),
      }
      const { user: _, ...rest } = JSON.parse(body.text) as Record<string, unknown>
      expect(JSON.parse(textOf(editBody(body, edits))), body.text).toEqual({ ...rest, model: 'm', top_k: 5 })
    }
  })

  it('gets a model where it names none, and keeps one that is nested', () => {
    const text = '{"metadata":{"model":"mine"},"messages":[]}'
    const sent = textOf(editBody(parseBody(bytes(text)), { set: new Map([['model', '"m"']]) }))
    expect(JSON.parse(sent)).toEqual({ metadata: { model: 'mine' }, messages: [], model: 'm' })
  })

  it.each(['{"model":null,"a":1}', '{"model":"","a":1}', '{"a":1}'])('names none: %s', (text) => {
    const body = parseBody(bytes(text))
    expect(body.model).toBeUndefined()
    expect(JSON.parse(textOf(editBody(body, { set: new Map([['model', '"m"']]) })))).toEqual({ model: 'm', a: 1 })
  })

  it.each([
    '{"model":"a","model":"b"}',
    '{"model":"a","\\u006dodel":"b"}',
    '{"mod\\u0065l":"a","x":{"model":"c"},"model":"b"}',
    '{"\\u006Dodel":"a","\\u006dode\\u006C":"b"}',
    '{"model":null,"model":"b"}',
  ])('is refused when it names two: %s', (text) => {
    expect(() => parseBody(bytes(text))).toThrow(/more than once/)
  })

  it('reads a model that is spelt with escapes', () => {
    expect(parseBody(bytes('{"mod\\u0065l":"\\u0061"}')).model).toBe('a')
  })
})
