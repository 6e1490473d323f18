import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
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
    ['marked.json', '\ufeff{"fallback":"p/m","timeout":5}'],
    ['marked.yaml', '\ufefffallback: p/m\ntimeout: 5\n'],
    ['marked.mjs', "\ufeffexport default { fallback: 'p/m', timeout: 5 }"],
    ['getters.mjs', "export default { get fallback() { return 'p/m' }, timeout: 5 }"],
    ['class.mjs', "class Ours { timeout = 5; get fallback() { return 'p/m' } }\nexport default new Ours()"],
    ['proxy.mjs', "export default new Proxy({ fallback: 'p/m', timeout: 5 }, {})"],
    ['config.yml', 'fallback: "p/m"\ntimeout: 5\n'],
    ['config.mjs', "export default { fallback: 'p/m', timeout: 5 }"],
    ['config.js', "export default { fallback: 'p/m', timeout: 5 }"],
    ['config.mts', "const timeout: number = 5\nexport default { fallback: 'p/m', timeout }"],
    ['config.ts', "const timeout: number = 5\nexport default { fallback: 'p/m', timeout } satisfies object"],
  ])('is read: %s', async (name, text) => {
    expect(await load(name, text)).toEqual(expected)
  })

  it('may hold the same part twice', async () => {
    const limits = 'const limits = { a: 1 }\nexport default { models: { x: limits, y: limits, z: [limits] } }'
    expect(await load('twice.mjs', limits)).toEqual({ models: { x: { a: 1 }, y: { a: 1 }, z: [{ a: 1 }] } })
  })

  it('may hold any key', async () => {
    const { models } = await load('proto.json', '{"models": {"__proto__": "p/x", "then": "p/y"}}')
    expect(Object.entries(models ?? {})).toEqual([
      ['__proto__', 'p/x'],
      ['then', 'p/y'],
    ])
  })

  it('may be empty in YAML', async () => {
    expect(await load('empty.yaml', '# nothing yet\n')).toEqual({})
    expect(await load('blank.yaml', '')).toEqual({})
  })

  it('may not be blank when it is read again', async () => {
    const file = join(folder, 'blank-again.yaml')
    await writeFile(file, '\n')
    await expect(loadConfig(file, 1)).rejects.toThrow('it is empty; allowed while the gateway runs: {}')
    await writeFile(file, '{}\n')
    expect(await loadConfig(file, 1)).toEqual({})
  })

  it.each([
    ['broken.json', '{"fallback": }', /JSON/],
    ['empty.json', '', /JSON/],
    ['broken.yaml', 'fallback: p/m\n timeout: 5\n', /^ {2}line 1, column \d+: [^\n]+[^:]$/m],
    ['twice.yaml', 'fallback: a\nfallback: b\n', /^ {2}line 2, column 1: Map keys must be unique$/m],
    ['tab.yaml', 'providers:\n\tp: {}\n', /^ {2}line 2, column 1: Tabs are not allowed as indentation$/m],
    ['two.yaml', 'retries: 1\n---\nretries: 2\n', /^ {2}line 2, column 1: another document begins; allowed: one$/m],
    ['broken.ts', 'export default {', /./],
    ['throws.mjs', 'throw new Error("not today")', /not today/],
    ['without.ts', 'export const config = {}', /no default export: end it with/],
    ['import.mjs', 'import "./nowhere.mjs"\nexport default {}', /Cannot find module .*nowhere\.mjs/],
    ['package.ts', 'import x from "no-such-package"\nexport default x', /Cannot find package 'no-such-package'/],
    ['text.mjs', 'throw "not today"', /it throws while it is loaded, and what it throws is no Error/],
    ['silent.mjs', 'throw new RangeError()', /line 1: it throws RangeError while it is loaded/],
    ['bare.mjs', 'throw Object.create(null)', /it throws while it is loaded/],
    ['undefined.mjs', 'export default undefined', /found nothing; allowed: an object/],
    ['null.mjs', 'export default null', /found null; allowed: an object/],
    ['null.json', 'null', /found null; allowed: an object/],
    ['null.yaml', 'null', /found null; allowed: an object/],
    ['list.json', '[]', /found an array; allowed: an object/],
    ['list.yaml', '- providers', /found an array; allowed: an object/],
    ['number.json', '5', /found an integer; allowed: an object/],
    ['text.yaml', 'providers', /found a string; allowed: an object/],
    ['function.mjs', 'export default () => ({})', /found a function; allowed: an object/],
    ['promise.mjs', 'export default Promise.resolve({})', /found a promise \(put `await` before it\)/],
    ['endless.mjs', 'export default new Promise(() => {})', /found a promise/],
    ['config.toml', 'a = 1', /found \.toml; allowed: \.ts, \.mts, \.js, \.mjs, \.json, \.yaml, \.yml$/],
    ['config', 'a', /found no ending; allowed/],
  ])('that can’t be read is told by its name: %s', async (name, text, reason) => {
    const error = await load(name, text).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ConfigError)
    const [first, ...rest] = (error as ConfigError).message.split('\n')
    expect(first).toBe(`${join(folder, name)} can't be used:`)
    expect(rest.join('\n')).toMatch(reason)
  })

  it('that is not there is told by its name', async () => {
    await expect(load('nowhere.yaml')).rejects.toThrow(/nowhere\.yaml can't be used:\n {2}there is no such file$/)
    await expect(load('nowhere.ts')).rejects.toThrow(/nowhere\.ts can't be used:\n {2}there is no such file$/)
  })

  it.each(['folder.ts', 'folder.yaml'])('that is a directory is told by its name: %s', async (name) => {
    await mkdir(join(folder, name))
    await expect(load(name)).rejects.toThrow(`${name} can't be used:\n  it is a directory`)
  })

  it('whose text is a secret by mistake doesn’t show it', async () => {
    await expect(load('secret.yaml', 'sk-live-MARKER')).rejects.not.toThrow(/MARKER/)
  })
})
