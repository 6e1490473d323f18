import { describe, expect, it } from 'vitest'
import { concat } from '../../src/wire/block.ts'
import { editBody, parseBody, type RequestBody, renamed, withModel } from '../../src/wire/body.ts'
import type { JsonObject } from '../../src/wire/json.ts'
import type { Edits } from '../../src/wire/members.ts'
import { textLength } from '../../src/wire/outline.ts'
import { utf8Length } from '../../src/wire/utf8.ts'
import { withField } from '../../src/wire/with-field.ts'
import { seeded } from '../support/ask.ts'
import { largeBody, longText, someBody } from '../support/bodies.ts'
import { bytes, textOf } from '../support/sinks.ts'
import { usually } from '../support/usually.ts'

const rounds = usually(500, 2_000)

const edited = (body: RequestBody, edits: Edits) => textOf(concat(editBody(body, edits)))

describe('A body that goes on under another model', () => {
  it.each([
    [rounds, 'small', someBody],
    [usually(50, 200), 'large', largeBody],
  ])('is the same to the byte outside the value of model (%i %s bodies)', (count, _, make) => {
    const random = seeded(20_261_124)
    for (let round = 0; round < count; round++) {
      const { before, name, after } = make(random)
      const text = before + name + after
      const body = parseBody(bytes(text))
      const sent = textOf(concat(withModel(body, 'up/stream')))
      expect(sent, text).toBe(`${before}"up/stream"${after}`)
      expect(textOf(concat(withModel(renamed(body, 'path'), 'up/stream'))), text).toBe(`${before}"up/stream"${after}`)
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
      expect(JSON.parse(edited(body, edits)), body.text).toEqual({ ...rest, model: 'm', top_k: 5 })
    }
  })

  it.each([
    [rounds, 'small', someBody],
    [200, 'large', largeBody],
  ])('is what it would be if it were read anew with a field that it gets (%i %s bodies)', (count, _, make) => {
    const random = seeded(20_261_129)
    for (let round = 0; round < count; round++) {
      const { before, name, after } = make(random)
      for (const [field, value] of [
        ['max_tokens', '7'],
        ['stream_options', '{"include_usage":true}'],
      ] as const) {
        const body = parseBody(bytes(before + name + after))
        const made = withField(body, field, JSON.parse(value))
        const anew = parseBody(bytes(edited(body, { set: new Map([[field, value]]) })))
        const [opened, ...others] = body.text.split('{')
        if (made.text !== anew.text)
          expect(made.text).toBe([opened, `"${field}":${value},${others[0]}`, ...others.slice(1)].join('{'))
        expect(made.outline, body.text).toEqual(anew.outline)
        expect(JSON.parse(textOf(concat(withModel(made, 'up/m')))), body.text).toEqual({
          ...JSON.parse(anew.text),
          model: 'up/m',
        })
      }
    }
  })

  it.each(['{}', '{ }', ' { "a":1}', '{"max_tokens":5,"a":1}', '{"max_tokens":null}'])('gets a field: %s', (text) => {
    const body = withField(parseBody(bytes(text)).named('m'), 'max_tokens', 7)
    expect(JSON.parse(body.text)).toEqual({ ...JSON.parse(text), max_tokens: 7 })
    expect(body).toMatchObject({ model: 'm', outline: { model: 'm', max_tokens: 7 } })
    expect(JSON.parse(textOf(concat(withModel(body, 'up/m'))))).toEqual({ ...JSON.parse(body.text), model: 'up/m' })
  })

  it('gets a model where it names none, and keeps one that is nested', () => {
    const text = '{"metadata":{"model":"mine"},"messages":[]}'
    const sent = edited(parseBody(bytes(text)), { set: new Map([['model', '"m"']]) })
    expect(JSON.parse(sent)).toEqual({ metadata: { model: 'mine' }, messages: [], model: 'm' })
  })

  it.each(['{"model":null,"a":1}', '{"model":"","a":1}', '{"a":1}'])('names none: %s', (text) => {
    const body = parseBody(bytes(text))
    expect(body.model).toBeUndefined()
    expect(JSON.parse(edited(body, { set: new Map([['model', '"m"']]) }))).toEqual({ model: 'm', a: 1 })
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

/** A value with 0 in place of each long text. */
function withoutLong(value: unknown): unknown {
  if (typeof value === 'string') return textLength(value) > 600 ? 0 : value
  if (Array.isArray(value)) return value.map(withoutLong)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutLong(inner)]))
}

describe('A large body', () => {
  const filler = 'x'.repeat(20_000)
  const withText = (text: string) => `{"model":"m","messages":[{"role":"user","content":"${text}${filler}"}]}`

  it('reads like a small one, its long texts by their length', () => {
    const random = seeded(7)
    for (let round = 0; round < 200; round++) {
      const { before, name, after } = largeBody(random)
      const text = before + name + after
      const body = parseBody(bytes(text))
      expect(withoutLong(body.outline)).toEqual(withoutLong(JSON.parse(text)))
      expect(body.json).toEqual(JSON.parse(text))
    }
  })

  it.each([0, 1, 2, 3])('is read wherever it lies in memory: %i bytes into a buffer', (offset) => {
    const text = bytes(withText('é'))
    const place = new Uint8Array(text.length + offset)
    place.set(text, offset)
    const body = parseBody(place.subarray(offset))
    expect(textOf(concat(withModel(body, 'n')))).toBe(withText('é').replace('"m"', '"n"'))
  })

  it.each([
    ['a control character', withText('\n')],
    ['an escape that is none', withText('\\x')],
    ['half an escape', withText('\\u12')],
    ['an escape of no digits', withText('\\u12g4')],
    ['a text that does not end', withText('').slice(0, -6)],
    ['an escape at its end', `${withText('').slice(0, -6)}\\`],
    ['a lonely quote', `${withText('')}"`],
    ['a missing comma', withText('').replace('"m"', '"m" 1')],
    ['something behind it', `${withText('')}{}`],
  ])('is refused like a small one for %s', (_, text) => {
    expect(() => JSON.parse(text)).toThrow()
    expect(() => parseBody(bytes(text))).toThrow(/could not parse the JSON body/)
  })

  it('is refused where its text is not UTF-8', () => {
    const text = bytes(withText('é'))
    text[text.indexOf(0xc3) + 1] = 0x41
    expect(() => parseBody(text)).toThrow(/not valid UTF-8/)
  })

  it('counts its long texts in characters, whatever they take in bytes', () => {
    const random = seeded(11)
    for (let round = 0; round < 50; round++) {
      const text = `{"messages":[{"role":"user","content":"${longText(random)}"}]}`
      const lengthOf = (json: JsonObject) => textLength((json.messages as { content: string }[])[0]?.content ?? '')
      expect(lengthOf(parseBody(bytes(text)).outline)).toBe(JSON.parse(text).messages[0].content.length)
    }
  })

  it.each([
    ['data:image/png;base64', `data:image/png;base64,${'A'.repeat(600)}`],
    ['DATA:application/pdf', `DATA:application/pdf ;base64,${'A'.repeat(600)}`],
    ['data:', `data:日${'A'.repeat(600)}`],
    ['', `http://a.b/${'A'.repeat(600)}`],
  ])('tells of an address with data how it begins: %s', (head, url) => {
    const { outline } = parseBody(bytes(JSON.stringify({ url, filler: 'x'.repeat(20_000) })))
    expect(outline.url).toBe(`\u0000${url.length}${head}`)
    expect(textLength(outline.url as string)).toBe(url.length)
  })

  it.each(['"\\u0000-1e9"', '"\\u0000Infinity"', '"\\u0000 7"', '"\\u0000"'])(
    'believes no client its mark: %s',
    (own) => {
      const text = JSON.parse(own) as string
      expect(textLength(text)).toBe(text.length)
    },
  )

  it.each(['x'.repeat(511), '日'.repeat(512), '\\u0061'.repeat(300)])('reads the name of its model: %.12s…', (name) => {
    const text = withText('').replace('"m"', `"${name}"`)
    expect(parseBody(bytes(text)).model).toBe(JSON.parse(`"${name}"`))
    expect(textOf(concat(withModel(parseBody(bytes(text)), 'up')))).toBe(text.replace(`"${name}"`, '"up"'))
  })

  it.each(['"model":null,', '"model":5,', '"model":["x"],', '"model":"n",', '"mod\\u0065l":"n",'])(
    'is refused for a second model like a small one: %s',
    (second) => {
      for (const text of [withText(''), '{"model":"m","messages":[]}']) {
        expect(() => parseBody(bytes(text.replace('{', `{${second}`)))).toThrow(/more than once/)
      }
    },
  )

  it('keeps its model apart from a list that is one too', () => {
    const text = `{"model":"m","metadata":{"models":["model"],"x":{"model":["n"]}},"y":"${filler}"}`
    expect(textOf(concat(withModel(parseBody(bytes(text)), 'up')))).toBe(text.replace('"m"', '"up"'))
  })

  it('is refused for a model name that is as long', () => {
    expect(() => parseBody(bytes(`{"model":"${filler}","messages":[]}`))).toThrow(/string too long/)
  })
})

describe('A body whose model is in the path', () => {
  it.each(['{"a":1}', '{"model":null,"a":1}', '{"model":"body","a":1}', `{"a":1,"b":"${'x'.repeat(20_000)}"}`])(
    'goes on under the name that the model has upstream, and reads so: %.40s',
    (text) => {
      const body = renamed(parseBody(bytes(text)), 'path')
      expect(body.model).toBe('path')
      expect(body.json).toEqual({ ...JSON.parse(text), model: 'path' })
      for (const model of ['path', 'other']) {
        expect(JSON.parse(textOf(concat(withModel(body, model))))).toEqual({ ...JSON.parse(text), model })
      }
    },
  )
})

describe('UTF-8', () => {
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const decodedLength = (sequence: Uint8Array) => {
    try {
      return strict.decode(sequence).length
    } catch {
      return -1
    }
  }

  it('is told from other bytes as the platform tells it: every pair, and every edge of longer sequences', () => {
    const edges = [
      0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff,
    ]
    const pairs = Array.from({ length: 0x10000 }, (_, at) => [at >> 8, at & 0xff])
    const longer = edges.flatMap((a) =>
      edges.flatMap((b) => edges.flatMap((c) => [[a, b, c], ...edges.map((d) => [a, b, c, d])])),
    )
    const wrong = [...pairs, ...longer].filter((sequence) => {
      const given = Uint8Array.from(sequence)
      return utf8Length(given, 0, given.length) !== decodedLength(given)
    })
    expect(wrong).toEqual([])
  })
})
