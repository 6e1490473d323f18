/** Generated JSON with every spelling that the grammar allows, which a gateway must not normalize. */

export type Random = () => number

/** A request around one `model`: the text before its value, the value as it is spelled, and the text after it. */
export interface Body {
  readonly before: string
  readonly name: string
  readonly after: string
}

export function pickFrom<T>(list: readonly T[], random: Random): T {
  return list[Math.floor(random() * list.length)] as T
}

/** Zero to `most` results of `make`. */
export function several<T>(most: number, random: Random, make: () => T): T[] {
  return Array.from({ length: Math.floor(random() * (most + 1)) }, make)
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
/** Strings as JSON text. */
export const strings = [
  '"model"',
  '"a \\"model\\": \\"x\\" b"',
  '"\\\\"',
  '"\\\\\\""',
  '"{[,]}:"',
  '"\\u006d\\u006fdel"',
  '"日本 👩‍👩‍👧 \\ud83d\\ude00"',
  '"\\ud83d"',
  '"\\u0000\\u2028\u2028\u007f"',
  '"\\/"',
  '""',
]
const scalars = [
  ...strings,
  '9007199254740993',
  '-0',
  '1e400',
  '1.0',
  '12345678901234567890.12345',
  '1'.repeat(400),
  'true',
  'null',
]
const spellings = ['"model"', '"model"', '"model"', '"\\u006dodel"', '"mod\\u0065l"']
const names = ['"gpt-4o"', '"a/b:c"', '"\\u0061b"', '"日"', '"a\\"b\\\\"', '"model"']

export function blank(random: Random): string {
  return pickFrom(blanks, random)
}

/** A JSON value, at most `depth` levels deep; objects inside may have a `model` too. */
export function value(random: Random, depth: number): string {
  const kind = random()
  if (depth === 0 || kind < 0.5) return pickFrom(scalars, random)
  const items = several(3, random, () =>
    kind < 0.7
      ? value(random, depth - 1)
      : member(pickFrom([...keys, 'model'], random), value(random, depth - 1), random),
  )
  return list(kind < 0.7 ? '[]' : '{}', items, random)
}

/** Items in brackets, with blanks wherever JSON allows them. */
export function list(brackets: '[]' | '{}', items: readonly string[], random: Random): string {
  const inner = items.map((item) => blank(random) + item + blank(random)).join(',')
  return `${brackets[0]}${inner || blank(random)}${brackets[1]}`
}

export function member(key: string, text: string, random: Random): string {
  return `"${key}"${blank(random)}:${blank(random)}${text}`
}

/** A request with the model `name` between other members. */
export function bodyOf(first: readonly string[], name: string, last: readonly string[], random: Random): Body {
  const lead = first.map((text) => `${blank(random)}${text}${blank(random)},`).join('')
  const trail = last.map((text) => `${blank(random)},${blank(random)}${text}`).join('')
  const spelling = `${pickFrom(spellings, random)}${blank(random)}:${blank(random)}`
  return {
    before: `${blank(random)}{${lead}${blank(random)}${spelling}`,
    name,
    after: `${trail}${blank(random)}}${blank(random)}`,
  }
}

/** A JSON object with a model. It need not be a valid request. */
export function someBody(random: Random): Body {
  const others = () => several(3, random, () => member(pickFrom(keys, random), value(random, 3), random))
  const first = others()
  return bodyOf(first, pickFrom(names, random), others(), random)
}

/** The content of a long JSON string, with everything that a string may contain. */
export function longText(random: Random, parts = 3000): string {
  const pieces = [
    'plain words ',
    '\\n',
    '\\"',
    '\\\\',
    '日本',
    '\\u006d',
    '👩‍👩‍👧',
    '\\/',
    '"model"'.replaceAll('"', '\\"'),
    '\u007f',
  ]
  return Array.from({ length: parts }, () => pickFrom(pieces, random)).join('')
}

/** Like `someBody`, but large: with long strings as values, and an equally long key. */
export function largeBody(random: Random): Body {
  const { before, name, after } = someBody(random)
  const text = longText(random)
  const end = after.lastIndexOf('}')
  const front = before.indexOf('{') + 1
  return {
    before: `${before.slice(0, front)}"long":"${text}","${text}":"",${before.slice(front)}`,
    name,
    after: `${after.slice(0, end)},"messages":[{"content":"${text}"}]${after.slice(end)}`,
  }
}
