import { describe, expect, test } from 'vitest'
import { parseBody } from '../../src/wire/body.ts'
import { readme, tableOf } from './snippets.ts'

const encoder = new TextEncoder()
const sixteenKB = 16 * 1024

/** JSON with `count` of what a row of the table limits, and with `bytes` at least. */
const makers: Readonly<Record<string, (count: number) => string>> = {
  'levels of nesting': (count) => `"a":${'['.repeat(count - 1)}${']'.repeat(count - 1)}`,
  // With `pad`.
  fields: (count) => row(count - 1, (at) => `"${at}":1`),
  'different keys': (count) => `"0":{${row(count - 1, (at) => `"k${at}":1`)}}`,
  // The body, `pad` with its text, and `a` with its list.
  parts: (count) => `"a":[${row(count - 5, () => '""')}]`,
}

function row(count: number, part: (at: number) => string): string {
  return Array.from({ length: count }, (_, at) => part(at)).join(',')
}

function refusalOf(name: string, count: number, bytes: number): string {
  const text = makers[name]?.(count) ?? ''
  try {
    parseBody(encoder.encode(`{${text},"pad":"${'x'.repeat(Math.max(0, bytes - text.length))}"}`))
    return 'none'
  } catch (error) {
    return (error as Error).message
  }
}

const rows = tableOf(readme, 'effort').map(([name = '', most = '', per = '']) => ({
  name,
  most: Number(most.replace(',', '')),
  per: Number.parseInt(per || '0', 10),
}))

test('the table has every limit', () => {
  expect(rows.map(({ name }) => name)).toEqual(Object.keys(makers))
})

describe.each(rows)('the limit of $name', ({ name, most, per }) => {
  test('is the one in the table', () => {
    // Commas count as parts too, a sixteenth each.
    expect(refusalOf(name, name === 'parts' ? Math.floor(most * 0.94) : most, sixteenKB)).toBe('none')
    expect(refusalOf(name, most + 1, sixteenKB)).toMatch(
      name === 'levels of nesting' ? `deeper than ${most} levels` : `more than ${most} `,
    )
  })

  test.runIf(per > 0)('is higher for a large body, as the table says', () => {
    expect(refusalOf(name, most + 1, per * most * 2)).toBe('none')
    expect(refusalOf(name, most * 2 + 1_000, per * most * 2)).toMatch(/more than \d+ /)
  })
})

test('a small body may have more different keys', () => {
  const keys = row(2_100, (at) => `"${String.fromCharCode(97 + (at % 26))}${String.fromCharCode(0x3a + at / 26)}":1`)
  const bytes = encoder.encode(`{"a":{${keys.replaceAll('\\', '!')}}}`)
  expect(bytes.length).toBeLessThan(sixteenKB)
  expect(() => parseBody(bytes)).not.toThrow()
})
