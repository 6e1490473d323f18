import { existsSync } from 'node:fs'
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  chatBy,
  compile,
  type Packed,
  pack,
  packagesIn,
  runProgram,
  unpack,
  writeConsumer,
} from '../support/package.ts'
import { launch } from '../support/program.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
/** Inside the repository, whose dependencies it finds. */
const folder = join(root, 'local/package')
const installed = join(folder, 'node_modules/samewire')
const greeting = 'Hello! How can I help you?'

describe('the npm package', () => {
  let packed: Packed
  beforeAll(async () => {
    await rm(folder, { recursive: true, force: true })
    packed = await pack(folder)
    await unpack(packed, folder)
    await writeConsumer(folder)
  }, 180_000)
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('has what runs and what describes it, and no sources', () => {
    const others = packed.files.filter((path) => !/^dist\/package\/.*\.(js|d\.ts)$/.test(path)).sort()
    expect(others).toEqual([
      'LICENSE',
      'README.md',
      'package.json',
      'providers/embedded/tiny-chat.gguf',
      'samewire.schema.json',
      'src/node.js',
    ])
  })

  it('has all files that its package.json names', async () => {
    const { bin, exports } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'))
    const named = [bin.samewire, exports['.'].types, exports['.'].default]
    for (const path of named) expect([path, existsSync(join(installed, path))]).toEqual([path, true])
  })

  it('has all files that its scripts read by their place', async () => {
    const texts = await Promise.all(
      packed.files.filter((path) => path.endsWith('.js')).map((path) => readFile(join(installed, path), 'utf8')),
    )
    const places = texts.flatMap((text) => [...text.matchAll(/new URL\("(\.[^"$]+[^"/$])", import\.meta\.url\)/g)])
    const named = places.map(([, place = '']) => join('dist/package', place))
    expect(named).toEqual(expect.arrayContaining(['package.json', 'samewire.schema.json', 'dist/package/worker.js']))
    expect(named.filter((path) => !packed.files.includes(path))).toEqual([])
  })

  it('imports nothing but its dependencies', async () => {
    const { dependencies } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'))
    const scripts = (await readdir(join(installed, 'dist/package'))).filter((name) => name.endsWith('.js'))
    const imported = (
      await Promise.all(scripts.map((name) => packagesIn(join(installed, 'dist/package', name))))
    ).flat()
    const packages = imported.filter((path) => !/^(\.|node:)/.test(path))
    expect(packages).toContain('hono/hono-base')
    const nameOf = (path: string) => /^(@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? ''
    expect(packages.filter((path) => !(nameOf(path) in dependencies))).toEqual([])
  })

  it('needs nothing of Node’s where a program imports it', async () => {
    const reached = new Set(['./index.js'])
    for (const name of reached)
      if (name.startsWith('./'))
        for (const path of await packagesIn(join(installed, 'dist/package', name))) reached.add(path)
    expect(reached.size).toBeGreaterThan(20)
    expect([...reached].filter((path) => path.startsWith('node:'))).toEqual([])
  })

  it('has a command', async () => {
    const program = launch(['--version'], {}, folder, join(installed, 'src/node.js'))
    expect(await program.ended).toBe(0)
    expect(program.printed()).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  it.each([['by itself'], ['in worker processes', '--workers', '2']])(
    'starts %s, with a configuration in TypeScript that imports it',
    async (_how, ...args) => {
      expect(JSON.parse(await chatBy(folder, args))).toMatchObject({ choices: [{ message: { content: greeting } }] })
    },
  )

  it('starts without any configuration', async () => {
    const program = launch([], {}, installed, join(installed, 'src/node.js'))
    await program.until(/missing models are answered by demo\/tiny-chat/)
    program.signal('SIGTERM')
    expect(await program.ended).toBe(0)
  })

  it('gives programs a gateway, which answers whole and in a stream', async () =>
    expect(await runProgram(folder)).toBe(`${greeting}\n${greeting}\n`))

  it('gives programs a gateway that keeps keys in a file', async () =>
    expect(await runProgram(folder, [process.execPath], 'keeper.mjs')).toBe(`${greeting}\n`))

  it('is typed', async () => expect(await compile(folder)).toBe(''), 60_000)
})
