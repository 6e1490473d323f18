import { expect, it } from 'vitest'
import { Distinct } from '../../src/wire/distinct.ts'
import { seeded } from '../support/ask.ts'
import { bytes } from '../support/sinks.ts'

/** How many different words are counted among those of `text`, with the table that is made for `most`. */
function counted(text: string, most: number): number {
  const distinct = new Distinct(bytes(text), most)
  for (const match of text.matchAll(/\S+/g)) distinct.add(match.index, match.index + match[0].length)
  return distinct.count
}

it('Different words are counted as a set counts them, up to as many as were foreseen', () => {
  const random = seeded(5)
  for (let round = 0; round < 200; round++) {
    const kinds = 1 + Math.floor(random() * 500)
    const words = Array.from({ length: 1_000 }, () => Math.floor(random() * kinds).toString(36))
    expect(counted(` ${words.join(' ')}`, 500)).toBe(new Set(words).size)
  }
})

it('More words than were foreseen are counted as more', () => {
  const words = Array.from({ length: 10_000 }, (_, at) => `k${at}`)
  expect(counted(` ${words.join(' ')}`, 100)).toBeGreaterThan(100)
})

it('Words of one length, and words that begin with others, are told apart', () => {
  expect(counted(' ab ba a abc ab a ba abc b', 10)).toBe(5)
})
