import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launch } from '../support/program.ts'
import { usually } from '../support/usually.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'samewire-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** What is in each file, and what is said of it. */
const files: readonly [name: string, text: string | Buffer, said: string][] = [
  ['null.json', 'null', 'found null; allowed: an object, such as { providers: { ollama: { type: … } } }'],
  ['list.yaml', '- a\n', 'found an array; allowed: an object, such as { providers: { ollama: { type: … } } }'],
  ['throws.ts', '\nthrow new Error("not today")', 'line 2: not today'],
  ['line.ts', 'const a = 1\nconst b = ;\nexport default {}', 'line 2: Expression expected'],
  ['broken.ts', 'export default {', 'line 1: Unexpected token'],
  ['import.mjs', 'import "./nowhere.mjs"', "Cannot find module '"],
  ['waits.mjs', 'await new Promise(() => {})\nexport default {}', 'it waits for something that never comes'],
  [
    'getter.mjs',
    'export default { get providers() { throw new Error("TEAM_KEY is not set") } }',
    "providers: it can't be read: TEAM_KEY is not set",
  ],
  [
    'proxy.mjs',
    'export default new Proxy({}, { get() { throw 5 } })',
    "(top level): it can't be read, since reading it throws",
  ],
  [
    'keys.ts',
    'export default new Proxy({}, { ownKeys() { throw new Error("no keys") } })',
    "(top level): it can't be read: no keys",
  ],
  ['circle.mjs', 'const a = {}; a.providers = a; export default a', 'providers: it contains itself'],
  ['big.ts', 'export default { timeout: 10n }', 'timeout: found 10n; allowed: a number of seconds'],
  ['rejects.mjs', '\nPromise.reject(new Error("not today"))\nexport default {}', 'line 2: not today'],
  [
    'text.mjs',
    'Promise.reject("not today"); export default {}',
    'it throws while it is loaded, and what it throws is no Error',
  ],
  [
    'later.mjs',
    '\nsetImmediate(() => { throw new Error("not today") })\nexport default { providers: { demo: { type: "embedded" } } }',
    'line 2: not today',
  ],
  [
    'stack.mjs',
    'throw Object.defineProperty(new Error(), "message", { get() { throw 1 } })',
    'it throws while it is loaded',
  ],
  ['ends.mjs', 'process.exit(0)', 'it ends the program before the gateway listens'],
  ['fails.mjs', 'process.exit(3)', 'it ends the program before the gateway listens'],
  [
    'soon.mjs',
    'setImmediate(() => process.exit(0)); export default {}',
    'it ends the program before the gateway listens',
  ],
  ['wide.json', Buffer.from('\ufeff{}', 'utf16le'), 'it is text in UTF-16; allowed: UTF-8'],
  ['without.mjs', '', 'it has no default export: end it with `export default defineConfig({ … })`'],
]

/** Those that come to their end in another way than the others. */
const few = (all: typeof files) =>
  all.filter(([name]) => /^(null|throws|import|waits|getter|rejects|later|ends|wide)\./.test(name))

describe('Who starts the gateway with a file that is no configuration reads a sentence, and the program ends', () => {
  it.each(usually(few(files), files))('%s', async (name, text, expected) => {
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
