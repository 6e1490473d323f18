import { describe, expect, it } from 'vitest'
import { type Environment, noFindings } from '../../src/config/secrets.ts'
import { readState } from '../../src/config/state.ts'
import { systemClock } from '../../src/core/clock.ts'
import { openPostgres } from '../../src/node/postgres.ts'

describe('A password in the URL of the state', () => {
  it.each([
    ['of another kind of database', 'mysql://u:secretpw@h/x'],
    ['with a slash in it', 'mysql://u:/secretpw@h/x'],
    ['of a kind without slashes', 'redis:u:secretpw@h'],
    ['in its query', 'mysql://h/x?password=secretpw'],
  ])('is not shown where it is wrong: %s', (_, url) => {
    for (const [config, env] of [
      [{}, { SAMEWIRE_STATE: url }],
      [{ state: { url } }, {}],
      [{ state: { url: 'env:STORE' } }, { STORE: url }],
    ]) {
      const { problems, ...rest } = noFindings()
      expect(readState(config as object, env as Environment, { problems, ...rest })).toBeUndefined()
      expect(problems).toHaveLength(1)
      expect(problems[0]).toMatch(/^(SAMEWIRE_STATE|state\.url): found .*; allowed: /)
      expect(problems[0]).not.toContain('secretpw')
    }
  })
})

it.each([
  ['postgres://u:secretpw@h:99999/x', 'there is no port 99999, only up to 65535'],
  ['postgres://u:secretpw@h:99999', 'there is no port 99999, only up to 65535'],
  ['postgres://u:sec/retpw@h:5432/x', 'with %40 for an @ in the password'],
])('A URL of PostgreSQL that can’t be read is told without its password: %s', async (url, why) => {
  const opening = openPostgres(url, { clock: systemClock })
  await expect(opening).rejects.toThrow(why)
  await expect(opening).rejects.not.toThrow('retpw')
})
