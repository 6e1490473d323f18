import { describe, expect, it } from 'vitest'
import { MinuteUse } from '../../src/core/minute-use.ts'

const start = 60_000 * 1000

describe('A minute’s use', () => {
  it('is over its requests when they have begun, and not in the next minute', () => {
    const use = new MinuteUse()
    use.began(start, 0)
    expect(use.over({ rpm: 2 }, 0, start)).toBeUndefined()
    use.began(start + 1, 0)
    expect(use.over({ rpm: 2 }, 0, start + 59_999)).toBe('rpm')
    expect(use.over({ rpm: 2 }, 0, start + 60_000)).toBeUndefined()
  })

  it('is over its tokens by the estimate, until the real number is known', () => {
    const use = new MinuteUse()
    const correct = use.began(start, 60)
    expect(use.over({ tpm: 100 }, 40, start)).toBeUndefined()
    expect(use.over({ tpm: 100 }, 41, start)).toBe('tpm')
    correct(start + 5, 90)
    expect(use.over({ tpm: 100 }, 11, start + 5)).toBe('tpm')
    expect(use.share({ tpm: 100, rpm: 10 }, start + 5)).toBe(0.9)
  })

  it('counts an answer’s tokens in the minute in which it ends', () => {
    const use = new MinuteUse()
    const correct = use.began(start, 60)
    correct(start + 60_000, 90)
    expect(use.share({ tpm: 100 }, start + 60_000)).toBe(0.9)
    expect(use.share({ tpm: 100 }, start + 120_000)).toBe(0)
  })
})
