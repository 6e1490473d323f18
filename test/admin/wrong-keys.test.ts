import { expect, it } from 'vitest'
import { createAccounting } from '../../src/accounts/accounting.ts'
import { limiterOf } from '../../src/accounts/limiter.ts'
import { Rates } from '../../src/accounts/rates.ts'
import { adminGuard } from '../../src/admin/guard.ts'
import { systemClock } from '../../src/core/clock.ts'
import { createGuard } from '../../src/http/access.ts'
import { loadPrices } from '../../src/prices/load.ts'
import { MemoryMeters } from '../../src/state/memory-meters.ts'
import { control } from '../proofs/attack/timing.ts'
import { digestOf } from '../support/accounting.ts'

/** A secret that counts how often one of its characters is looked at. */
function watched(secret: string) {
  const seen = { count: 0 }
  const text = {
    length: secret.length,
    charCodeAt(at: number) {
      seen.count++
      return secret.charCodeAt(at)
    },
  }
  return { seen, secret: text as unknown as string }
}

const bearer = (key: string) => (name: string) => (name === 'authorization' ? `Bearer ${key}` : undefined)

const right = 'the-right-key-0123456789'
const wrong = [
  ['differs in its first character', `T${right.slice(1)}`],
  ['differs in its last character', `${right.slice(0, -1)}8`],
  ['has nothing in common with it', 'x'.repeat(right.length)],
] as const

it.each(wrong)('A wrong key is compared with all keys of the configuration to their ends, if it %s', (_, key) => {
  const all = [right, 'another-key-0123456789-ab', right.toUpperCase()].map(watched)
  const keys = all.map(({ secret }, at) => ({ name: `key ${at}`, secret }))
  const guard = createGuard({ mode: 'keys', keys })
  expect(() => guard(bearer(key), 'POST')).toThrow('Incorrect API key')
  expect(all.map(({ seen }) => seen.count)).toEqual([key.length, key.length, key.length])
})

it.each(wrong)('A wrong admin key is compared with the right one to its end, if it %s', (_, key) => {
  const { seen, secret } = watched(right)
  const guard = adminGuard({ adminKey: secret, access: { mode: 'open' } })
  expect(() => guard(bearer(key), 'GET', true)).toThrow('Incorrect admin key')
  expect(seen.count).toBe(key.length)
})

it('Keys of the store are looked up by their SHA-256 and nothing else', async () => {
  const asked: string[] = []
  const keys = { find: (digest: string) => void asked.push(digest) }
  const limiter = limiterOf(new Rates(systemClock), new MemoryMeters())
  const catalogue = await loadPrices()
  const accounting = createAccounting({ clock: systemClock, limiter, keys, catalogue, digest: digestOf })
  const catalog = { models: new Map(), providers: new Map() } as never
  const { accounts } = accounting.charge({ catalog, known: new Map(), keys: [], clock: systemClock, log: () => {} })
  const guard = createGuard({ mode: 'keys', keys: [] }, undefined, accounts)
  const given = ['sk-sw-0123456789abcdef0', 'sk-sw-0123456789abcdef1']
  for (const key of given) expect(() => guard(bearer(key), 'POST')).toThrow('Incorrect API key')
  expect(asked).toEqual(given.map(digestOf))
})

it('The measurement of times finds a comparison that stops early', () => {
  expect(control(3_000)).toMatchObject({ isTold: true })
})
