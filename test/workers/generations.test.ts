import { describe, expect, it } from 'vitest'
import type { Statement } from '../../src/state/database.ts'
import { Generations } from '../../src/workers/generations.ts'

/** A database that counts revisions, and fails while it is down. */
function database() {
  const revisions = new Map<string, number>()
  const is = { down: false }
  return {
    is,
    async all(_: string, names: Statement['values'] = []) {
      if (is.down) throw new Error('no database')
      return names.flatMap((name) =>
        revisions.has(String(name)) ? [{ name, value: revisions.get(String(name)) ?? 0 }] : [],
      )
    },
    async batch(statements: readonly Statement[]) {
      if (is.down) throw new Error('no database')
      for (const { values: [name] = [] } of statements)
        revisions.set(String(name), (revisions.get(String(name)) ?? 0) + 1)
      return []
    },
  }
}

function twoIsolates() {
  const shared = database()
  let now = 0
  const clock = { now: () => now }
  const pass = (ms: number) => {
    now += ms
  }
  return {
    here: new Generations(shared as never, clock),
    there: new Generations(shared as never, clock),
    pass,
    ...shared,
  }
}

describe('Answers that one isolate has dropped', () => {
  it.each([['of one tenant', 'key:a'] as const, ['of all', undefined] as const])(
    '%s are out of reach at once there, and within ten seconds elsewhere',
    async (_, dropped) => {
      const { here, there, pass } = twoIsolates()
      const before = await here.of('key:a')
      expect(await there.of('key:a')).toBe(before)
      await here.next(dropped)
      expect(await here.of('key:a')).not.toBe(before)
      expect(await there.of('key:a')).toBe(before)
      pass(10_000)
      expect(await there.of('key:a')).toBe(await here.of('key:a'))
      expect(await there.of('key:a')).not.toBe(before)
    },
  )

  it('are those of that tenant alone', async () => {
    const { here } = twoIsolates()
    const before = await here.of('key:b')
    await here.next('key:a')
    expect(await here.of('key:b')).toBe(before)
  })

  it('are not found while nobody can tell what was dropped, and others than those are not dropped by that', async () => {
    const { here, there, is, pass } = twoIsolates()
    const before = await here.of('key:a')
    is.down = true
    pass(10_000)
    expect([await here.of('key:a'), await there.of('key:a')]).not.toContain(before)
    await expect(here.next()).rejects.toThrow('no database')
    is.down = false
    expect([await here.of('key:a'), await there.of('key:a')]).toEqual([before, before])
  })
})
