import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launch } from '../support/program.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'samewire-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe('Who starts the gateway with a file that is no configuration reads a sentence, and the program ends', () => {
  it.each([
    ['null.json', 'null', 'found null; allowed: an object, such as { providers: { ollama: { type: … } } }'],
    ['list.yaml', '- a\n', 'found an array; allowed: an object, such as { providers: { ollama: { type: … } } }'],
    ['throws.ts', '\nthrow new Error("not today")', 'line 2: not today'],
    ['line.ts', 'const a = 1\nconst b = ;\nexport default {}', 'line 2: Expression expected'],
    ['broken.ts', 'export default {', 'line 1: Unexpected token'],
    ['import.mjs', 'import "./nowhere.mjs"', "Cannot find module '"],
    ['waits.mjs', 'await new Promise(() => {})\nexport default {}', 'it waits for something that never comes'],
    ['without.mjs', '', 'it has no default export: end it with `export default defineConfig({ … })`'],
  ])('%s', async (name, text, expected) => {
    const file = join(folder, name)
    await writeFile(file, text)
    const program = launch(['--config', file])
    expect(await program.ended).toBe(1)
    const [first, second, ...rest] = program.printed().trimEnd().split('\n')
    expect(first).toBe(`${file} can't be used:`)
    expect(second).toContain(`  ${expected}`)
    expect(rest).toEqual([])
  })
})
