import { expect, it } from 'vitest'
import { Distinct } from '../../src/wire/distinct.ts'
import { seeded } from '../support/ask.ts'
import { bytes } from '../support/sinks.ts'

/** Whether there are more than `most` different words in `text`. */
function hasMore(text: string, most: number): boolean {
  const distinct = new Distinct(bytes(` ${text}`), most)
  return [...` ${text}`.matchAll(/\S+/g)].some(({ 0: word, index }) => distinct.exceeds(index, index + word.length))
}

it('Different words are counted as a set counts them', () => {
  const random = seeded(5)
  for (let round = 0; round < 200; round++) {
    const kinds = 1 + Math.floor(random() * 500)
    const words = Array.from({ length: 1_000 }, () => Math.floor(random() * kinds).toString(36))
    const { size } = new Set(words)
    expect(hasMore(words.join(' '), size)).toBe(false)
    if (size > 1) expect(hasMore(words.join(' '), size - 1)).toBe(true)
  }
})

it('Words of one length, and words that begin with others, are told apart', () => {
  const words = 'ab ba a abc ab a ba abc b'
  expect([5, 4].map((most) => hasMore(words, most))).toEqual([false, true])
})
