import { describe, expect, it } from 'vitest'
import type { Answers, Stored } from '../../src/cache/answers.ts'

/** Whoever keeps answers, with a clock that the test moves. */
export interface Kept {
  readonly answers: Answers
  readonly now: () => number
  /** Moves the clock on by so many milliseconds. */
  pass(ms: number): Promise<void>
}

const bytes = (text: string) => new TextEncoder().encode(text)

/** What holds wherever answers are kept. `open` gives an empty store. */
export function keepsAnswers(name: string, open: () => Promise<Kept>): void {
  const answer = (text: string, at: number, more: Partial<Stored> = {}): Stored => ({
    ...{ streams: false, body: bytes(text), type: 'application/json', served: 'lab/m', at },
    ...more,
  })

  describe(`Answers in ${name}`, () => {
    it('come back as they were put, with all that is known of them', async () => {
      const { answers, now } = await open()
      const about = { usage: { total_tokens: 5 }, dropped: ['seed'], request: 'digest', streams: true }
      const body = new Uint8Array([0, 10, 255, 10, 0])
      const given = answer('', now(), { ...about, body })
      answers.put('a', given, { tenant: 't', until: now() + 60_000 })
      await answers.flush()
      expect(await answers.get('a', 't')).toEqual(given)
    })

    it('are there at once, and the last one counts', async () => {
      const { answers, now } = await open()
      answers.put('a', answer('one', now()), { tenant: 't', until: now() + 60_000 })
      await answers.flush()
      answers.put('a', answer('two', now()), { tenant: 't', until: now() + 60_000 })
      await answers.flush()
      expect((await answers.get('a', 't'))?.body).toEqual(bytes('two'))
      expect(await answers.get('b', 't')).toBeUndefined()
    })

    it('are of no use after their time', async () => {
      const { answers, now, pass } = await open()
      answers.put('a', answer('one', now()), { tenant: 't', until: now() + 60_000 })
      await answers.flush()
      await pass(59_999)
      expect(await answers.get('a', 't')).toBeDefined()
      await pass(1)
      expect(await answers.get('a', 't')).toBeUndefined()
    })

    it('are dropped for one tenant, and kept for the others, and for that one again', async () => {
      const { answers, now, pass } = await open()
      const until = now() + 60_000
      answers.put('a', answer('one', now()), { tenant: 't', until })
      answers.put('b', answer('two', now()), { tenant: 'u', until })
      await answers.flush()
      await pass(10)
      await answers.drop('t')
      expect(await answers.get('a', 't')).toBeUndefined()
      expect((await answers.get('b', 'u'))?.body).toEqual(bytes('two'))
      await pass(10)
      answers.put('a', answer('three', now()), { tenant: 't', until })
      await answers.flush()
      expect((await answers.get('a', 't'))?.body).toEqual(bytes('three'))
    })

    it('are dropped for all', async () => {
      const { answers, now, pass } = await open()
      for (const id of ['a', 'b']) answers.put(id, answer(id, now()), { tenant: id, until: now() + 60_000 })
      await answers.flush()
      await pass(10)
      await answers.drop()
      expect([await answers.get('a', 'a'), await answers.get('b', 'b')]).toEqual([undefined, undefined])
    })
  })
}
