import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { ConfigError } from '../../src/config/problems.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'samewire-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function load(name: string, text?: string) {
  const file = join(folder, name)
  if (text !== undefined) await writeFile(file, text)
  return await loadConfig(file)
}

describe('A configuration file', () => {
  const expected = { fallback: 'p/m', timeout: 5 }

  it.each([
    ['config.json', '{"fallback":"p/m","timeout":5}'],
    ['config.yaml', '# mine\nfallback: p/m\ntimeout: 5\n'],
    ['config.yml', 'fallback: "p/m"\ntimeout: 5\n'],
    ['config.mjs', "export default { fallback: 'p/m', timeout: 5 }"],
    ['config.ts', "const timeout: number = 5\nexport default { fallback: 'p/m', timeout } satisfies object"],
  ])('is read: %s', async (name, text) => {
    expect(await load(name, text)).toEqual(expected)
  })

  it('may be empty in YAML', async () => {
    expect(await load('empty.yaml', '# nothing yet\n')).toEqual({})
  })

  it.each([
    ['broken.json', '{"fallback": }', /JSON/],
    ['empty.json', '', /JSON/],
    ['broken.yaml', 'fallback: p/m\n timeout: 5\n', /line \d/],
    ['twice.yaml', 'fallback: a\nfallback: b\n', /unique/],
    ['broken.ts', 'export default {', /./],
    ['throws.mjs', 'throw new Error("not today")', /not today/],
    ['without.ts', 'export const config = {}', /no default export: end it with/],
    ['config.toml', 'a = 1', /found \.toml; allowed: \.ts, \.json, \.yaml/],
    ['config', 'a', /found no ending; allowed/],
  ])('that can’t be read is told by its name: %s', async (name, text, reason) => {
    const error = await load(name, text).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ConfigError)
    const [first, ...rest] = (error as ConfigError).message.split('\n')
    expect(first).toBe(`${join(folder, name)} can't be used:`)
    expect(rest.join('\n')).toMatch(reason)
  })

  it('that is not there is told by its name', async () => {
    await expect(load('nowhere.yaml')).rejects.toThrow(/nowhere\.yaml can't be used:\n.*no such file/)
  })
})
