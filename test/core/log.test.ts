import { describe, expect, it } from 'vitest'
import { createLog, printable } from '../../src/log.ts'

describe('The log', () => {
  const entries: string[] = []
  const log = createLog((entry) => entries.push(entry))

  it('keeps the frames of a stack on lines of their own, and nothing else', () => {
    log('boom\nforged\n    at one (a.ts:1:1)\n    at two (b.ts:2:2)')
    expect(entries).toEqual(['boom\\nforged\n    at one (a.ts:1:1)\n    at two (b.ts:2:2)'])
  })

  it.each([
    ['\0', '\\u0000'],
    ['\t', '\\t'],
    ['\x7f', '\\u007f'],
    ['\x85', '\\u0085'],
    ['\u2029', '\\u2029'],
    ['\u200f', '\\u200f'],
    ['\u2066', '\\u2066'],
    ['Grüße 日本語 👋', 'Grüße 日本語 👋'],
  ])('shows %j as %s', (text, expected) => {
    expect(printable(text)).toBe(expected)
  })
})
